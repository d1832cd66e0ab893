// A model in a worker writes what the same model writes here.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EngineError, ModelFileError, TokenizerError } from '../../src/errors.ts';
import type { Generation } from '../../src/index.ts';
import { createEngine, load } from '../../src/index.ts';
import { rejection, rejectsWith } from '../helpers/fails.ts';
import { settle, withPair } from '../helpers/remote.ts';
import { TINY_TEXT, equalBits, tinyModel } from '../helpers/tiny-model.ts';

const GOOD = tinyModel({ steps: 20 });
const local = load(GOOD, { engine: createEngine({ threads: 1 }) });

async function whole(
  pieces: AsyncGenerator<string, Generation, undefined>,
): Promise<{ pieces: string[]; end: Generation }> {
  const list: string[] = [];
  for (;;) {
    const next = await pieces.next();
    if (next.done) return { pieces: list, end: next.value };
    list.push(next.value);
  }
}

const test = suite('a model in a worker');

test('writes the same pieces and ends with the same Generation, at any options', () =>
  withPair(async ({ remote }) => {
    const model = await remote.load(GOOD), here = await local;
    for (const options of [
      { seed: 1, maxTokens: 60 }, { temperature: 0, maxTokens: 20 }, { maxTokens: 0 },
      { seed: 9, topK: 5, minP: 0.05, repetitionPenalty: 1.2, stop: ['e'], maxTokens: 80 },
    ])
      assert.equal(await whole(model.generate('One day', options)),
        await whole(here.generate('One day', options)));
  }));

test('gives the same logits bit for bit, ids, texts and losses', () => withPair(async ({ remote }) => {
  const model = await remote.load(GOOD), here = await local, text = TINY_TEXT.slice(0, 200);
  const ids = await model.encode('One day');
  assert.equal(ids, here.tokenizer.encode('One day'));
  assert.is(await model.decode(ids), 'One day');
  assert.ok(equalBits(await model.logits(ids), here.model.logits(ids)));
  assert.ok(equalBits(await model.logits(ids, { last: true }), here.model.logits(ids, { last: true })));
  assert.equal(await model.evaluate(text), here.evaluate(text));
  assert.equal(model.config, here.model.config);
  assert.is(model.tokenizer, 'chars');
  assert.ok(model.sizes.packedBytes < GOOD.length);
}));

test('is loaded from bytes, a Blob, a Response and an address; bytes stay unless handed over', () =>
  withPair(async ({ remote }) => {
    const address = `data:;base64,${Buffer.from(GOOD).toString('base64')}`;
    const blob = new Blob([GOOD as Uint8Array<ArrayBuffer>]), given = GOOD.slice();
    for (const source of [given, given.buffer, blob, new Response(blob), address, new URL(address)])
      assert.is((await remote.load(source)).config.hiddenSize, 32);
    assert.is(given.length, GOOD.length);
    await remote.load(given, { transfer: true });
    assert.is(given.length, 0);
  }));

test('fails with the errors that it would fail with here', () => withPair(async ({ remote }) => {
  const file = new File(['{}'], 'no.safetensors');
  const error = await rejectsWith(remote.load(file), ModelFileError, 'NOT_SAFETENSORS');
  assert.is(error.file, 'no.safetensors');
  await rejectsWith(remote.load(new Response('', { status: 404 })), ModelFileError, 'NOT_FOUND');
  const model = await remote.load(GOOD);
  await rejectsWith(model.generate('日本').next(), TokenizerError, 'UNKNOWN_CHARACTER');
  assert.instance(await rejection(model.generate('a', { temperature: -1 }).next()), RangeError);
  assert.instance(await rejection(model.generate(5 as never).next()), TypeError);
  await rejectsWith(model.logits(new Uint32Array(17)), EngineError, 'CONTEXT_TOO_LARGE');
  await model.dispose();
  await rejectsWith(model.evaluate('One'), EngineError, 'CLOSED');
}));

test('stops when its signal says so or nobody reads on, and writes again', () =>
  withPair(async ({ remote, engine }) => {
    const model = await remote.load(GOOD);
    await whole(model.generate('One day', { maxTokens: 40 }));
    const memory = engine.heap.usedBytes;
    const stop = new AbortController(), reason = new Error('mine');
    const pieces = model.generate('One day', { maxTokens: 1e6, signal: stop.signal });
    await pieces.next();
    stop.abort(reason);
    assert.is(await rejection(pieces.next()), reason);
    assert.instance(
      await rejection(model.generate('a', { signal: AbortSignal.abort() }).next()), DOMException);
    for await (const piece of model.generate('One day', { maxTokens: 1e6 })) if (piece) break;
    await settle();
    assert.is(engine.heap.usedBytes, memory, 'their caches are freed');
    assert.is((await whole(model.generate('One day', { maxTokens: 5 }))).end.ids.length, 5);
  }));

test('is not ahead of a slow reader by more than 16 pieces', () =>
  withPair(async ({ remote, received }) => {
    const model = await remote.load(GOOD);
    const pieces = model.generate('One day', { maxTokens: 400 }), before = received();
    await pieces.next();
    await settle();
    assert.is(received() - before, 16);
    for (let i = 0; i < 20; i++) await pieces.next();
    await settle();
    const ahead = received() - before - 21;
    assert.ok(ahead >= 0 && ahead <= 16, `${ahead} pieces ahead`);
    await pieces.return(undefined as never);
  }));

test('gives the memory back that was loaded for a caller who no longer waits', () =>
  withPair(async ({ remote, engine }) => {
    const stop = new AbortController(), before = engine.heap.usedBytes;
    const loading = remote.load(GOOD, { signal: stop.signal });
    stop.abort();
    assert.is(((await rejection(loading)) as Error).name, 'AbortError');
    await settle();
    assert.is(engine.heap.usedBytes, before);
  }));

test.run();

// Generation: text that depends on model, prompt, options and seed alone, and memory that comes
// back however it ends.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EngineError, TokenizerError } from '../../src/errors.ts';
import type { BitNet } from '../../src/model/bitnet.ts';
import { EMBEDDING } from '../../src/model/tensors.ts';
import { Rng } from '../../src/rng.ts';
import type { GenerateOptions, Generation } from '../../src/sample/generate.ts';
import { generate } from '../../src/sample/generate.ts';
import { resolveSampling, sampleToken } from '../../src/sample/logits.ts';
import type { Tokenizer } from '../../src/tokenizer/tokenizer.ts';
import { rejection, rejectsWith } from '../helpers/fails.ts';
import { TINY_TEXT, tinyRun, trainTo } from '../helpers/tiny-model.ts';

interface Speaker {
  readonly model: BitNet;
  readonly tokenizer: Tokenizer;
}

function speaker(options: Parameters<typeof tinyRun>[0] = {}): Speaker {
  const run = tinyRun({ steps: 60, ...options });
  trainTo(run);
  return { model: run.trainer.model, tokenizer: run.tokenizer };
}

const CHARS = speaker();
/** Learns from text of 1 to 4 bytes a character, so it writes whole and broken ones. */
const BYTES = speaker({ text: 'Zoë isst 3 äpfel… 日本語 😀👍 '.repeat(400), tokenizer: 'bytes' });

/** A whole generation: its pieces and what it says of itself. */
async function write(
  { model, tokenizer }: Speaker, prompt: string, options: GenerateOptions = {},
): Promise<Generation & { pieces: string[]; text: string }> {
  const used = model.engine.heap.usedBytes;
  const stream = generate(model, tokenizer, prompt, options), pieces: string[] = [];
  for (;;) {
    const { done, value } = await stream.next();
    if (done) {
      assert.is(model.engine.heap.usedBytes, used, 'the cache is given back');
      return { ...value, pieces, text: pieces.join('') };
    }
    pieces.push(value);
  }
}

/** Tokens of a model without a cache: whole sequences, cut as the context demands. */
function withoutCache(
  { model, tokenizer }: Speaker, prompt: string, count: number, options: GenerateOptions,
): number[] {
  const sampling = resolveSampling(options), rng = new Rng(sampling.seed);
  const T = model.config.maxPositionEmbeddings, ids = [...tokenizer.encode(prompt)];
  const first = ids.length;
  let from = 0; // the first token that is seen
  while (ids.length < first + count) {
    if (ids.length - from > T) from = ids.length - T / 2;
    const logits = model.logits(ids.slice(from), { last: true });
    ids.push(sampleToken(logits, sampling, rng, ids, model.engine.kernels.exp));
  }
  return ids.slice(first);
}

const text = suite('generate: text');

text('is the same for the same seed, and another for another', async () => {
  const texts = [];
  for (const seed of [1, 1, 2, 3]) texts.push((await write(CHARS, 'One day', { seed })).text);
  assert.is(texts[0], texts[1]);
  assert.is(new Set(texts).size, 3);
});

text('is that of whole sequences without a cache, within and beyond the context', async () => {
  for (const options of [
    { temperature: 0 }, { seed: 4 }, { seed: 5, topK: 5, topP: 0.9 },
    { seed: 6, repetitionPenalty: 1.3, temperature: 1.2 },
  ]) for (const length of [1, 10, 15, 16, 17, 40]) {
    const prompt = TINY_TEXT.slice(0, length);
    const { ids } = await write(CHARS, prompt, { ...options, maxTokens: 40 });
    assert.equal(ids, withoutCache(CHARS, prompt, 40, options), `after ${length} tokens`);
  }
});

text('has exactly maxTokens tokens, none for 0, and says so', async () => {
  for (const maxTokens of [0, 1, 2, 50]) {
    const { ids, finishReason, promptTokens, pieces } = await write(CHARS, 'One', { maxTokens });
    assert.is(ids.length, maxTokens);
    assert.is(finishReason, 'length');
    assert.is(promptTokens, 3);
    assert.is(pieces.length, maxTokens);
  }
  assert.is((await write(CHARS, 'One')).ids.length, 256);
});

text('follows an empty prompt as it follows a line break', async () => {
  const empty = await write(CHARS, '', { seed: 3 });
  assert.is(empty.text, (await write(CHARS, '\n', { seed: 3 })).text);
  const noBreak = speaker({ text: 'abcd'.repeat(200), steps: 1 });
  assert.is((await write(noBreak, '', { maxTokens: 5 })).ids.length, 5);
});

text('is made of whole characters, and joined it is what the ids stand for', async () => {
  let broken = 0, whole = 0;
  for (let seed = 0; seed < 20; seed++) {
    const options = { seed, maxTokens: 40, temperature: 1.2 };
    const { ids, pieces, text: all } = await write(BYTES, '日本', options);
    for (const piece of pieces) assert.ok(piece !== '' && !/\p{Surrogate}/u.test(piece), piece);
    assert.is(all, BYTES.tokenizer.decode(ids));
    if (all.includes('\ufffd')) broken++;
    if (/[^\0-\x7f\ufffd]/.test(all)) whole++;
  }
  assert.ok(broken > 0 && whole > 0, 'both kinds of text were met');
});

text.run();

const stop = suite('generate: stop strings');

stop('end the text before the first of them, across tokens', async () => {
  for (const from of [CHARS, BYTES]) {
    const options = { seed: 8, maxTokens: 60, temperature: 0.5 };
    const full = await write(from, 'O', options);
    for (const [at, length] of [[0, 1], [0, 3], [5, 2], [9, 4], [20, 1]]) {
      const wanted = full.text.slice(at, at + length);
      const { text: cut, finishReason, ids } = await write(from, 'O', { ...options, stop: wanted });
      assert.is(cut, full.text.slice(0, full.text.indexOf(wanted)));
      assert.is(finishReason, 'stop');
      assert.equal(ids, full.ids.slice(0, ids.length));
      assert.ok(ids.length < 60, 'it ends early');
    }
  }
});

stop('that do not come hold nothing back for good', async () => {
  const options = { seed: 8, maxTokens: 30 };
  const full = await write(CHARS, 'O', options);
  const almost = [`${full.text.slice(-4)}¤`, `${full.text.slice(10, 13)}¤`];
  const { text: got, finishReason } = await write(CHARS, 'O', { ...options, stop: almost });
  assert.is(got, full.text);
  assert.is(finishReason, 'length');
});

stop('in the prompt do not count', async () => {
  assert.is((await write(CHARS, 'One day', { maxTokens: 1, stop: 'day' })).finishReason, 'length');
});

stop.run();

const ends = suite('generate: other ends');

const aborts = async (promise: Promise<unknown>): Promise<void> =>
  assert.is(((await rejection(promise)) as Error).name, 'AbortError');

ends('by a signal that is aborted before the start is an AbortError', async () => {
  const used = CHARS.model.engine.heap.usedBytes;
  await aborts(write(CHARS, 'One', { signal: AbortSignal.abort() }));
  assert.is(CHARS.model.engine.heap.usedBytes, used);
});

ends('by a signal in the middle is an AbortError, and gives the cache back', async () => {
  const { engine } = CHARS.model, used = engine.heap.usedBytes;
  const abort = new AbortController(), pieces: string[] = [];
  await aborts((async () => {
    for await (const piece of generate(
      CHARS.model, CHARS.tokenizer, 'One', { signal: abort.signal, maxTokens: 50 })) {
      assert.ok(engine.heap.usedBytes > used);
      if (pieces.push(piece) === 5) abort.abort();
    }
  })());
  assert.is(pieces.length, 5);
  assert.is(engine.heap.usedBytes, used);
});

ends('by a timer come though the caller never waits', async () => {
  const signal = AbortSignal.timeout(60);
  const error = await rejection(write(CHARS, 'One', { signal, maxTokens: 1e9 })) as Error;
  assert.is(error.name, 'TimeoutError');
});

ends('by leaving the loop give the cache back', async () => {
  const { engine } = CHARS.model, used = engine.heap.usedBytes;
  for await (const piece of generate(CHARS.model, CHARS.tokenizer, 'One', {})) {
    assert.ok(piece);
    break;
  }
  assert.is(engine.heap.usedBytes, used);
});

ends('by logits that are not finite are an EngineError', async () => {
  const run = tinyRun(), { weights, model } = run.trainer;
  const { ptr, rows, cols } = weights.parameter(EMBEDDING).value;
  weights.engine.f32(ptr, rows * cols).fill(NaN);
  model.invalidate();
  const used = model.engine.heap.usedBytes;
  await rejectsWith(
    write({ model, tokenizer: run.tokenizer }, 'One'), EngineError, 'NON_FINITE_LOGITS');
  assert.ok(model.engine.heap.usedBytes <= used + (1 << 20)); // the workspace of a first pass stays
});

ends('by a model that is closed are an EngineError', async () => {
  const run = tinyRun();
  run.trainer.dispose();
  const { engine } = run.trainer.model;
  await rejectsWith(
    write({ model: run.trainer.model, tokenizer: run.tokenizer }, 'O'), EngineError, 'CLOSED');
  assert.is(engine.heap.usedBytes, 0);
});

ends('by a character that the model does not know are a TokenizerError', async () => {
  await rejectsWith(write(CHARS, 'π'), TokenizerError, 'UNKNOWN_CHARACTER');
});

ends('by wrong options are a RangeError or a TypeError, and name the option', async () => {
  const refuses = async (options: object, kind: typeof RangeError, prompt: unknown = 'O') => {
    const error = await rejection(write(CHARS, prompt as string, options));
    assert.instance(error, kind);
    const [name] = Object.keys(options);
    assert.ok((error as Error).message.includes(name ?? 'prompt'), String(error));
  };
  for (const maxTokens of [-1, 1.5, NaN, Infinity]) await refuses({ maxTokens }, RangeError);
  for (const temperature of [-1, NaN, Infinity]) await refuses({ temperature }, RangeError);
  for (const topP of [0, 1.1, -1]) await refuses({ topP }, RangeError);
  for (const options of [{ topK: 1.5 }, { minP: 2 }, { repetitionPenalty: 0 }, { seed: -1 }])
    await refuses(options, RangeError);
  for (const stop of ['', [''], ['a', ''], [1]]) await refuses({ stop }, RangeError);
  for (const options of [{ maxTokens: '5' }, { temperature: null }])
    await refuses(options, TypeError);
  await refuses({}, TypeError, 5);
});

ends.run();

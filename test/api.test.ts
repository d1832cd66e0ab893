// The public entries: what they export, and training, loading and running through them alone.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as core from '../src/core.ts';
import * as onebit from '../src/index.ts';
import { embeddedModule } from '../src/wasm/embedded.ts';
import { rejection, rejectsWith } from './helpers/fails.ts';
import { throwsA } from './helpers/throws.ts';
import { TINY, TINY_TEXT, sameBytes } from './helpers/tiny-model.ts';

const { createEngine, load, train } = onebit;

/** A tiny trained model, made once. */
const trained = train({ ...TINY, steps: 20 });

const exports = suite('the entries');

exports('export the same names', () => {
  assert.equal(Object.keys(core).sort(), Object.keys(onebit).sort());
});

exports('export everything that the documents name, and nothing that is undefined', () => {
  for (const name of [
    'createEngine', 'load', 'train', 'LanguageModel', 'BitNet', 'KvCache', 'Trainer', 'Engine',
    'Rng', 'prepareRun', 'trainingOptions', 'encodeCheckpoint', 'restoreCheckpoint', 'encodeModel',
    'readModelHeader', 'modelSizes', 'evaluate', 'presetConfig', 'PRESETS', 'createTokenizer',
    'tokenizerFromJson', 'encodeSafetensors', 'decodeSafetensors', 'quantizeSign', 'quantizeAbsmax',
    'quantizeAbsmean', 'withStories',
  ]) assert.ok(name in onebit, name);
  for (const [name, value] of Object.entries(onebit)) assert.is.not(value, undefined, name);
});

exports('export errors that are of one family, with codes and facts', () => {
  for (const Kind of [
    onebit.CheckpointError, onebit.EngineError, onebit.ModelFileError, onebit.TokenizerError,
    onebit.TrainingError,
  ]) {
    const cause = new Error('deep'), error = new Kind('CODE', 'a\u001bb', { file: 'f', cause });
    assert.instance(error, onebit.OnebitError);
    assert.instance(error, Error);
    assert.is(error.name, Kind.name);
    assert.equal([error.code, error.file, error.cause], ['CODE', 'f', cause]);
    assert.is(error.message, 'a\\u001bb');
    assert.is(new Kind('CODE', 'x'.repeat(1000)).message.length, 300);
  }
});

exports.run();

const never = (): never => assert.unreachable('a step was done') as never;

const training = suite('train');

training('and load pack embeddings and head where they are told to', async () => {
  const { bytes } = await trained, small = await train({ ...TINY, steps: 20, embeddings: 'i8' });
  assert.ok(small.bytes.length < bytes.length);
  const again = await load(small.bytes), packed = await load(bytes, { embeddings: 'i8' });
  const tail = TINY_TEXT.slice(-2000), { loss } = small.model.evaluate(tail);
  assert.is(again.evaluate(tail).loss, loss);
  assert.is(packed.evaluate(tail).loss, loss);
  assert.is.not((await load(bytes)).evaluate(tail).loss, loss);
  let text = '';
  for await (const piece of again.generate('The', { maxTokens: 5, kvCacheType: 'f16' })) text += piece;
  assert.is(text.length, 5);
  await rejection(load(bytes, { embeddings: 'b1' as never }));
});

training('gives a packed model, the same loaded, and its loss', async () => {
  const { bytes, model, validation } = await trained;
  assert.ok(validation.loss < 3.4 && validation.tokens > 1000);
  const again = await load(bytes);
  const tail = TINY_TEXT.slice(Math.floor(TINY_TEXT.length * 0.9));
  assert.is(again.evaluate(tail).loss, validation.loss);
  assert.is(model.evaluate(tail).loss, validation.loss);
});

training('gives the same bytes for the same options', async () => {
  const [a, b] = await Promise.all([1, 2].map(() => train({ ...TINY, seed: 5 })));
  sameBytes(a.bytes, b.bytes);
});

training('calls onStep once a step, in order', async () => {
  const steps: number[] = [];
  await train({ ...TINY, steps: 7, onStep: ({ step }) => void steps.push(step) });
  assert.equal(steps, [1, 2, 3, 4, 5, 6, 7]);
});

training('ends with an AbortError, early and late, and gives its memory back', async () => {
  const engine = createEngine();
  const early = train({ ...TINY, engine, signal: AbortSignal.abort(), onStep: never });
  assert.is(((await rejection(early)) as Error).name, 'AbortError');
  const abort = new AbortController();
  let last = 0;
  const run = train({
    ...TINY, engine, signal: abort.signal,
    onStep: ({ step }) => (last = step) === 3 && abort.abort(),
  });
  assert.is(((await rejection(run)) as Error).name, 'AbortError');
  assert.is(last, 3);
  assert.is(engine.heap.usedBytes, 0);
});

training('gives its memory back if a callback throws', async () => {
  const engine = createEngine();
  const error = await rejection(train({ ...TINY, engine, onStep: () => {
    throw new Error('mine');
  } }));
  assert.is((error as Error).message, 'mine');
  assert.is(engine.heap.usedBytes, 0);
});

training('lets timers run while it works', async () => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  await train({ ...TINY, steps: 150 });
  clearInterval(timer);
  assert.ok(ticks > 0);
});

training('refuses what cannot be trained, before it begins', async () => {
  const onStep = never, { TrainingError } = onebit;
  for (const options of [
    { steps: 0 }, { batch: 0 }, { accumulation: 1.5 }, { learningRate: NaN }, { learningRate: -1 },
    { width: 31 }, { heads: 3 }, { preset: 'x' as 'bitnet' }, { seed: -1 }, { context: 0 },
    { config: { quantizationGroups: 3 } }, { schedule: 'x' as 'polynomial' },
  ]) await rejectsWith(train({ ...TINY, ...options, onStep }), TrainingError, 'BAD_CONFIG');
  for (const text of ['', 'ab', 'a short text'])
    await rejectsWith(train({ ...TINY, text, onStep }), TrainingError, 'BAD_DATA');
});

training.run();

const loading = suite('load');

loading('takes bytes, a buffer, a view, a Blob and a Response', async () => {
  const { bytes, validation } = await trained;
  const copy = bytes.slice(), buffer = copy.buffer;
  const framed = new Uint8Array(bytes.length + 30);
  framed.set(bytes, 13);
  const tail = TINY_TEXT.slice(Math.floor(TINY_TEXT.length * 0.9));
  for (const source of [
    bytes, buffer, framed.subarray(13, 13 + bytes.length), Buffer.from(bytes),
    new Blob([copy]), new Response(copy),
  ]) assert.is((await load(source)).evaluate(tail).loss, validation.loss);
});

loading('fetches from an address', async () => {
  const { bytes, validation } = await trained;
  const url = `data:application/octet-stream;base64,${Buffer.from(bytes).toString('base64')}`;
  const tail = TINY_TEXT.slice(Math.floor(TINY_TEXT.length * 0.9));
  for (const source of [url, new URL(url)])
    assert.is((await load(source)).evaluate(tail).loss, validation.loss);
});

loading('says NOT_FOUND if there is nothing to be had', async () => {
  const { ModelFileError } = onebit;
  await rejectsWith(load(new Response('gone', { status: 404 })), ModelFileError, 'NOT_FOUND');
  for (const source of ['no-such-file.bin', 'data:nothing'])
    await rejectsWith(load(source), ModelFileError, 'NOT_FOUND');
});

loading('ends a download with an AbortError', async () => {
  const error = await rejection(load('data:,x', { signal: AbortSignal.abort() }));
  assert.is((error as Error).name, 'AbortError');
});

loading('refuses what is no model', async () => {
  const { ModelFileError } = onebit;
  await rejectsWith(load(new Uint8Array(0)), ModelFileError, 'TRUNCATED');
  await rejectsWith(load(new Response('<html>')), ModelFileError, 'NOT_SAFETENSORS');
  await rejectsWith(load(onebit.encodeSafetensors([])), ModelFileError, 'NOT_ONEBIT');
});

loading.run();

const engines = suite('engines');

engines('side by side do not disturb each other', async () => {
  const { bytes } = await trained;
  const [a, b] = [await load(bytes), await load(bytes)];
  const text = async (model: typeof a, seed: number): Promise<string> => {
    let all = '';
    for await (const piece of model.generate('One', { seed, maxTokens: 60 })) all += piece;
    return all;
  };
  const alone = [await text(a, 1), await text(b, 2)];
  assert.equal(await Promise.all([text(a, 1), text(b, 2)]), alone);
  assert.equal(await Promise.all([text(a, 1), text(a, 2)]), alone, 'nor do two texts of one model');
  const training = train({ ...TINY, engine: a.model.engine });
  assert.is(await text(a, 1), alone[0], 'nor does training beside it');
  sameBytes((await training).bytes, (await train(TINY)).bytes);
  b.model.engine.dispose();
  assert.is(await text(a, 1), alone[0]);
});

engines('are made of the embedded kernels, or of a module that is given', () => {
  const module = embeddedModule();
  for (const engine of [
    createEngine({ threads: 1 }), createEngine({ module }), core.createEngine({ module }),
    createEngine({ module: undefined, threads: 1 }),
  ]) assert.is(engine.info.threads, 1);
  assert.is(createEngine({ threads: 2 }).info.threads, 2);
  for (const threads of [0, 65, 1.5, NaN])
    throwsA(() => createEngine({ threads }), RangeError, 'threads');
});

engines('give the same bytes and text with any number of threads', async () => {
  const options = { ...TINY, width: 128, batch: 8, context: 32, steps: 3 };
  const runs = [];
  for (const threads of [1, 2, 3]) {
    const engine = createEngine({ threads });
    const { bytes, model } = await train({ ...options, engine });
    let text = '';
    for await (const piece of model.generate('One', { maxTokens: 40 })) text += piece;
    runs.push({ bytes, text, loss: model.evaluate(TINY_TEXT).loss });
    model.dispose();
    assert.is(engine.heap.usedBytes, 0);
    engine.dispose();
  }
  for (const { bytes, text, loss } of runs.slice(1)) {
    sameBytes(bytes, runs[0].bytes);
    assert.is(text, runs[0].text);
    assert.is(loss, runs[0].loss);
  }
});

engines('have the memory they are allowed', async () => {
  const { bytes } = await trained, maxMemory = 4 << 20;
  const engine = createEngine({ maxMemory });
  await rejectsWith(train({ ...TINY, width: 256, engine }), onebit.EngineError, 'OUT_OF_MEMORY');
  assert.is(engine.heap.usedBytes, 0);
  assert.ok(engine.info.memoryBytes <= maxMemory);
  (await load(bytes, { engine })).dispose();
});

engines('refuse a module that is not the kernels', () => {
  const empty = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  try {
    createEngine({ module: empty });
    assert.unreachable();
  } catch (error) {
    assert.is((error as onebit.EngineError).code, 'NO_WASM');
  }
});

engines.run();

// Embeddings against the model written out in f64, and what must not change them.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OnebitError } from '../../src/errors.ts';
import type { ChatModel, EmbedOptions } from '../../src/models.ts';
import { load } from '../../src/models.ts';
import { createEngine, load as loadOwn } from '../../src/index.ts';
import { close, sameBits } from '../helpers/close.ts';
import { tinyModel } from '../helpers/tiny-model.ts';
import { edited } from './gguf-edit.ts';
import { GOLDEN_IDS, goldenFile } from './golden-files.ts';
import { referenceModel } from './reference.ts';

/** f32 sums of some hundred terms in another order than f64's. */
const FLOATS = { name: 'f32 against f64', absolute: 2e-5, relative: 1e-4 };
const QWEN = goldenFile('qwen3-tiny-q1_0.gguf');
const LONG = Array.from({ length: 600 }, (_, i) => (i * 37) % 512);

/** One vector out of states f64[T, C]. */
function pooled(states: ArrayLike<number>, width: number, pooling: 'last' | 'mean'): number[] {
  const rows = states.length / width;
  return Array.from({ length: width }, (_, c) => {
    if (pooling === 'last') return states[(rows - 1) * width + c];
    let sum = 0;
    for (let t = 0; t < rows; t++) sum += states[t * width + c];
    return sum / rows;
  });
}

const length = (vector: ArrayLike<number>): number => Math.hypot(...Array.from(vector));

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as OnebitError).code ?? (error as Error).name;
  }
  return 'nothing';
};

const test = suite('embed');

for (const [name, activations] of [
  ['llama-tiny-f32.gguf.gz', undefined], ['qwen3-tiny-q1_0.gguf', 'f32'], ['bitnet-tiny-tq2_0.gguf', 'f32'],
] as const)
  test(`${name}: last and mean of the states are those of the model written out in f64`, async () => {
    const bytes = goldenFile(name), states = (await referenceModel(bytes)).hidden(GOLDEN_IDS);
    using model = await load(bytes, { threads: 1, activations, contextLength: 64 });
    for (const pooling of ['last', 'mean'] as const) {
      const expected = pooled(states, 256, pooling), size = length(expected);
      close(model.embed(GOLDEN_IDS, { pooling, normalize: false }), expected, FLOATS, pooling);
      close(model.embed(GOLDEN_IDS, { pooling }), expected.map((value) => value / size), FLOATS, pooling);
    }
  });

test('has length 1 unless normalize is false, and last is the default', async () => {
  using model = await load(QWEN, { threads: 1 });
  assert.ok(Math.abs(length(model.embed('Hello')) - 1) < 1e-6);
  assert.ok(Math.abs(length(model.embed('Hello', { normalize: false })) - 1) > 1e-2);
  sameBits(model.embed('Hello'), model.embed(model.tokenize('Hello'), { pooling: 'last' }));
});

test('is the same bits alone, beside other texts, in pieces and on more threads', async () => {
  const options: readonly EmbedOptions[] = [{}, { pooling: 'mean' }, { pooling: 'mean', normalize: false }];
  const all = (model: ChatModel): Float32Array[] =>
    options.flatMap((one) => [GOLDEN_IDS, LONG].map((ids) => model.embed(ids, one)));
  using one = await load(QWEN, { threads: 1 }), two = await load(QWEN, { threads: 2 });
  const expected = all(one);
  one.embed('Something else');
  await one.generate('Hello', { maxTokens: 4 }).text();
  for (const model of [one, two])
    all(model).forEach((vector, i) => sameBits(vector, expected[i], `embedding ${i}`));
  const states = one.model.hidden(LONG);
  sameBits(expected[5], Float32Array.from(pooled(states, 256, 'mean')), 'mean of pieces');
  sameBits(one.embed(LONG, { normalize: false }), states.subarray(-256), 'last of pieces');
});

test('gives all of its memory back', async () => {
  using engine = createEngine({ threads: 1 });
  using model = await load(QWEN, { engine });
  model.embed(LONG);
  const before = engine.heap.usedBytes;
  model.embed(LONG, { pooling: 'mean' });
  assert.is(engine.heap.usedBytes, before);
});

test('pools and ends texts as the file says', async () => {
  const file = (type: number): Promise<Uint8Array> => edited(QWEN, { metadata: {
    'qwen3.pooling_type': { type: 'u32', value: type },
    'tokenizer.ggml.add_eos_token': { type: 'bool', value: 1 },
  } });
  using mean = await load(await file(1), { threads: 1 }), last = await load(await file(3), { threads: 1 });
  const ids = [...mean.tokenize('Hello'), 346];
  sameBits(mean.embed('Hello'), mean.embed(ids, { pooling: 'mean' }));
  sameBits(last.embed('Hello'), mean.embed(ids, { pooling: 'last' }));
  using first = await load(await file(2), { threads: 1 });
  assert.is(codeOf(() => first.embed('Hello')), 'UNSUPPORTED');
  sameBits(first.embed('Hello', { pooling: 'mean' }), mean.embed('Hello'));
});

test('refuses no text, ids that are none, too many of them, and options that it does not know', async () => {
  using model = await load(QWEN, { threads: 1, contextLength: 400 });
  assert.is(codeOf(() => model.embed('')), 'RangeError');
  assert.is(codeOf(() => model.embed([512])), 'BAD_TOKEN_ID');
  assert.is(codeOf(() => model.embed(LONG)), 'CONTEXT_TOO_LARGE');
  assert.is(codeOf(() => model.embed('a', { pooling: 'cls' as never })), 'RangeError');
  model.dispose();
  assert.is(codeOf(() => model.embed('a')), 'CLOSED');
});

test('our own models embed, too', async () => {
  using model = await loadOwn(tinyModel({ preset: 'bitnet' }), { engine: createEngine({ threads: 1 }) });
  const vector = model.embed('A lamb', { pooling: 'mean' });
  assert.is(vector.length, 32);
  sameBits(vector, model.embed(model.tokenizer.encode('A lamb'), { pooling: 'mean' }));
});

test.run();

// Scales beside matrices and factors of rotary frequencies, against the model written out in f64.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { OnebitError } from '../../src/errors.ts';
import { ModelFileError } from '../../src/errors.ts';
import { createEngine } from '../../src/index.ts';
import { bytesSource } from '../../src/io/byte-source.ts';
import { readGguf } from '../../src/io/gguf.ts';
import type { Activations } from '../../src/models.ts';
import { convertModel, load } from '../../src/models.ts';
import { encodeF16 } from '../../src/ref/half.ts';
import type { TestTensor } from '../io/gguf-file.ts';
import { close, sameBits } from '../helpers/close.ts';
import { rejectsWith } from '../helpers/fails.ts';
import { edited, floatTensor } from './gguf-edit.ts';
import { GOLDEN_IDS, goldenFile } from './golden-files.ts';
import { referenceModel } from './reference.ts';

/** As far as the golden files allow logits of floats to be from llama.cpp's. */
const FLOATS = { name: 'f32 against f64', absolute: 1e-3, relative: 0 };
const LLAMA = goldenFile('llama-tiny-f32.gguf.gz'), TERNARY = goldenFile('bitnet-tiny-tq2_0.gguf');
const BINARY = goldenFile('qwen3-tiny-q1_0.gguf');
const MATRICES = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'];
/** What Llama 3 does: the fast pairs as they are, the slow ones slower. */
const ROPE_FACTORS = floatTensor(
  'rope_freqs.weight', Array.from({ length: 32 }, (_, i) => (i < 8 ? 1 : 1 + (i - 7) / 3)));

/** A scale for every matrix of both layers, each another. */
const SCALES = MATRICES.flatMap((matrix, i) => [0, 1].map((layer) =>
  floatTensor(`blk.${layer}.${matrix}.scale`, [0.7 + 0.11 * i + 0.05 * layer])));

async function logitsOf(bytes: Uint8Array, activations?: Activations): Promise<Float32Array> {
  using model = await load(bytes, { threads: 1, activations, contextLength: 64 });
  return model.logits(GOLDEN_IDS);
}

const largest = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

async function codeOf(bytes: Uint8Array): Promise<string> {
  using engine = createEngine({ threads: 1 });
  const before = engine.heap.usedBytes;
  try {
    await load(bytes, { engine });
  } catch (error) {
    assert.is(engine.heap.usedBytes, before);
    const { code, field } = error as OnebitError;
    return `${code} ${field}`;
  }
  return 'nothing';
}

const test = suite('numbers beside the weights');

for (const [name, file, tensors] of [
  ['rope_freqs.weight', LLAMA, [ROPE_FACTORS]],
  ['a scale of every matrix', LLAMA, SCALES],
  ['scales of query and up alone', LLAMA, SCALES.filter(({ name }) => /attn_q|ffn_up/.test(name))],
  ['both, with packed weights', TERNARY, [ROPE_FACTORS, ...SCALES]],
] as const)
  test(`${name}: logits are those of the model written out in f64, and not those without`, async () => {
    const bytes = await edited(file, { tensors });
    const ours = await logitsOf(bytes, file === TERNARY ? 'f32' : undefined);
    close(ours, (await referenceModel(bytes)).logits(GOLDEN_IDS), FLOATS);
    assert.ok(largest(ours, await logitsOf(file, file === TERNARY ? 'f32' : undefined)) > 0.05);
  });

/** The projections with half of each block's scale, which is an f16 in each block of so many bytes. */
async function halved(bytes: Uint8Array, block: number, from: number): Promise<TestTensor[]> {
  const file = await readGguf(bytesSource(bytes)), tensors = [...file.tensors.values()];
  return tensors.filter(({ name }) => MATRICES.some((matrix) => name.endsWith(`${matrix}.weight`)))
    .map(({ name, dims, typeId, offset, bytes: length }) => {
      const data = bytes.slice(offset, offset + length), view = new DataView(data.buffer);
      for (let at = from; at < data.length; at += block)
        view.setUint16(at, view.getUint16(at, true) - 0x400, true);
      return { name, dims, typeId, data };
    });
}

for (const [kind, file, block, from] of [['TQ2_0', TERNARY, 66, 64], ['Q1_0', BINARY, 18, 0]] as const)
  for (const activations of ['i8', 'q8_k', 'block', 'f32'] as const)
    test(`half the weights and scales of 2 beside them: the same bits, ${kind}, ${activations}`, async () => {
      const twos = SCALES.map(({ name }) => floatTensor(name, [2]));
      const tensors = [...await halved(file, block, from), ...twos];
      assert.is(tensors.length, 28);
      const ours = await logitsOf(await edited(file, { tensors }), activations);
      sameBits(ours, await logitsOf(file, activations));
    });

test('a scale beside halves counts, and so does one beside the head', async () => {
  const values = Float32Array.from({ length: 512 * 256 }, (_, i) => ((i * 37) % 64 - 31.5) / 512);
  const head = {
    name: 'output.weight', dims: [256, 512], typeId: 1,
    data: new Uint8Array(Uint16Array.from(values, encodeF16).buffer),
  };
  const bytes = await edited(LLAMA, { tensors: [head, floatTensor('output.scale', [0.5])] });
  close(await logitsOf(bytes), (await referenceModel(bytes)).logits(GOLDEN_IDS), FLOATS);
  const without = await edited(LLAMA, { tensors: [head] });
  const [half, whole] = await Promise.all([bytes, without].map(async (file) => {
    using model = await load(file, { threads: 1, contextLength: 64, embeddings: 'i8' });
    return model.logits(GOLDEN_IDS);
  }));
  sameBits(half, whole.map((value) => value * 0.5), 'beside codes');
});

test('are met on any number of threads and in any pieces alike', async () => {
  using model = await load(
    await edited(TERNARY, { tensors: [ROPE_FACTORS, ...SCALES] }), { threads: 2, contextLength: 64 });
  const cache = model.model.createCache(16), whole = model.logits(GOLDEN_IDS);
  for (const [i, id] of GOLDEN_IDS.entries())
    sameBits(model.model.logits([id], { cache }), whole.subarray(i * 512, (i + 1) * 512), `token ${i}`);
  cache.dispose();
});

test('that are no such numbers are refused by name, and so is what is not understood', async () => {
  const refused = async (tensor: TestTensor, expected: string): Promise<void> =>
    assert.is(await codeOf(await edited(TERNARY, { tensors: [tensor] })), expected);
  const scale = 'blk.0.attn_q.scale', rope = 'rope_freqs.weight';
  await refused(floatTensor(scale, [1, 2]), `SHAPE_MISMATCH ${scale}`);
  await refused(floatTensor(rope, [1, 2]), `SHAPE_MISMATCH ${rope}`);
  await refused({ name: scale, dims: [1], typeId: 1, data: new Uint8Array(2) },
    `UNSUPPORTED_TENSOR_TYPE ${scale}`);
  await refused(floatTensor(scale, [NaN]), `NON_FINITE_WEIGHT ${scale}`);
  await refused(floatTensor(rope, new Float32Array(32)), `BAD_HPARAM ${rope}`);
  await refused(floatTensor('blk.0.attn_q.input_scale', [1]), 'UNSUPPORTED_TENSOR blk.0.attn_q.input_scale');
  await refused(floatTensor('token_embd.scale', [1]), 'UNSUPPORTED_TENSOR token_embd.scale');
});

test('that other files have no place for are not lost: the file is not converted', async () => {
  for (const tensor of [ROPE_FACTORS, SCALES[0]]) {
    const bytes = await edited(LLAMA, { tensors: [tensor] });
    const error = await rejectsWith(convertModel(bytes, { to: 'huggingface' }).then(async ({ files }) => {
      for (const { chunks } of files) for await (const _ of chunks());
    }), ModelFileError, 'UNSUPPORTED');
    assert.is(error.field, tensor.name);
  }
});

test.run();

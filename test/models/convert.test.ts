/** Models from one kind of file to another and back: the same tensors, the same logits. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import { ModelFileError, TokenizerError } from '../../src/errors.ts';
import { decodeSafetensors } from '../../src/io/safetensors.ts';
import { collect } from '../../src/io/chunks.ts';
import { bytesSource } from '../../src/io/byte-source.ts';
import { readGguf } from '../../src/io/gguf.ts';
import type { BitNetConfig } from '../../src/model/config.ts';
import { presetConfig } from '../../src/model/config.ts';
import { encodeModel } from '../../src/model/file.ts';
import type { Converted, ConvertOptions } from '../../src/models.ts';
import { convertModel, load } from '../../src/models.ts';
import { openLanguageModel } from '../../src/sample/language-model.ts';
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts';
import { rejectsWith } from '../helpers/fails.ts';
import type { Files } from '../helpers/hf-model.ts';
import { hfFiles, smallModel } from '../helpers/hf-model.ts';
import {
  TINY_TEXT, equalBits, modelBytes, newEngine, randomModel, sameBytes, tinyRun, trainTo,
} from '../helpers/tiny-model.ts';

type Source = Parameters<typeof load>[0];

const IDS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8];
/** One for all: starting an engine takes longer than most tests. */
const ENGINE = newEngine();
const CHARS = createTokenizer('chars', TINY_TEXT), BYTES = createTokenizer('bytes', '');

/** A file of ours with random weights. */
function ownFile(changes: Partial<BitNetConfig> = {}, tokenizer = CHARS, options = {}): Uint8Array {
  const size = { vocabSize: tokenizer.vocabSize, layers: 1, heads: 4, width: 64, context: 32 };
  const { model, weights } = randomModel(
    presetConfig('bitnet-b1.58', size, { tieWordEmbeddings: true, ...changes }), ENGINE);
  const bytes = encodeModel(model, weights, tokenizer.toJson(), options);
  model.dispose();
  return bytes;
}

/** Files by name, of which a single one is taken by itself. */
async function converted(source: Parameters<typeof load>[0], options: ConvertOptions): Promise<Files> {
  const result = await convertModel(source, options), files: Files = {};
  for (const file of result.files) {
    files[file.name] = await collect(file);
    assert.is(files[file.name].length, file.size);
  }
  await result.close();
  return files;
}

const toGguf = async (source: Source, options: Partial<ConvertOptions> = {}): Promise<Uint8Array> =>
  (await converted(source, { to: 'gguf', ...options }))['model.gguf'];
const toOwn = async (source: Parameters<typeof load>[0]): Promise<Uint8Array> =>
  (await converted(source, { to: 'onebit' }))['model.onebit.safetensors'];

/** Logits by the reader of our own files, which is older than what is tested here. */
function ownLogits(bytes: Uint8Array): Float32Array {
  using model = openLanguageModel(ENGINE, bytes);
  return model.model.logits(IDS);
}

async function logitsOf(source: Parameters<typeof load>[0]): Promise<Float32Array> {
  using model = await load(source, { engine: ENGINE });
  return model.logits(IDS);
}

async function typesOf(gguf: Uint8Array): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { type } of (await readGguf(bytesSource(gguf))).tensors.values())
    counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}

/** Tensors, configuration and tokenizer are the same. */
function sameModel(actual: Uint8Array, expected: Uint8Array): void {
  const a = decodeSafetensors(actual), b = decodeSafetensors(expected);
  const [read, written] = [a, b].map(({ metadata }) => JSON.parse(metadata.get('config')!) as BitNetConfig);
  assert.equal(read, { headDim: 16, ...written });
  assert.is(a.metadata.get('tokenizer'), b.metadata.get('tokenizer'));
  assert.equal([...a.tensors.keys()].sort(), [...b.tensors.keys()].sort());
  for (const [name, { data, dtype }] of b.tensors) {
    assert.is(a.tensors.get(name)!.dtype, dtype, name);
    sameBytes(a.tensors.get(name)!.data, data, name);
  }
}

const test = suite('convertModel');

test('a model that was trained is the same in GGUF, and in our file again', async () => {
  const config = { tieWordEmbeddings: true };
  const run = tinyRun({ preset: 'bitnet-b1.58', config, steps: 6, width: 64, heads: 4 });
  trainTo(run);
  const own = modelBytes(run), gguf = await toGguf(own);
  assert.ok(equalBits(await logitsOf(gguf), ownLogits(own)));
  sameModel(await toOwn(gguf), own);
});

for (const [weights, width, intermediateSize, type, expected] of [
  ['t2', 256, 512, undefined, 'TQ2_0'], ['b1', 128, 256, undefined, 'Q1_0'], ['t2', 64, 96, undefined, 'F16'],
  ['t2', 64, 128, 'q2_0', 'Q2_0'], ['b1', 256, 256, 'tq2_0', 'TQ2_0'], ['t2', 64, 96, 'f32', 'F32'],
] as const)
  test(`${weights} of width ${width} is ${expected} in GGUF, and loses nothing`, async () => {
    const own = ownFile({ weights, hiddenSize: width, intermediateSize });
    const gguf = await toGguf(own, { type }), counts = await typesOf(gguf);
    assert.is(counts[expected], expected === 'F32' ? 7 + 7 + 5 + 1 : 7, JSON.stringify(counts));
    assert.ok(equalBits(await logitsOf(gguf), ownLogits(own)));
    if (width === 64 && expected !== 'Q2_0') sameModel(await toOwn(gguf), own);
  });

for (const [name, changes] of [
  ['relu2', { hiddenAct: 'relu2' }], ['a head of its own', { tieWordEmbeddings: false }],
  ['grouped heads', { numKeyValueHeads: 2 }],
] as const)
  test(`${name}: GGUF and a Hugging Face folder have the same logits`, async () => {
    const own = ownFile(changes);
    for (const to of ['gguf', 'huggingface'] as const) {
      const files = await converted(own, { to });
      const there = to === 'gguf' ? files['model.gguf'] : files;
      assert.ok(equalBits(await logitsOf(there), ownLogits(own)), to);
      sameModel(await toOwn(there), own);
    }
  });

test('without sub-norms it is a llama or a qwen3; GGUF rounds the scales of blocks alone', async () => {
  for (const changes of [{ subNorms: false }, { subNorms: false, queryKeyNorms: true }]) {
    const own = ownFile({ ...changes, intermediateSize: 128 }), expected = ownLogits(own);
    const folder = await converted(own, { to: 'huggingface' });
    assert.ok(equalBits(await logitsOf(folder), expected));
    const written = await toGguf(own, { type: 'f32' });
    assert.ok(equalBits(await logitsOf(written), expected), 'floats have the scale as it is');
    const blocks = await logitsOf(await toGguf(own, { type: 'q2_0' }));
    const square = (sum: number, value: number): number => sum + value * value;
    const differences = blocks.map((value, i) => value - expected[i]);
    const error = Math.sqrt(differences.reduce(square, 0) / expected.reduce(square, 0));
    assert.ok(error > 0 && error < 0.05, `${error} of the logits' size`);
  }
});

test('±1 weights become ternary ones in a Hugging Face folder, with the same logits', async () => {
  const own = ownFile({ weights: 'b1' });
  assert.ok(equalBits(await logitsOf(await converted(own, { to: 'huggingface' })), ownLogits(own)));
});

test('embeddings are as they were, or halves where that is asked for', async () => {
  const own = ownFile({}, CHARS, { embeddings: 'f16' });
  const type = async (bytes: Uint8Array): Promise<string> =>
    (await readGguf(bytesSource(bytes))).tensors.get('token_embd.weight')!.type;
  assert.is(await type(await toGguf(own)), 'F16');
  assert.is(await type(await toGguf(own, { embeddings: 'f32' })), 'F32');
  assert.is(await type(await toGguf(ownFile(), { embeddings: 'f16' })), 'F16');
  assert.is(await type(await toGguf(ownFile({}, CHARS, { embeddings: 'i8' }))), 'F32');
  assert.ok(equalBits(await logitsOf(await toGguf(own)), ownLogits(own)));
});

test('a folder of packed or of master weights becomes the same file of ours', async () => {
  const model = smallModel(), [packed, latent] = await Promise.all(
    (['multiplies', 'latent'] as const).map((as) => toOwn(hfFiles(model, { as }))));
  sameBytes(packed, latent);
  assert.ok(equalBits(await logitsOf(packed), await logitsOf(hfFiles(model, { as: 'multiplies' }))));
  const ends = hfFiles(model, { as: 'latent', json: { eos_token_id: 22 } });
  using loaded = await load(await toOwn(ends), { engine: ENGINE });
  assert.equal(loaded.tokenizer.endTokens, [22]);
});

test('a ternary GGUF file of another program becomes ours, in two steps a folder', async () => {
  const gguf = new Uint8Array(readFileSync('test/goldens/bitnet-tiny-tq2_0.gguf'));
  const own = await toOwn(gguf);
  assert.ok(equalBits(await logitsOf(own), await logitsOf(gguf)));
  assert.ok(equalBits(await logitsOf(await converted(own, { to: 'huggingface' })), await logitsOf(gguf)));
  using a = await load(gguf, { engine: ENGINE });
  using b = await load(own, { engine: ENGINE });
  const text = 'Hello, wörld! 12345\n\n  <|im_end|>';
  const [idsA, idsB] = [a, b].map(({ tokenizer }) => tokenizer.encode(text, { allowSpecial: true }));
  assert.equal(idsB, idsA);
  const all = Array.from({ length: a.plan.config.vocabSize }, (_, id) => id);
  assert.is(b.detokenize(all), a.detokenize(all), 'unused tokens are no text');
  assert.equal(b.tokenizer.endTokens, a.tokenizer.endTokens);
});

for (const [kind, tokenizer] of [
  ['chars', CHARS], ['bytes', BYTES], ['bpe', createTokenizer('bpe', TINY_TEXT, { vocabSize: 300 })],
] as const)
  test(`a tokenizer of kind ${kind} gives the same ids and text in every kind of file`, async () => {
    const own = ownFile({}, tokenizer), text = TINY_TEXT.slice(100, 400);
    const ids = tokenizer.encode(text), folder = await converted(own, { to: 'huggingface' });
    for (const source of [own, await toGguf(own), folder]) {
      using model = await load(source, { engine: ENGINE });
      assert.equal(model.tokenize(text), ids);
      assert.is(model.detokenize(ids), text);
      assert.equal(model.tokenizer.endTokens, []);
      assert.equal(model.promptIds(text), ids, 'nothing is put before it');
    }
  });

test('what cannot be written is refused by name', async () => {
  const refused = async (source: Source, options: ConvertOptions, field: string): Promise<void> => {
    const error = await rejectsWith(converted(source, options), ModelFileError, 'UNSUPPORTED');
    assert.is(error.field, field);
  };
  for (const to of ['gguf', 'huggingface'] as const)
    for (const [changes, field] of [
      [{ normType: 'layernorm' }, 'normType'], [{ hiddenAct: 'gelu' }, 'hiddenAct'],
      [{ gatedMlp: false }, 'gatedMlp'],
      [{ positionEmbedding: 'learned' }, 'positionEmbedding'], [{ activationBits: 4 }, 'activationBits'],
      [{ quantizationGroups: 2 }, 'quantizationGroups'], [{ shiftedMlpInput: true }, 'shiftedMlpInput'],
      [{ queryKeyNorms: true }, 'queryKeyNorms'],
      [{ activationQuantization: 'elastic' }, 'activationQuantization'],
      [{ productNorms: true, subNorms: false }, 'productNorms'],
    ] as const) await refused(ownFile(changes), { to }, field);
  const own = ownFile(), up = 'model.layers.0.self_attn.q_proj.weight';
  await refused(own, { to: 'gguf', type: 'tq2_0' }, up);
  await refused(own, { to: 'gguf', type: 'q1_0' }, up);
  await refused(ownFile({ weights: 'f32', subNorms: false }), { to: 'gguf', type: 'tq2_0' }, up);
  await refused(ownFile({ weights: 'f32' }), { to: 'huggingface' }, 'weights');
  await refused(own, { to: 'onebit' }, 'the model');
  await refused(own, { to: 'huggingface', type: 'f16' }, 'type');
  const blocks = new Uint8Array(readFileSync('test/goldens/qwen3-tiny-q1_0.gguf'));
  await refused(blocks, { to: 'onebit' }, 'blk.0.attn_q.weight');
  const real = await toOwn(new Uint8Array(readFileSync('test/goldens/bitnet-tiny-tq2_0.gguf')));
  await rejectsWith(convertModel(real, { to: 'gguf' }), TokenizerError, 'UNSUPPORTED');
  await rejectsWith(convertModel('no/such.gguf', { to: 'onebit' }), ModelFileError, 'NOT_FOUND');
});

test('weights that are not what onebit.weights says are INVALID_CODE', async () => {
  const gguf = await toGguf(ownFile()), { tensors } = await readGguf(bytesSource(gguf));
  gguf.set([0x00, 0x38], tensors.get('blk.0.ffn_up.weight')!.offset); // 0.5 beside 1
  const error = await rejectsWith(load(gguf, { engine: ENGINE }), ModelFileError, 'INVALID_CODE');
  assert.is(error.field, 'blk.0.ffn_up.weight');
  await rejectsWith(toOwn(gguf), ModelFileError, 'INVALID_CODE');
});

test('a scale beside blocks runs with activations of any kind', async () => {
  const gguf = await toGguf(ownFile({ hiddenSize: 256, intermediateSize: 256 }));
  const expected = await logitsOf(gguf);
  const most = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  for (const activations of ['f32', 'q8_k', 'block'] as const) {
    using model = await load(gguf, { engine: ENGINE, activations });
    const logits = model.logits(IDS);
    assert.not.ok(equalBits(logits, expected), activations);
    assert.ok(logits.every((value, i) => Math.abs(value - expected[i]) < 0.2 * most), activations);
  }
});

test('what other programs cannot run is said', async () => {
  const notices = async (changes: Partial<BitNetConfig>): Promise<string> => {
    const result: Converted = await convertModel(ownFile(changes), { to: 'gguf' });
    return result.notices.join();
  };
  assert.is(await notices({}), '');
  assert.match(await notices({ tieWordEmbeddings: false }), /llama\.cpp refuses/);
  assert.match(await notices({ hiddenAct: 'relu2' }), /llama\.cpp does not/);
});

test.run();

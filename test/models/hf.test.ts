/** Folders of Hugging Face models, against the same weights in our own file. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EngineError, ModelFileError, TokenizerError } from '../../src/errors.ts';
import type { NamedTensor } from '../../src/io/safetensors.ts';
import { encodeSafetensors } from '../../src/io/safetensors.ts';
import type { ByteSource, LoadOptions, LoadProgress } from '../../src/models.ts';
import { createEngine } from '../../src/index.ts';
import { load } from '../../src/models.ts';
import { rejection, rejectsWith } from '../helpers/fails.ts';
import type { Files } from '../helpers/hf-model.ts';
import { hfFiles, ownLogits, realWeights, smallModel, text } from '../helpers/hf-model.ts';
import { entry, rawFile } from '../io/raw-safetensors.ts';
import { equalBits } from '../helpers/tiny-model.ts';

/** One for all: starting an engine takes longer than most tests. */
const ENGINE = createEngine({ threads: 1 });
const IDS = [1, 5, 9, 2, 2, 0, 17, 20];
const MODEL = smallModel(), EXPECTED = ownLogits(MODEL, IDS);
const UP = 'model.layers.1.mlp.up_proj.weight';

async function logitsOf(
  source: Parameters<typeof load>[0], options: LoadOptions = {},
): Promise<Float32Array> {
  using model = await load(source, { engine: ENGINE, cache: false, ...options });
  return model.logits(IDS);
}

function sameLogits(actual: Float32Array, expected = EXPECTED, label = 'logits'): void {
  assert.ok(expected.some((value) => Math.abs(value) > 0.1) && expected.every(Number.isFinite));
  assert.ok(equalBits(actual, expected), label);
}

const nearLogits = (actual: Float32Array, bound: number): void =>
  assert.ok(actual.every((value, i) => Math.abs(value - EXPECTED[i]) <= bound));

const test = suite('Hugging Face models');

test('packed weights whose scale multiplies give the logits of our own file', async () => {
  sameLogits(await logitsOf(hfFiles(MODEL, { as: 'multiplies' })));
});

test('packed weights whose scale divides give them up to the rounding of 1/γ', async () => {
  nearLogits(await logitsOf(hfFiles(MODEL, { as: 'divides' })), 1e-4);
});

test('the meaning of the scale is the linear class, not its size', async () => {
  const quantization = { quant_method: 'bitnet', linear_class: 'autobitlinear' };
  const wrong = hfFiles(MODEL, { as: 'divides', json: { quantization_config: quantization } });
  const logits = await logitsOf(wrong);
  assert.ok(logits.some((value, i) => Math.abs(value - EXPECTED[i]) > 0.1));
  const implied = hfFiles(
    MODEL, { as: 'divides', json: { quantization_config: { quant_method: 'bitnet' } } });
  nearLogits(await logitsOf(implied), 1e-4);
});

test('master weights in bf16 are made ternary as training makes them', async () => {
  sameLogits(await logitsOf(hfFiles(MODEL, { as: 'latent' })));
  sameLogits(await logitsOf(hfFiles(MODEL, { as: 'latent', json: { quantization_config: null } })));
  const { quantization_config: offline } = JSON.parse(new TextDecoder().decode(
    hfFiles(MODEL, { as: 'multiplies' })['config.json'])) as { quantization_config: object };
  sameLogits(await logitsOf(hfFiles(MODEL, { as: 'latent', json: { quantization_config: offline } })));
});

test('several files with an index are one model', async () => {
  for (const as of ['multiplies', 'latent'] as const)
    sameLogits(await logitsOf(hfFiles(MODEL, { as, shards: 3 })));
});

test('llama and qwen3 have no sub-norms, their own heads, and norms of query and key', async () => {
  for (const changes of [
    { subNorms: false, hiddenAct: 'silu', tieWordEmbeddings: false },
    { subNorms: false, hiddenAct: 'silu', queryKeyNorms: true },
  ] as const) {
    const model = smallModel(changes, 3), expected = ownLogits(model, IDS);
    sameLogits(await logitsOf(hfFiles(model, { as: 'multiplies' })), expected);
    sameLogits(await logitsOf(
      hfFiles(model, { as: 'latent', json: { quantization_config: null } }), { weights: 't2' }), expected);
  }
});

test('sub-norms by the names of 1bitLLM, which calls itself llama, are found', async () => {
  const model = smallModel({ hiddenAct: 'silu' }, 4), expected = ownLogits(model, IDS);
  const files = hfFiles(model, {
    as: 'latent', json: { model_type: 'llama', quantization_config: null, weight_bits: 1, input_bits: 8 },
    edit: (tensors) => {
      for (const [name, tensor] of [...tensors]) {
        const old = name.replace('attn_sub_norm', 'inner_attn_ln').replace('ffn_sub_norm', 'ffn_layernorm');
        tensors.delete(name);
        tensors.set(old, { ...tensor, name: old });
      }
    },
  });
  sameLogits(await logitsOf(files), expected);
});

test('floats that are weights run as floats, as those of our own file do', async () => {
  const model = smallModel({ subNorms: false, hiddenAct: 'silu' }, 5);
  const files = hfFiles(model, {
    as: 'latent', json: { quantization_config: null },
    edit: (tensors) => {
      for (const [name, one] of model.projections)
        tensors.set(name, { ...tensors.get(name)!, dtype: 'F32', data: realWeights(one) });
    },
  });
  sameLogits(await logitsOf(files), ownLogits(model, IDS, 'f32'));
  await rejectsWith(load(files, { activations: 'i8', engine: ENGINE }), ModelFileError, 'UNSUPPORTED');
});

test('end tokens come from generation_config.json, the template from its file', async () => {
  const files = hfFiles(MODEL, { as: 'multiplies', json: { eos_token_id: 22 } });
  using first = await load(files, { engine: ENGINE });
  assert.equal(first.tokenizer.endTokens, [22]);
  files['generation_config.json'] = text({ eos_token_id: [22, 23] });
  files['tokenizer_config.json'] = text({ chat_template: [{ name: 'tool', template: 'no' },
    { name: 'default', template: '{{ messages[0].content }}' }] });
  using second = await load(files, { engine: ENGINE });
  assert.equal(second.tokenizer.endTokens, [22, 23]);
  assert.is(second.plan.chatTemplate, '{{ messages[0].content }}');
  assert.equal(Array.from(second.promptIds([{ role: 'user', content: 'abc' }])), [0, 1, 2]);
  files['chat_template.jinja'] = new TextEncoder().encode('{{ "b" }}');
  using third = await load(files, { engine: ENGINE });
  assert.equal(Array.from(third.promptIds([{ role: 'user', content: 'abc' }])), [1]);
  files['generation_config.json'] = text({ eos_token_id: 24 });
  await rejectsWith(load(files, { engine: ENGINE }), TokenizerError, 'BAD_SPECIAL_ID');
});

test('tensors are read one at a time, with progress to the end, and within a limit of memory', async () => {
  const files = hfFiles(MODEL, { as: 'latent' }), bytes = files['model.safetensors'], seen: number[] = [];
  let largest = 0;
  const source: ByteSource = {
    size: bytes.length,
    read: async (from, to) => {
      largest = Math.max(largest, to - from);
      return bytes.subarray(from, to);
    },
  };
  const watched = { ...files, 'model.safetensors': source };
  const onProgress = ({ loaded, total }: LoadProgress): void => void seen.push(loaded / total);
  sameLogits(await logitsOf(watched, { onProgress }));
  assert.is(seen.at(-1), 1);
  const header = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  assert.ok(largest <= Math.max(header, 52 * 36 * 2), `${largest}`);
  await rejectsWith(load(files, { engine: ENGINE, maxMemory: 1000 }), EngineError, 'OUT_OF_MEMORY');
  const aborted = load(files, { engine: ENGINE, signal: AbortSignal.abort() });
  assert.is((await rejection(aborted) as Error).name, 'AbortError');
});

test('a folder is a path, a file URL, an address, a name of the Hub, or a file in it', async () => {
  const root = mkdtempSync(join(tmpdir(), 'onebit-hf-')), folder = join(root, 'o', 'r', 'resolve', 'main');
  const files = hfFiles(MODEL, { as: 'multiplies', shards: 2 });
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  for (const path of [folder, `${folder}/`, pathToFileURL(folder), join(folder, 'config.json')])
    sameLogits(await logitsOf(path));
  const server = createServer((request, response) => {
    const bytes = files[request.url!.replace('/o/r/resolve/main/', '')];
    response.writeHead(bytes ? 200 : 404).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const name of [
      `${endpoint}/o/r/resolve/main/`, `${endpoint}/o/r/resolve/main/config.json`, 'hf:o/r', 'hf:o/r@main',
      `${endpoint}/o/r`, `${endpoint}/o/r/tree/main`,
    ]) sameLogits(await logitsOf(name, { endpoint, retryDelay: 1 }), EXPECTED, name);
    const none = load('hf:o/none', { engine: ENGINE, endpoint, cache: false });
    await rejectsWith(none, ModelFileError, 'MISSING_FILE');
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(root, { recursive: true });
  }
});

test('a folder that was received is loaded again without a server', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'onebit-hf-')), files = hfFiles(MODEL, { as: 'multiplies' });
  let address = '';
  const server = createServer((request, response) => {
    const bytes = files[request.url!.slice(1)];
    response.writeHead(bytes ? 200 : 404, { etag: '"1"' }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    sameLogits(await logitsOf(address, { cache }));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    sameLogits(await logitsOf(address, { cache, tries: 1 }));
  } finally {
    server.close();
    rmSync(cache, { recursive: true });
  }
});

const config = (json: Readonly<Record<string, unknown>>): Files => hfFiles(MODEL, { as: 'multiplies', json });
const edited = (edit: (tensors: Map<string, NamedTensor>) => void): Files =>
  hfFiles(MODEL, { as: 'multiplies', edit });
const change = (name: string, change: Partial<NamedTensor>): Files =>
  edited((tensors) => void tensors.set(name, { ...tensors.get(name)!, ...change }));
const without = (files: Files, name: string): Files => {
  const { [name]: _, ...rest } = files;
  return rest;
};
const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const sharded = (): Files => hfFiles(MODEL, { as: 'multiplies', shards: 2 });
const index = (map: Record<string, unknown>): Files =>
  ({ ...sharded(), 'model.safetensors.index.json': text({ weight_map: map }) });
const SECOND = 'model-00002-of-00002.safetensors';
/** The index of two files, and one tensor more. */
function indexAnd(name: string): Files {
  const { weight_map: map } = JSON.parse(
    new TextDecoder().decode(sharded()['model.safetensors.index.json'])) as { weight_map: object };
  return index({ ...map, [name]: SECOND });
}

const BAD: readonly (readonly [what: string, files: () => Files, code: string, field?: string])[] = [
  ['no config.json', () => without(config({}), 'config.json'), 'MISSING_FILE'],
  ['no weights', () => without(config({}), 'model.safetensors'), 'MISSING_FILE'],
  ['no tokenizer', () => without(config({}), 'tokenizer.json'), 'MISSING_FILE'],
  ['a missing shard', () => without(sharded(), SECOND), 'MISSING_FILE'],
  ['a shard without a tensor of the index', () =>
    ({ ...sharded(), [SECOND]: encodeSafetensors([]) }), 'MISSING_TENSOR'],
  ['an index with a tensor that is nowhere', () => indexAnd('extra'), 'MISSING_TENSOR', 'extra'],
  ['a tensor in two shards', () =>
    ({ ...sharded(), [SECOND]: sharded()['model-00001-of-00002.safetensors'] }), 'DUPLICATE_TENSOR'],
  ['an index out of the folder', () => index({ a: '../../secret' }), 'PATH_ESCAPE', 'a'],
  ['an index without a map', () =>
    ({ ...sharded(), 'model.safetensors.index.json': text({}) }), 'BAD_HEADER', 'weight_map'],
  ['a missing tensor', () => edited((tensors) => void tensors.delete(UP)), 'MISSING_TENSOR', UP],
  ['a missing scale', () => edited((tensors) => void tensors.delete(`${UP}_scale`)), 'MISSING_TENSOR',
    `${UP}_scale`],
  ['a wrong shape', () => change(UP, { shape: [36, 13] }), 'SHAPE_MISMATCH', UP],
  ['two scales', () => change(`${UP}_scale`, { shape: [2], data: floats(1, 1) }), 'SHAPE_MISMATCH'],
  ['a scale of 0', () => change(`${UP}_scale`, { data: floats(0) }), 'NON_FINITE_WEIGHT'],
  ['a norm that is not finite', () => change('model.norm.weight', {
    dtype: 'F32', data: floats(...new Array<number>(36).fill(NaN)) }), 'NON_FINITE_WEIGHT'],
  ['a code 3', () => change(UP, { data: new Uint8Array(13 * 36).fill(0xff) }), 'INVALID_CODE', UP],
  ['a wrong element type', () => change(UP, { dtype: 'I8' }), 'UNSUPPORTED_TENSOR_TYPE', UP],
  ['a tensor that nothing reads', () => edited((tensors) =>
    void tensors.set('bias', { name: 'bias', dtype: 'F32', shape: [1], data: floats(1) })),
  'UNSUPPORTED_TENSOR', 'bias'],
  ['tensors that overlap', () => ({ ...config({}), 'model.safetensors': rawFile(
    `{${entry('a', 'U8', '[4]', '[0,4]')},${entry('b', 'U8', '[4]', '[2,6]')}}`, 6) }), 'BAD_OFFSETS'],
  ['weights that are an HTML page', () => ({
    ...config({}), 'model.safetensors': new TextEncoder().encode('<!doctype html><title>401</title>') }),
  'NOT_SAFETENSORS'],
  ['a configuration that is no JSON', () => ({
    ...config({}), 'config.json': new TextEncoder().encode('{') }), 'BAD_HEADER'],
  ['an unknown architecture', () => config({ model_type: 'mamba' }), 'UNSUPPORTED_ARCHITECTURE',
    'model_type'],
  ['an unknown quantization', () => config({ quantization_config: { quant_method: 'gptq' } }), 'UNSUPPORTED',
    'quantization_config.quant_method'],
  ['an unknown linear class', () => config({
    quantization_config: { quant_method: 'bitnet', linear_class: 'mylinear' } }), 'UNSUPPORTED',
  'quantization_config.linear_class'],
  ['biases', () => config({ attention_bias: true }), 'UNSUPPORTED', 'attention_bias'],
  ['an unknown activation', () => config({ hidden_act: 'gelu' }), 'UNSUPPORTED', 'hidden_act'],
  ['rotation by tables', () => config({ rope_scaling: { rope_type: 'llama3', factor: 8 } }), 'UNSUPPORTED',
    'rope_scaling.rope_type'],
  ['a missing size', () => config({ hidden_size: null }), 'MISSING_KEY', 'hidden_size'],
  ['a size that is text', () => config({ hidden_size: '36' }), 'WRONG_TYPE', 'hidden_size'],
  ['heads that do not divide', () => config({ num_key_value_heads: 3 }), 'BAD_HPARAM'],
  ['a million layers', () => config({ num_hidden_layers: 1_000_000 }), 'BAD_HPARAM', 'num_hidden_layers'],
  ['end tokens that are text', () => config({ eos_token_id: 'x' }), 'WRONG_TYPE', 'eos_token_id'],
];

test('what is wrong is refused by name, and the memory given back', async () => {
  using engine = createEngine({ threads: 1 });
  const before = engine.heap.usedBytes;
  for (const [what, files, code, field] of BAD) {
    const error = await rejectsWith(load(files(), { engine }), ModelFileError, code).catch((cause) => {
      throw new Error(what, { cause });
    });
    if (field !== undefined) assert.is(error.field, field, what);
    assert.is(engine.heap.usedBytes, before, what);
  }
});

test.run();

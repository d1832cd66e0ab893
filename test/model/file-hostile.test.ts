// Bad model files: whatever is damaged or impossible is refused with a code, and leaves the engine
// as it was.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EngineError, ModelFileError } from '../../src/errors.ts';
import type { NamedTensor } from '../../src/io/safetensors.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import { buildModel, readModelHeader } from '../../src/model/file.ts';
import { FINAL_NORM, layerName } from '../../src/model/tensors.ts';
import { Rng } from '../../src/rng.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import { sameBits } from '../helpers/close.ts';
import { newEngine, tinyModel } from '../helpers/tiny-model.ts';

const load = (bytes: Uint8Array, engine: Engine = newEngine()): ReturnType<typeof buildModel> =>
  engine.run(() => buildModel(engine, readModelHeader(bytes, 'a file'), 'a file'));

const hostile = suite('a bad model file');

const GOOD = tinyModel({ width: 20, heads: 5, config: { positionEmbedding: 'learned' } });
const TERNARY = tinyModel({ preset: 'bitnet-b1.58', config: { quantizationGroups: 2 } });
const engine = newEngine();
const IDS = [1, 2, 3, 4, 5];
const expected = load(GOOD).logits(IDS);

/** Fails unless `bytes` are refused, with one of `codes` if given, and leave no memory. */
function refused(bytes: Uint8Array, ...codes: string[]): ModelFileError {
  const before = engine.heap.usedBytes;
  let error: unknown;
  try {
    load(bytes, engine);
  } catch (thrown) {
    error = thrown;
  }
  if (!(error instanceof ModelFileError)) throw error ?? new Error(`accepted: ${codes.join()}`);
  assert.ok(codes.length === 0 || codes.includes(error.code), `${error.code}: ${error.message}`);
  assert.is(error.file, 'a file');
  assert.is(engine.heap.usedBytes, before, `leaked after ${error.code}`);
  return error;
}

/** A model file with metadata or tensors changed, sealed anew. */
function altered(
  source: Uint8Array, metadata: Record<string, string>,
  change: (tensor: NamedTensor) => NamedTensor | undefined = (tensor) => tensor,
): Uint8Array {
  const file = decodeSafetensors(source);
  const tensors = [...file.tensors.values()].flatMap((tensor) => change(tensor) ?? []);
  return encodeSafetensors(
    tensors, { ...Object.fromEntries(file.metadata), ...metadata }, { checksum: true });
}

const config = (source: Uint8Array, fields: Record<string, unknown>): Uint8Array =>
  altered(source, { config: JSON.stringify({ ...readModelHeader(source).config, ...fields }) });

/** A model file with one tensor changed. */
const only = (
  source: Uint8Array, name: string, change: (tensor: NamedTensor) => NamedTensor | undefined,
): Uint8Array => altered(source, {}, (tensor) => (tensor.name === name ? change(tensor) : tensor));

/** A copy of the data with byte `at` replaced. */
const patched = (data: Uint8Array, at: number, ...bytes: number[]): Uint8Array => {
  const copy = data.slice();
  copy.set(bytes, at);
  return copy;
};

hostile('is refused at every length', () => {
  const rng = new Rng(1), lengths = [0, 1, 7, 8, 9, 100, GOOD.length - 1];
  for (let i = 0; i < 80; i++) lengths.push(rng.nextBelow(GOOD.length));
  for (const n of lengths)
    refused(GOOD.subarray(0, n), 'TRUNCATED', 'BAD_OFFSETS', 'CORRUPT', 'NOT_SAFETENSORS');
  refused(Uint8Array.from([...GOOD, 0]), 'BAD_OFFSETS', 'CORRUPT');
});

hostile('is refused for every flipped bit', () => {
  const rng = new Rng(2), header = 8 + new DataView(GOOD.buffer).getUint32(0, true);
  const bytes = GOOD.slice();
  for (let i = 0; i < 250; i++) {
    const at = i < 10 ? i : rng.nextBelow(i % 2 ? header : GOOD.length);
    const bit = 1 << rng.nextBelow(8);
    bytes[at] ^= bit;
    refused(bytes);
    bytes[at] ^= bit;
  }
  assert.is(engine.heap.usedBytes, 0);
  sameBits(load(bytes).logits(IDS), expected);
});

hostile('is refused if it is of another format or version', () => {
  refused(altered(GOOD, { format: 'pt' }), 'NOT_ONEBIT');
  refused(encodeSafetensors([]), 'NOT_ONEBIT');
  refused(altered(GOOD, { version: '2' }), 'UNSUPPORTED_VERSION');
});

hostile('is refused if its configuration is wrong, impossible, or not that of its tensors', () => {
  refused(altered(GOOD, { config: 'x' }), 'BAD_HEADER');
  refused(config(GOOD, { hiddenSize: '20' }), 'WRONG_TYPE');
  refused(config(GOOD, { numAttentionHeads: 3 }), 'BAD_HPARAM');
  for (const fields of [
    { hiddenSize: 40 }, { vocabSize: 7 }, { maxPositionEmbeddings: 8 }, { intermediateSize: 40 },
    { weights: 't2' }, { weights: 'f32' }, { quantizationGroups: 5 }, { numKeyValueHeads: 1 },
    { numHiddenLayers: 2 }, { gatedMlp: true },
  ]) refused(config(GOOD, fields), 'MISSING_TENSOR', 'SHAPE_MISMATCH');
});

hostile('is refused at once, however large it says it is', () => {
  const start = performance.now();
  refused(config(GOOD, {
    hiddenSize: 4096, numAttentionHeads: 1024, numKeyValueHeads: 1024, quantizationGroups: 1024,
    numHiddenLayers: 1024, intermediateSize: 4096,
  }), 'MISSING_TENSOR', 'SHAPE_MISMATCH');
  assert.ok(performance.now() - start < 500);
});

hostile('is refused if a tensor is missing or of another shape or type', () => {
  for (const source of [GOOD, TERNARY])
    for (const { name, shape } of decodeSafetensors(source).tensors.values()) {
      assert.is(refused(only(source, name, () => undefined), 'MISSING_TENSOR').field, name);
      const flat = only(source, name, (t) => ({ ...t, shape: [...shape, 1] }));
      assert.is(refused(flat, 'SHAPE_MISMATCH').field, name);
      const other = only(source, name, (t) => ({ ...t, dtype: t.dtype === 'F32' ? 'U32' : 'I8' }));
      assert.is(refused(other, 'SHAPE_MISMATCH').field, name);
    }
});

hostile('is refused if a float is not finite, in any tensor, and gives all memory back', () => {
  for (const source of [GOOD, TERNARY])
    for (const { name, dtype, data } of decodeSafetensors(source).tensors.values()) {
      if (dtype !== 'F32') continue;
      const at = data.length - 4;
      for (const high of [[0xc0, 0x7f], [0x80, 0x7f], [0x80, 0xff]]) { // NaN, ∞, −∞
        const bad = patched(data, at, 0, 0, ...high);
        const bytes = only(source, name, (t) => ({ ...t, data: bad }));
        const error = refused(bytes, 'NON_FINITE_WEIGHT');
        assert.is(error.field, name);
        assert.is(error.offset, at / 4);
      }
    }
});

hostile('is refused for the code 3 of a ternary weight, with its byte', () => {
  for (const { name, dtype, data } of decodeSafetensors(TERNARY).tensors.values()) {
    if (dtype !== 'U8') continue;
    for (const shift of [0, 2, 4, 6]) {
      const at = data.length - 3;
      const bytes = only(TERNARY, name, (t) => ({ ...t, data: patched(t.data, at, 3 << shift) }));
      const error = refused(bytes, 'INVALID_CODE');
      assert.is(error.field, name);
      assert.is(error.offset, at);
    }
  }
});

hostile('is refused if the padding of a packed row is not zero', () => {
  const name = layerName(0, 'self_attn.q_proj');
  refused(only(GOOD, name, (t) => ({ ...t, data: patched(t.data, 2, t.data[2] | 0x80) })),
    'INVALID_CODE');
});

hostile('leaves the engine so that a good file gives the same bits', () => {
  refused(only(GOOD, FINAL_NORM, (t) => ({ ...t, data: t.data.slice().fill(0xff) })),
    'NON_FINITE_WEIGHT');
  const model = load(GOOD, engine);
  sameBits(model.logits(IDS), expected);
  model.dispose();
  assert.is(engine.heap.usedBytes, 0);
});

hostile('too large for the memory leaves nothing behind, however much there is', () => {
  const wide = tinyModel({ width: 128, heads: 4, layers: 2, steps: 1 });
  let refusals = 0;
  for (let pages = 4, fits = false; !fits; pages++) {
    const small = newEngine(pages * 65_536);
    try {
      load(wide, small).dispose();
      fits = true;
    } catch (error) {
      assert.ok(error instanceof EngineError && error.code === 'OUT_OF_MEMORY', String(error));
      refusals++;
    }
    assert.is(small.heap.usedBytes, 0, `with ${pages} pages`);
  }
  assert.ok(refusals > 3);
});

hostile('may hold tensors that nobody asked for', () => {
  const extra: NamedTensor = { name: 'x', dtype: 'U8', shape: [1], data: new Uint8Array(1) };
  const { tensors, metadata } = decodeSafetensors(GOOD);
  const bytes = encodeSafetensors([extra, ...tensors.values()], metadata);
  sameBits(load(bytes).logits(IDS), expected);
});

hostile('is read from a view into a larger buffer, as Node hands out', () => {
  const pool = Buffer.alloc(GOOD.length + 64);
  pool.set(GOOD, 37);
  sameBits(load(pool.subarray(37, 37 + GOOD.length)).logits(IDS), expected);
});

hostile.run();

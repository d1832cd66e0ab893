// GGUF files: what is read of good ones, and the error that each bad one gets.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ModelFileError } from '../../src/errors.ts';
import { bytesSource } from '../../src/io/byte-source.ts';
import { GgufArray, readGguf } from '../../src/io/gguf.ts';
import type { GgufFile } from '../../src/io/gguf.ts';
import { Rng } from '../../src/rng.ts';
import type { TestTensor, TestValue } from './gguf-file.ts';
import { Writer, ggufFile } from './gguf-file.ts';

const METADATA: Record<string, TestValue> = {
  'general.architecture': { type: 'string', value: 'qwen3' },
  'qwen3.block_count': { type: 'u32', value: 2 },
  'tokenizer.ggml.tokens': { type: 'strings', value: ['a', 'é', ''] },
  ['__proto__']: { type: 'bool', value: 1 },
};
const tensor = (name: string, typeId: number, dims: number[], bytes: number): TestTensor =>
  ({ name, typeId, dims, data: new Uint8Array(bytes).fill(7) });
const TENSORS = [tensor('norm', 0, [3], 12), tensor('w', 41, [128, 2], 36)];

const read = (bytes: Uint8Array): Promise<GgufFile> => readGguf(bytesSource(bytes), 'model.gguf');

/** The error that a file gets. */
async function errorOf(bytes: Uint8Array): Promise<ModelFileError> {
  try {
    await read(bytes);
  } catch (error) {
    if (error instanceof ModelFileError) return error;
    throw error;
  }
  throw new Error('the file was read');
}

const good = suite('readGguf');

good('metadata and tensors are those of the file', async () => {
  const file = await read(ggufFile(METADATA, TENSORS));
  assert.is(file.metadata.get('general.architecture'), 'qwen3');
  assert.is(file.metadata.get('__proto__'), true);
  const tokens = file.metadata.get('tokenizer.ggml.tokens');
  assert.ok(tokens instanceof GgufArray);
  assert.equal(tokens.strings(), ['a', 'é', '']);
  const { rows, cols, type, offset, bytes } = file.tensors.get('w')!;
  assert.equal({ rows, cols, type, bytes }, { rows: 2, cols: 128, type: 'Q1_0', bytes: 36 });
  assert.is(offset, file.dataStart + 32);
  assert.equal(file.warnings, []);
});

good('only the beginning is read, however long the data are', async () => {
  const bytes = ggufFile(METADATA, [tensor('w', 0, [2 ** 20], 2 ** 22)]);
  let most = 0;
  await readGguf({
    size: bytes.length,
    read: async (from, to) => {
      most = Math.max(most, to);
      return bytes.subarray(from, to);
    },
  });
  assert.ok(most <= 256 * 1024, `${most} bytes`);
});

good('a header longer than the first read is read again, whole', async () => {
  const value = Array.from({ length: 60_000 }, (_, i) => `token ${i}`);
  const file = await read(ggufFile({ tokens: { type: 'strings', value } }, TENSORS));
  assert.equal((file.metadata.get('tokens') as GgufArray).strings().at(-1), 'token 59999');
});

for (const [id, elements, bytes, type] of [
  [36, 128, 64, 'I2_S'], [42, 2048, 576, 'Q2_0'], [42, 2048, 544, 'PQ2_0'], [40, 32, 6, 'Q1_0_G32'],
] as const)
  good(`type ${id} with ${bytes} bytes for ${elements} elements is ${type}`, async () => {
    for (const tensors of [
      [tensor('w', id, [elements], bytes), tensor('end', 0, [8], 32)], [tensor('w', id, [elements], bytes)],
    ]) assert.is((await read(ggufFile({}, tensors))).tensors.get('w')!.type, type);
  });

good.run();

const bad = suite('readGguf: bad files');
const GOOD = ggufFile(METADATA, TENSORS);
const start = (tensors: number | bigint, pairs: number | bigint): Writer =>
  new Writer().raw(new TextEncoder().encode('GGUF')).u32(3).u64(tensors).u64(pairs);
const edited = (at: number, ...bytes: number[]): Uint8Array => {
  const copy = GOOD.slice();
  copy.set(bytes, at);
  return copy;
};

const CASES: [string, string, Uint8Array][] = [
  ['NOT_GGUF', 'a page of HTML', new TextEncoder().encode('<!doctype html><html><body>404</body></html>')],
  ['TRUNCATED', '4 bytes', GOOD.slice(0, 4)],
  ['TRUNCATED', 'no bytes', new Uint8Array(0)],
  ['BIG_ENDIAN', 'a big-endian file', edited(4, 0, 0, 0, 3)],
  ['UNSUPPORTED_VERSION', 'version 1', edited(4, 1)],
  ['COUNT_TOO_LARGE', '2^61 tensors', start(2n ** 61n, 0).pad(64).bytes()],
  ['COUNT_TOO_LARGE', '0x1D1D… pairs', start(0, 0x1d1d1d1d1d1d1d1dn).pad(64).bytes()],
  ['TRUNCATED', 'a key of 2^64 − 1 bytes', start(0, 1).u64(2n ** 64n - 1n).pad(64).bytes()],
  ['BAD_TYPE', 'value type 13', start(0, 1).string('k').u32(13).pad(64).bytes()],
  ['NESTED_ARRAY', 'an array of arrays', start(0, 1).string('k').u32(9).u32(9).u64(1).pad(64).bytes()],
  ['TRUNCATED', 'an array of 2^60', start(0, 1).string('k').u32(9).u32(10).u64(2n ** 60n).pad(64).bytes()],
  ['BAD_BOOL', 'a boolean 2', ggufFile({ k: { type: 'bool', value: 2 } }, [])],
  ['INVALID_KEY', 'an empty key', ggufFile({ '': { type: 'u32', value: 2 } }, TENSORS)],
  ['BAD_ALIGNMENT', 'alignment 0', ggufFile({ 'general.alignment': { type: 'u32', value: 0 } }, [])],
  ['BAD_ALIGNMENT', 'alignment 2^30', ggufFile({ 'general.alignment': { type: 'u32', value: 2 ** 30 } }, [])],
  ['WRONG_TYPE', 'alignment text', ggufFile({ 'general.alignment': { type: 'string', value: '32' } }, [])],
  ['DUPLICATE_TENSOR', 'a name twice', ggufFile({}, [TENSORS[0], TENSORS[0]])],
  ['BAD_SHAPE', '5 dimensions', ggufFile({}, [tensor('w', 0, [1, 1, 1, 1, 1], 4)])],
  ['BAD_SHAPE', 'a dimension 0', ggufFile({}, [tensor('w', 0, [0], 0)])],
  ['BAD_SHAPE', 'a row that is no whole block', ggufFile({}, [tensor('w', 41, [127], 18)])],
  ['BAD_OFFSETS', 'an offset that is not aligned', ggufFile({}, [{ ...TENSORS[0], offset: 4 }])],
  ['BAD_OFFSETS', 'a gap', ggufFile({}, [{ ...TENSORS[0], offset: 64 }])],
  ['OVERLAP', 'two tensors in one place', ggufFile({}, [TENSORS[1], { ...TENSORS[0], offset: 32 }])],
  ['TRUNCATED', 'data beyond the end', GOOD.slice(0, -30)],
  ['UNSUPPORTED_TENSOR_TYPE', 'TL1', ggufFile({}, [tensor('w', 38, [128], 64)])],
  ['UNSUPPORTED_TENSOR_TYPE', 'IQ2_XXS', ggufFile({}, [tensor('w', 16, [256], 66)])],
  ['UNSUPPORTED_TENSOR_TYPE', 'NVFP4 under 40', ggufFile({}, [tensor('w', 40, [64], 36), TENSORS[0]])],
  ['UNSUPPORTED_TENSOR_TYPE', 'type 999', ggufFile({}, [tensor('w', 999, [64], 36)])],
];
for (const [code, what, bytes] of CASES)
  bad(`${what}: ${code}`, async () => {
    const error = await errorOf(bytes);
    assert.is(error.code, code, error.message);
    assert.match(error.message, /./);
  });

bad('every prefix of a good file is refused as truncated or not a GGUF file', async () => {
  for (let n = 0; n < GOOD.length - 28; n++)
    assert.ok(['TRUNCATED', 'COUNT_TOO_LARGE'].includes((await errorOf(GOOD.slice(0, n))).code), `${n}`);
});

bad('a file with any bytes changed is read or gets a typed error, quickly', async () => {
  const rng = new Rng(1);
  for (let round = 0; round < 3000; round++) {
    const bytes = GOOD.slice();
    for (let n = 1 + rng.nextBelow(4); n > 0; n--) bytes[rng.nextBelow(bytes.length)] = rng.nextBelow(256);
    try {
      await read(bytes);
    } catch (error) {
      if (!(error instanceof ModelFileError)) throw error;
    }
  }
});

bad.run();

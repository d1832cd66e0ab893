/** Files that are written tensor by tensor, read by the readers of such files. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bytesSource } from '../../src/io/byte-source.ts';
import { collect } from '../../src/io/chunks.ts';
import { ggufFile } from '../../src/io/gguf-writer.ts';
import { GgufArray, readGguf } from '../../src/io/gguf.ts';
import { safetensorsFile } from '../../src/io/safetensors-writer.ts';
import { decodeSafetensors } from '../../src/io/safetensors.ts';
import { rejection } from '../helpers/fails.ts';
import { ggufFile as otherGguf } from './gguf-file.ts';

const BYTES = Uint8Array.from({ length: 24 }, (_, i) => i);
const of = (length: number) => async (): Promise<Uint8Array> => BYTES.slice(0, length);

const test = suite('written files');

test('a GGUF file has the bytes of another writer, and is read', async () => {
  const file = ggufFile({
    'general.architecture': { type: 'string', value: 'bitnet' }, 'a.count': { type: 'u32', value: 7 },
    'a.eps': { type: 'f32', value: 0.5 }, 'a.flag': { type: 'bool', value: true },
    'a.words': { type: 'strings', value: ['', 'né'] },
  }, [
    { name: 'w', type: 'F32', shape: [3, 2], read: of(24) },
    { name: 'v', type: 'F16', shape: [5], read: of(10) },
  ]);
  const bytes = await collect(file);
  assert.equal(bytes, otherGguf({
    'general.architecture': { type: 'string', value: 'bitnet' }, 'a.count': { type: 'u32', value: 7 },
    'a.eps': { type: 'f32', value: 0.5 }, 'a.flag': { type: 'bool', value: 1 },
    'a.words': { type: 'strings', value: ['', 'né'] },
  }, [
    { name: 'w', dims: [2, 3], typeId: 0, data: BYTES },
    { name: 'v', dims: [5], typeId: 1, data: BYTES.slice(0, 10) },
  ]));
  const { tensors, warnings } = await readGguf(bytesSource(bytes));
  assert.equal([tensors.get('w')!.rows, tensors.get('w')!.cols, tensors.get('v')!.cols], [3, 2, 5]);
  assert.equal(warnings, []);
});

test('arrays of numbers are written, and empty ones', async () => {
  const { metadata } = await readGguf(bytesSource(await collect(ggufFile({
    i: { type: 'i32s', value: [1, -2] }, f: { type: 'f32s', value: [0.5] },
    none: { type: 'strings', value: [] },
  }, []))));
  assert.equal([...(metadata.get('i') as GgufArray).numbers()], [1, -2]);
  assert.equal([...(metadata.get('f') as GgufArray).numbers()], [0.5]);
  assert.equal((metadata.get('none') as GgufArray).strings(), []);
});

test('a safetensors file has the widest elements first, and every tensor where it says', async () => {
  const file = safetensorsFile([
    { name: 'codes', dtype: 'U8', shape: [3], read: of(3) },
    { name: 'w', dtype: 'F32', shape: [2, 1], read: of(8) },
    { name: 'half', dtype: 'BF16', shape: [1], read: of(2) },
  ], { format: 'pt' });
  const { tensors, metadata } = decodeSafetensors(await collect(file));
  assert.equal([...metadata], [['format', 'pt']]);
  assert.equal([...tensors.keys()], ['w', 'half', 'codes']);
  for (const { data } of tensors.values()) assert.equal(data, BYTES.slice(0, data.length));
});

test('data of another length is a mistake of the caller', async () => {
  for (const file of [
    ggufFile({}, [{ name: 'w', type: 'F32', shape: [2], read: of(7) }]),
    safetensorsFile([{ name: 'w', dtype: 'F32', shape: [2], read: of(9) }]),
  ]) assert.instance(await rejection(collect(file)), RangeError);
});

test.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  decodeSafetensors, encodeSafetensors, type Dtype, type NamedTensor,
} from '../../src/io/safetensors.ts';
import { refused, smallFile, tensor } from './raw-safetensors.ts';

const encode = suite('encodeSafetensors');

const header = (bytes: Uint8Array): string => {
  const length = new DataView(bytes.buffer).getUint32(0, true);
  return new TextDecoder().decode(bytes.subarray(8, 8 + length));
};

encode('writes length, header, padding and data as the format says', () => {
  const bytes = encodeSafetensors([tensor('w', 'F32', [1, 2], 8)], { a: 'b' });
  const json =
    '{"__metadata__":{"a":"b"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}';
  assert.is(header(bytes), json.padEnd(128 - 8)); // 8 + 81 bytes end at the next multiple of 64
  assert.equal([...bytes.subarray(0, 8)], [120, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal([...bytes.subarray(128)], [1, 2, 3, 4, 5, 6, 7, 8]);
});

encode('needs no padding if the header ends on a multiple of 64', () => {
  for (let n = 0; n < 130; n++) {
    const bytes = encodeSafetensors([], { a: 'x'.repeat(n) });
    assert.is(bytes.length % 64, 0);
    assert.ok(bytes.length - 8 - header(bytes).trimEnd().length < 64);
  }
});

encode('aligns each tensor to its element size and keeps the table in the given order', () => {
  const bytes = smallFile(false);
  const { tensors } = decodeSafetensors(bytes);
  assert.equal([...tensors.keys()], ['bias', 'blk.0.weight', 'empty', 'step', 'codes']);
  const width: Partial<Record<Dtype, number>> = { U8: 1, F32: 4, F16: 2, I64: 8, BF16: 2 };
  for (const { dtype, data } of tensors.values()) assert.is(data.byteOffset % width[dtype]!, 0);
  const { data } = tensors.get('blk.0.weight')!;
  assert.is(new Float32Array(data.buffer, data.byteOffset, 4).length, 4);
});

encode('gives the same bytes for the same input', () => {
  assert.equal(smallFile(true), smallFile(true));
});

encode('takes metadata as an object or as a map, in the given order', () => {
  const map = new Map([['z', '1'], ['a', '2']]);
  assert.equal(encodeSafetensors([], map), encodeSafetensors([], { z: '1', a: '2' }));
  assert.ok(header(encodeSafetensors([], map)).startsWith('{"__metadata__":{"z":"1","a":"2"}}'));
});

const wrong = (change: object) => () =>
  encodeSafetensors([{ ...tensor('w', 'F32', [2], 8), ...change } as NamedTensor]);

encode('refuses tensors of the wrong kind', () => {
  for (const change of [{ name: 1 }, { dtype: 4 }, { data: [1] }, { shape: ['2'] }])
    assert.throws(wrong(change), (e: unknown) => e instanceof TypeError);
});

encode('refuses tensors of the wrong value', () => {
  for (const change of [
    { name: '__metadata__' }, { name: 'a\ud800' }, { dtype: 'F4' }, { dtype: 'toString' },
    { shape: [3] }, { shape: [-2] }, { shape: [1.5] }, { shape: [2 ** 53 - 1, 2 ** 53 - 1] },
    { shape: '2' }, { shape: Array(65).fill(1) }, { data: new Uint8Array(7) },
  ])
    assert.throws(wrong(change), (e: unknown) => e instanceof RangeError);
  const twice = [tensor('w', 'U8', [1], 1), tensor('w', 'U8', [1], 1)];
  assert.throws(() => encodeSafetensors(twice), /"name" expected unique/);
});

encode('refuses metadata that is not text or that names the seal', () => {
  const numbers = { a: 1 } as unknown as Record<string, string>;
  assert.throws(() => encodeSafetensors([], numbers), (e: unknown) => e instanceof TypeError);
  for (const [key, value] of [['onebit.crc32', '0'], ['onebit.sealed', ''], ['a', '\udc00']])
    assert.throws(
      () => encodeSafetensors([], { [key]: value }), (e: unknown) => e instanceof RangeError,
    );
});

encode('refuses what the decoder would refuse for its size', () => {
  const long = { a: 'x'.repeat(2 ** 24) };
  assert.throws(() => encodeSafetensors([], long), /header of at most 16777216 bytes/);
  const many = Array.from({ length: 65_537 }, (_, i) => tensor(`${i}`, 'U8', [0], 0));
  assert.throws(() => encodeSafetensors(many), /at most 65536/);
});

encode.run();

const decode = suite('decodeSafetensors');

decode('gives back names, types, shapes, data and metadata', () => {
  for (const checksum of [false, true]) {
    const { tensors, metadata, sealed } = decodeSafetensors(smallFile(checksum));
    assert.equal([...metadata], [['format', 'pt'], ['note', 'a "b" é']]);
    assert.is(sealed, checksum);
    assert.equal(tensors.get('bias'), tensor('bias', 'U8', [3], 3));
    assert.equal(tensors.get('step'), tensor('step', 'I64', [], 8));
    assert.equal(tensors.get('blk.0.weight'), tensor('blk.0.weight', 'F32', [2, 2], 16));
    assert.is(tensors.get('empty')?.data.length, 0);
    assert.equal(encodeSafetensors(tensors.values(), metadata, { checksum }), smallFile(checksum));
  }
});

decode('keeps any well-formed text as name or metadata, and no prototype changes', () => {
  const names = ['', '__proto__', 'constructor', 'a"b\\c', 'é😀', '\u0000\u001b[2J', '\u2028'];
  const list = names.map((name) => tensor(name, 'U8', [2], 2));
  const texts = new Map(names.map((name) => [name, name]));
  const { tensors, metadata } = decodeSafetensors(encodeSafetensors(list, texts));
  assert.equal([...tensors.keys()], names);
  assert.equal(metadata, texts);
  assert.is(Object.getPrototypeOf({}), Object.prototype);
  assert.is(({} as { dtype?: string }).dtype, undefined);
});

decode('views the given bytes and does not copy them', () => {
  const bytes = smallFile(false);
  const { data } = decodeSafetensors(bytes).tensors.get('bias')!;
  assert.is(data.buffer, bytes.buffer);
  bytes[data.byteOffset] = 77;
  assert.is(data[0], 77);
});

decode('reads a file that begins inside a larger buffer', () => {
  const bytes = smallFile(true);
  const larger = new Uint8Array(bytes.length + 20).fill(0xee);
  larger.set(bytes, 7);
  const { tensors } = decodeSafetensors(larger.subarray(7, 7 + bytes.length));
  assert.equal(tensors.get('bias')?.data, Uint8Array.of(1, 2, 3));
});

decode('reads data in another order than the table, and white space between all parts', () => {
  const json =
    ' \n{ "b" : {"shape":[ 1 ],\t"data_offsets":[2 , 3],"dtype":"U8"} ,\r\n' +
    '"a":{"dtype":"U16","shape":[],"data_offsets":[0,2]}, "__metadata__" : { } }  ';
  const text = new TextEncoder().encode(json.trimStart());
  const bytes = new Uint8Array(8 + text.length + 3).fill(9);
  bytes.set(Uint8Array.of(text.length, 0, 0, 0, 0, 0, 0, 0));
  bytes.set(text, 8);
  const { tensors, metadata } = decodeSafetensors(bytes);
  assert.equal([...tensors.keys()], ['b', 'a']);
  assert.is(tensors.get('b')?.data.byteOffset, bytes.length - 1);
  assert.is(metadata.size, 0);
});

decode('refuses what is no Uint8Array, and a limit that is none', () => {
  const kind = (e: unknown): boolean => e instanceof TypeError;
  assert.throws(() => decodeSafetensors('text' as unknown as Uint8Array), kind);
  assert.throws(() => decodeSafetensors(new ArrayBuffer(9) as unknown as Uint8Array), kind);
  const bytes = smallFile(false);
  assert.throws(
    () => decodeSafetensors(bytes, 'f', { maxHeaderBytes: NaN }),
    (e: unknown) => e instanceof RangeError,
  );
  assert.throws(
    () => decodeSafetensors(bytes, 'f', { maxHeaderBytes: 100 }),
    refused('HEADER_TOO_LARGE', { file: 'f' }),
  );
});

decode('verifies a seal unless told not to, and demands one only if told to', () => {
  const bytes = smallFile(true);
  bytes[bytes.length - 1] ^= 1;
  assert.throws(() => decodeSafetensors(bytes, 'c'), refused('CORRUPT', { file: 'c' }));
  assert.is(decodeSafetensors(bytes, 'c', { verify: false }).sealed, true);
  assert.throws(
    () => decodeSafetensors(smallFile(false), 'c', { requireSeal: true }), refused('CORRUPT'),
  );
  assert.is(decodeSafetensors(smallFile(true), 'c', { requireSeal: true }).sealed, true);
});

decode.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ModelFileError } from '../../src/errors.ts';
import { decodeSafetensors } from '../../src/io/safetensors.ts';
import { Rng } from '../../src/rng.ts';
import { entry, latin, rawFile, refused, smallFile } from './raw-safetensors.ts';

/** Decodes, and returns the code of the refusal. Anything but a ModelFileError fails the test. */
function outcome(bytes: Uint8Array): string {
  try {
    decodeSafetensors(bytes, 'x');
    return 'decoded';
  } catch (error) {
    if (error instanceof ModelFileError && error.message.length <= 300) return error.code;
    throw error;
  }
}

const hostile = suite('decodeSafetensors of hostile files');

const KINDS: [string, Uint8Array, RegExp][] = [
  ['GGUF', latin('GGUF\x03\0\0\0\0\0\0\0'), /GGUF/],
  ['four bytes of GGUF', latin('GGUF'), /GGUF/],
  ['ZIP', latin('PK\x03\x04\x14\0\0\0\x08\0'), /ZIP/],
  ['pickle', latin('\x80\x02\x8a\x0al\xfc\x9cF\xf9 j'), /pickle/],
  ['gzip', latin('\x1f\x8b\x08\0\0\0\0\0\0\x03'), /gzip/],
  ['HTML', latin('\n<!DOCTYPE html><html>'), /HTML/],
  ['a Git LFS pointer', latin('version https://git-lfs.github.com/spec/v1\n'), /git lfs pull/],
  ['JSON', latin('{"error": "not found"}'), /JSON/],
  ['prose', latin('Entry not found. Sorry!'), /plain text/],
];
for (const [kind, bytes, message] of KINDS) {
  hostile(`says that a file looks like ${kind}`, () => {
    assert.throws(() => decodeSafetensors(bytes, 'x'), refused('NOT_SAFETENSORS', { file: 'x' }));
    assert.throws(() => decodeSafetensors(bytes, 'x'), message);
  });
}

const LENGTHS: [string, Uint8Array, string][] = [
  ['no bytes', new Uint8Array(0), 'TRUNCATED'],
  ['7 bytes', new Uint8Array(7), 'TRUNCATED'],
  ['N = 0', rawFile('{}', 0, 0n), 'TRUNCATED'],
  ['N = 1', rawFile('{}', 0, 1n), 'TRUNCATED'],
  ['N one above the file', rawFile('{}', 0, 3n), 'TRUNCATED'],
  ['N = 2^32 + 2', rawFile('{}', 0, 2n ** 32n + 2n), 'HEADER_TOO_LARGE'],
  ['N = 2^53 + 1', rawFile('{}', 0, 2n ** 53n + 1n), 'HEADER_TOO_LARGE'],
  ['N = 2^63', rawFile('{}', 0, 2n ** 63n), 'HEADER_TOO_LARGE'],
  ['N = 2^64 − 1', rawFile('{}', 0, 2n ** 64n - 1n), 'HEADER_TOO_LARGE'],
  ['N = 100 MB in a small file', rawFile('{}', 0, 100_000_000n), 'HEADER_TOO_LARGE'],
  ['N = 16 MiB + 1 really there', rawFile(new Uint8Array(2 ** 24 + 1)), 'HEADER_TOO_LARGE'],
];
for (const [what, bytes, code] of LENGTHS) {
  hostile(`refuses ${what} as ${code}`, () => assert.is(outcome(bytes), code));
}

/** Header, data bytes, code, and the tensor or byte the error must name. */
const HEADERS: [string, string | Uint8Array, number, string, string | number | undefined][] = [
  ['an array as header', '[]', 0, 'BAD_HEADER', 8],
  ['a space before the header', ' {}', 0, 'BAD_HEADER', 8],
  ['a byte order mark', '\ufeff{}', 0, 'BAD_HEADER', 8],
  ['a name that is not UTF-8', latin('{"\xff":{}}'), 0, 'BAD_HEADER', 10],
  ['a trailing comma', `{${entry('a', 'U8', '[1]', '[0,1]')},}`, 1, 'BAD_HEADER', 61],
  ['text after the header', '{} x', 0, 'BAD_HEADER', 11],
  ['a line feed after the header', '{}\n', 0, 'BAD_HEADER', 10],
  ['a second object', '{}{}', 0, 'BAD_HEADER', 10],
  ['no end', '{"a"', 0, 'BAD_HEADER', 12],
  ['a number as metadata', '{"__metadata__":{"a":1}}', 0, 'BAD_HEADER', 29],
  ['null as metadata', '{"__metadata__":null}', 0, 'BAD_HEADER', 24],
  ['two metadata', '{"__metadata__":{},"__metadata__":{}}', 0, 'BAD_HEADER', 27],
  ['a metadata key twice', '{"__metadata__":{"a":"1","\\u0061":"2"}}', 0, 'BAD_HEADER', 33],
  ['a field twice', '{"a":{"dtype":"U8","dtype":"U8"}}', 0, 'BAD_HEADER', 27],
  ['an unknown field', '{"a":{"dtype":"U8","code":"x"}}', 0, 'BAD_HEADER', 27],
  ['a missing field', '{"a":{"dtype":"U8","shape":[0]}}', 0, 'BAD_HEADER', 9],
  ['a list as tensor', '{"a":[]}', 0, 'BAD_HEADER', 13],
  ['text as shape', `{${entry('a', 'U8', '"1"', '[0,1]')}}`, 1, 'BAD_HEADER', undefined],
  ['deep nesting', `{"a":${'['.repeat(1e6)}`, 0, 'BAD_HEADER', 13],
  ['deep nesting in a shape', `{"a":{"shape":${'['.repeat(1e6)}`, 0, 'BAD_HEADER', 23],
  ['a tensor twice',
    `{${entry('a', 'U8', '[1]', '[0,1]')},${entry('a', 'U8', '[1]', '[1,2]')}}`, 2,
    'DUPLICATE_TENSOR', 'a'],
  ['a tensor twice by an escape',
    `{${entry('a', 'U8', '[1]', '[0,1]')},${entry('\\u0061', 'U8', '[1]', '[1,2]')}}`, 2,
    'DUPLICATE_TENSOR', 'a'],
  ['an unknown type', `{${entry('a', 'X8', '[1]', '[0,1]')}}`, 1, 'UNSUPPORTED_TENSOR_TYPE', 'a'],
  ['a type below a byte', `{${entry('a', 'F4', '[2]', '[0,1]')}}`, 1,
    'UNSUPPORTED_TENSOR_TYPE', 'a'],
  ['an inherited type', `{${entry('a', 'toString', '[1]', '[0,1]')}}`, 1,
    'UNSUPPORTED_TENSOR_TYPE', 'a'],
  ['too few bytes for the shape', `{${entry('a', 'F32', '[2]', '[0,4]')}}`, 4, 'BAD_SHAPE', 'a'],
  ['a negative length', `{${entry('a', 'U8', '[-1]', '[0,1]')}}`, 1, 'BAD_SHAPE', 'a'],
  ['half a length', `{${entry('a', 'U8', '[0.5]', '[0,1]')}}`, 1, 'BAD_SHAPE', 'a'],
  ['a product of 2^64', `{${entry('a', 'U8', '[4294967296,4294967296]', '[0,0]')}}`, 0,
    'BAD_SHAPE', 'a'],
  ['a product of 2^106', `{${entry('a', 'F32', '[9007199254740991,9007199254740991]', '[0,4]')}}`,
    4, 'BAD_SHAPE', 'a'],
  ['a product of 2^106 times 0',
    `{${entry('a', 'U8', '[9007199254740991,9007199254740991,0]', '[0,0]')}}`, 0, 'BAD_SHAPE', 'a'],
  ['a million dimensions', `{${entry('a', 'U8', `[1${',1'.repeat(1e6)}]`, '[0,1]')}}`, 1,
    'BAD_SHAPE', 'a'],
  ['a hole at the start', `{${entry('a', 'U8', '[1]', '[1,2]')}}`, 2, 'BAD_OFFSETS', 'a'],
  ['a hole between tensors',
    `{${entry('a', 'U8', '[1]', '[0,1]')},${entry('b', 'U8', '[1]', '[2,3]')}}`, 3,
    'BAD_OFFSETS', 'b'],
  ['an overlap', `{${entry('a', 'U8', '[2]', '[0,2]')},${entry('b', 'U8', '[2]', '[1,3]')}}`, 3,
    'BAD_OFFSETS', 'b'],
  ['the same bytes twice',
    `{${entry('a', 'U8', '[2]', '[0,2]')},${entry('b', 'U8', '[2]', '[0,2]')}}`, 2,
    'BAD_OFFSETS', 'b'],
  ['an empty tensor inside another',
    `{${entry('a', 'U8', '[2]', '[0,2]')},${entry('b', 'U8', '[0]', '[1,1]')}}`, 2,
    'BAD_OFFSETS', 'b'],
  ['reversed offsets', `{${entry('a', 'U8', '[1]', '[1,0]')}}`, 1, 'BAD_OFFSETS', 'a'],
  ['a negative offset', `{${entry('a', 'U8', '[1]', '[-1,0]')}}`, 1, 'BAD_OFFSETS', 'a'],
  ['three offsets', `{${entry('a', 'U8', '[1]', '[0,1,2]')}}`, 1, 'BAD_OFFSETS', 'a'],
  ['one offset', `{${entry('a', 'U8', '[1]', '[0]')}}`, 1, 'BAD_OFFSETS', 'a'],
  ['an offset of 2^53 + 1', `{${entry('a', 'U8', '[1]', '[0,9007199254740993]')}}`, 1,
    'BAD_OFFSETS', 'a'],
  ['an offset of 1e400', `{${entry('a', 'U8', '[1]', '[0,1e400]')}}`, 1, 'BAD_OFFSETS', 'a'],
  ['bytes after the data', `{${entry('a', 'U8', '[1]', '[0,1]')}}`, 2, 'BAD_OFFSETS', 'a'],
  ['cut data', `{${entry('a', 'U8', '[4]', '[0,4]')}}`, 3, 'BAD_OFFSETS', 'a'],
  ['bytes but no tensors', '{}', 1, 'BAD_OFFSETS', ''],
];
for (const [what, header, dataBytes, code, where] of HEADERS) {
  hostile(`refuses ${what} as ${code}`, () => {
    const facts = typeof where === 'number' ? { offset: where } : where ? { field: where } : {};
    const bytes = rawFile(header, dataBytes);
    assert.throws(() => decodeSafetensors(bytes, 'x'), refused(code, { file: 'x', ...facts }));
  });
}

hostile('refuses more than 65,536 tensors or metadata entries', () => {
  const many = Array.from({ length: 65_537 }, (_, i) => entry(`${i}`, 'U8', '[0]', '[0,0]'));
  assert.is(outcome(rawFile(`{${many.join(',')}}`)), 'COUNT_TOO_LARGE');
  assert.is(outcome(rawFile(`{${many.slice(1).join(',')}}`)), 'decoded');
  const fields = Array.from({ length: 65_537 }, (_, i) => `"${i}":""`);
  assert.is(outcome(rawFile(`{"__metadata__":{${fields.join(',')}}}`)), 'COUNT_TOO_LARGE');
});

hostile('keeps no control character of a name in a message', () => {
  const bytes = rawFile(`{${entry('\\u001b[2J\\u202e', 'X', '[1]', '[0,1]')}}`, 1);
  assert.throws(() => decodeSafetensors(bytes), (e: unknown) => {
    const { message } = e as ModelFileError;
    return message.includes('\\u001b') && !/[\x00-\x1f\u202e]/.test(message);
  });
});

hostile.run();

const damage = suite('decodeSafetensors of damaged files');

for (const checksum of [false, true]) {
  const seal = checksum ? 'sealed' : 'plain';

  damage(`refuses every beginning of a ${seal} file`, () => {
    const bytes = smallFile(checksum);
    for (let n = 0; n < bytes.length; n++) assert.is.not(outcome(bytes.subarray(0, n)), 'decoded');
  });

  damage(`refuses or decodes a ${seal} file with any header byte replaced`, () => {
    const bytes = smallFile(checksum);
    const headerEnd = 8 + bytes[0] + 256 * bytes[1];
    for (let i = 0; i < headerEnd; i++) {
      const was = bytes[i];
      for (const value of [0, 1, 0x7f, 0x80, 0xff, was + 1, was - 1]) {
        if ((value & 255) === was) continue;
        bytes[i] = value;
        const code = outcome(bytes);
        if (checksum) assert.is.not(code, 'decoded', `byte ${i} as ${value}`);
      }
      bytes[i] = was;
    }
  });
}

damage('refuses a sealed file with any single bit flipped', () => {
  const bytes = smallFile(true);
  assert.is(outcome(bytes), 'decoded');
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3] ^= 1 << (bit & 7);
    assert.is.not(outcome(bytes), 'decoded', `bit ${bit}`);
    bytes[bit >> 3] ^= 1 << (bit & 7);
  }
});

damage('refuses a checksum that is only spelled right', () => {
  const text = String.fromCharCode(...smallFile(true));
  const upper = text.replace(/(crc32":")([0-9a-f]{8})/, (_, key, hex) => key + hex.toUpperCase());
  assert.is.not(upper, text);
  assert.is(outcome(latin(upper)), 'CORRUPT');
});

damage('refuses a seal of which one half is gone', () => {
  const file = (fields: string) => rawFile(`{"__metadata__":{${fields}}}`);
  assert.is(outcome(file('"onebit.crc32":"00000000"')), 'CORRUPT');
  assert.is(outcome(file('"onebit.sealed":"crc32"')), 'CORRUPT');
  assert.is(outcome(file('"onebit.sealed":"crc32","onebit.crc32":""')), 'CORRUPT');
  assert.is(outcome(file('"crc32":"00000000"')), 'decoded'); // somebody else's field
});

damage.run();

const fuzz = suite('decodeSafetensors of mutated files');

const PIECES = [
  '{', '}', '[', ']', ',', ':', '"', '\\', '\\u0000', '\\ud800', '0', '-1', '1e9', '4294967296',
  '9007199254740993', '"dtype"', '"shape"', '"data_offsets"', '"__metadata__"', '"__proto__"',
  '"F32"', '"F4"', 'null', ' ', '\n', '\x00', '\xff', '\xef\xbb\xbf', '"onebit.crc32":"00000000",',
  '"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},',
];

/** One to four changes of the header text; mostly with a length that fits it again. */
function mutate(source: string, rng: Rng): Uint8Array {
  const dataAt = 8 + source.charCodeAt(0) + 256 * source.charCodeAt(1);
  let header = source.slice(8, dataAt);
  for (let changes = 1 + rng.nextBelow(4); changes > 0; changes--) {
    const at = rng.nextBelow(header.length + 1);
    const end = Math.min(header.length, at + rng.nextBelow(rng.nextBelow(4) === 0 ? 60 : 4));
    const from = rng.nextBelow(header.length + 1);
    const piece =
      rng.nextBelow(3) > 0
        ? PIECES[rng.nextBelow(PIECES.length)]
        : header.slice(from, from + rng.nextBelow(60));
    header = header.slice(0, at) + (rng.nextBelow(4) === 0 ? '' : piece) + header.slice(end);
  }
  const data = source.slice(dataAt, dataAt + (rng.nextBelow(8) === 0 ? rng.nextBelow(40) : 31));
  const length = header.length + (rng.nextBelow(10) === 0 ? rng.nextBelow(5) - 2 : 0);
  return rawFile(latin(header + data), 0, BigInt(Math.max(0, length)));
}

fuzz('gives a typed error or tensors inside the file, for 20,000 inputs', () => {
  const sources = [false, true].map((checksum) => String.fromCharCode(...smallFile(checksum)));
  const rng = new Rng(20);
  const before = Object.getOwnPropertyNames(Object.prototype).join();
  const seen = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const code = outcome(mutate(sources[i & 1], rng));
    seen.set(code, (seen.get(code) ?? 0) + 1);
  }
  assert.is(Object.getOwnPropertyNames(Object.prototype).join(), before);
  for (const code of [
    'decoded', 'BAD_HEADER', 'BAD_OFFSETS', 'BAD_SHAPE', 'DUPLICATE_TENSOR', 'TRUNCATED',
    'UNSUPPORTED_TENSOR_TYPE', 'CORRUPT',
  ])
    assert.ok(seen.has(code), `no input led to ${code}: ${[...seen.keys()]}`);
});

fuzz('answers a header of 16 MiB in a time proportional to it', () => {
  for (const [start, filler] of [
    ['{"', 'a'], ['{"', '\\u0061'], ['{"', '\xc3\xa9'], ['{', ' '], ['{}', ' '],
    ['{"__metadata__":{', '"a":"b",'], ['{"a":{"shape":[', '1,'], ['{"a":{', '"dtype":"U8",'],
  ]) {
    const header = latin((start + filler.repeat(2 ** 24 / filler.length)).slice(0, 2 ** 24));
    const bytes = rawFile(header);
    const started = performance.now();
    outcome(bytes);
    assert.ok(performance.now() - started < 1000, `${start}${filler}…`);
  }
});

fuzz.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { crc32 } from '../../src/io/crc32.ts';
import { Rng } from '../../src/rng.ts';

const test = suite('crc32');

/** The definition, bit by bit. */
function slowCrc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const b of bytes) {
    c ^= b;
    for (let bit = 0; bit < 8; bit++) c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0);
  }
  return ~c >>> 0;
}

function randomBytes(n: number, seed: number): Uint8Array {
  const rng = new Rng(seed);
  return Uint8Array.from({ length: n }, () => rng.nextU32());
}

test('gives the check value of the standard', () => {
  assert.is(crc32(new TextEncoder().encode('123456789')), 0xcbf43926);
  assert.is(crc32(new Uint8Array(0)), 0);
  assert.is(crc32(new Uint8Array(32)), 0x190a55ad);
});

// 7, 8, 9 straddle one step of 8 bytes.
for (const n of [1, 7, 8, 9, 15, 16, 17, 1000]) {
  test(`equals the definition for ${n} bytes, at every alignment`, () => {
    const bytes = randomBytes(n + 8, n);
    for (let at = 0; at < 8; at++) {
      const part = bytes.subarray(at, at + n);
      assert.is(crc32(part), slowCrc32(part));
    }
  });
}

test('can be chained at every cut', () => {
  const bytes = randomBytes(40, 3);
  for (let cut = 0; cut <= 40; cut++)
    assert.is(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut))), crc32(bytes));
});

test('changes with every single bit', () => {
  const bytes = randomBytes(100, 4);
  const before = crc32(bytes);
  for (let bit = 0; bit < 800; bit++) {
    bytes[bit >> 3] ^= 1 << (bit & 7);
    assert.is.not(crc32(bytes), before);
    bytes[bit >> 3] ^= 1 << (bit & 7);
  }
});

test.run();

// encodeF16, decodeF16: all 65,536 halves, and every boundary between two of them.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as ref from '../../src/ref/half.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import { sameBits, sameIntegers } from '../helpers/close.ts';
import { builds, isolated, place, readF32, readU8, room } from '../helpers/kernels.ts';
import { randomF32 } from '../helpers/random.ts';

const bytesOf = (halves: Uint16Array): Uint8Array => new Uint8Array(halves.buffer);

const decode = (engine: Engine, halves: Uint16Array): Float32Array => isolated(engine, () => {
  const y = room(engine, halves.length * 4);
  engine.kernels.decodeF16(place(engine, bytesOf(halves)), y, halves.length);
  return readF32(engine, y, halves.length);
});

const encode = (engine: Engine, x: Float32Array): Uint16Array => isolated(engine, () => {
  const y = room(engine, x.length * 2);
  engine.kernels.encodeF16(place(engine, x), y, x.length);
  return new Uint16Array(readU8(engine, y, x.length * 2).buffer);
});

const ALL = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
const isNaNHalf = (bits: number): boolean => (bits & 0x7fff) > 0x7c00;

/** The f32 next to x, away from zero (1) or towards it (−1). */
function neighbour(x: number, step: 1 | -1): number {
  const bits = new Uint32Array(Float32Array.of(x).buffer);
  bits[0] += step;
  return new Float32Array(bits.buffer)[0];
}

for (const { name, engine } of builds) {
  const test = suite(`half-f16 [${name}]`);

  test('decodes every half exactly', () => {
    sameBits(decode(engine, ALL), Float32Array.from(ALL, ref.decodeF16));
  });

  test('encodes the value of every half as that half', () => {
    const finite = ALL.filter((bits) => !isNaNHalf(bits));
    sameIntegers(encode(engine, decode(engine, finite)), finite);
  });

  test('rounds the middle between two halves to the even one, its neighbours to the nearer', () => {
    const positive = ALL.filter((bits) => bits < 0x7c00);
    const middles = Float32Array.from(positive, (bits) =>
      bits === 0x7bff ? 65_520 : (ref.decodeF16(bits) + ref.decodeF16(bits + 1)) / 2);
    const even = positive.map((bits) => bits + (bits & 1));
    sameIntegers(encode(engine, middles), even);
    sameIntegers(encode(engine, middles.map((x) => neighbour(x, -1))), positive);
    sameIntegers(encode(engine, middles.map((x) => neighbour(x, 1))), positive.map((b) => b + 1));
    sameIntegers(encode(engine, middles.map((x) => -x)), even.map((bits) => bits | 0x8000));
  });

  test('encodes infinities, NaN, zeros and what is far out of range', () => {
    const x = Float32Array.of(Infinity, -Infinity, NaN, 0, -0, 3e38, -3e38, 1e-45, -1e-45, 65_519);
    sameIntegers(encode(engine, x).map((bits, i) => (i === 2 ? bits & 0x7fff : bits)),
      [0x7c00, 0xfc00, 0x7e00, 0, 0x8000, 0x7c00, 0xfc00, 0, 0x8000, 0x7bff]);
  });

  for (const n of [0, 1, 3, 4, 5, 7, 8, 9, 67])
    test(`is its twin for ${n} values and writes no more`, () => {
      for (const scale of [1e-7, 1e-5, 1, 3e4]) {
        const x = randomF32(n, n + 1, scale), halves = encode(engine, x);
        sameIntegers(halves, Array.from(x, ref.encodeF16));
        sameBits(decode(engine, halves), Float32Array.from(halves, ref.decodeF16));
      }
    });

  test('is off by 2^−11 of a normal value at most', () => {
    const x = randomF32(4096, 1), y = decode(engine, encode(engine, x));
    x.forEach((value, i) => {
      if (Math.abs(value) >= 2 ** -14)
        assert.ok(Math.abs(y[i] - value) <= Math.abs(value) * 2 ** -11);
    });
  });

  test.run();
}

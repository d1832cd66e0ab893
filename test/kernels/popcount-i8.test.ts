import { suite } from 'uvu';
import { paddedCols, rowBytes } from '../../src/quant/layout.ts';
import * as ref from '../../src/ref/bit-gemm.ts';
import { sameIntegers } from '../helpers/close.ts';
import { builds, isolated, place, readU8, room } from '../helpers/kernels.ts';
import type { Build } from '../helpers/kernels.ts';
import { naive, padCodes, popcount } from '../helpers/products.ts';
import { randomI8, randomSigns } from '../helpers/random.ts';
import { COLUMNS, ROWS } from '../helpers/sizes.ts';

/** Columns around a flush: a u8 lane gains 8 a vector and is full after 31. */
const FLUSHES = [31 * 128 - 1, 31 * 128, 31 * 128 + 1, 32 * 128, 63 * 128];

function planes({ engine }: Build, q: Int8Array, m: number, k: number, bits: number): Uint8Array {
  const kv = rowBytes('b1', k) / 16, size = m * bits * kv * 16;
  return isolated(engine, () => {
    const from = place(engine, q), to = room(engine, size);
    engine.kernels.planesI8(from, to, m, k, paddedCols(k), kv, bits);
    return readU8(engine, to, size);
  });
}

/** Random codes of `bits` bits: ±1 if it is one. */
function codesOf(bits: number, n: number, seed: number): Int8Array {
  const half = 2 ** (bits - 1);
  return bits === 1 ? randomSigns(n, seed) : randomI8(n, seed, -half, half - 1);
}

for (const build of builds) {
  const test = suite(`popcount-i8 [${build.name}]`);

  for (let bits = 1; bits <= 8; bits++) {
    const half = 2 ** (bits - 1);

    test(`planesI8 equals the reference for ${bits} bits`, () => {
      for (const k of COLUMNS)
        for (const m of [1, 3]) {
          const q = padCodes({ m, n: 0, k, x: codesOf(bits, m * k, k), w: new Int8Array(0) });
          const kv = rowBytes('b1', k) / 16;
          sameIntegers(
            planes(build, q, m, k, bits), ref.planesI8(q, m, k, paddedCols(k), kv, bits),
            `${m} × ${k}`);
        }
    });

    test(`equals the plain product for ${bits} bits at every size`, () => {
      for (const k of COLUMNS)
        for (const n of ROWS) {
          const m = 1 + (n % 3);
          const product = {
            m, n, k, x: codesOf(bits, m * k, k + n), w: randomSigns(n * k, k * n),
          };
          sameIntegers(popcount(build, product, bits), naive(product), `${m} × ${n} × ${k}`);
        }
    });

    for (const k of FLUSHES) {
      test(`no u8 counter wraps at ${bits} bits and ${k} columns`, () => {
        // For 1 bit unlike signs, else all bits set, make each of the 8 bits of a byte count.
        const fills = bits === 1 ? [1, -1] : [half - 1, -half, -1, 0];
        for (const fill of fills)
          for (const sign of [1, -1]) {
            const n = 4;
            const x = new Int8Array(k).fill(fill), w = new Int8Array(n * k).fill(sign);
            const product = { m: 1, n, k, x, w };
            sameIntegers(popcount(build, product, bits), naive(product), `${fill} · ${sign}`);
          }
      });
    }
  }

  test('does not let one row disturb another', () => {
    const k = 32 * 128, n = 32;
    const w = Int8Array.from({ length: n * k }, (_, i) => (Math.floor(i / k) & 1 ? 1 : -1));
    for (const [bits, fill] of [[1, 1], [2, 1], [8, 127]]) {
      const product = { m: 1, n, k, x: new Int8Array(k).fill(fill), w };
      sameIntegers(popcount(build, product, bits), naive(product), `${bits} bits`);
    }
  });

  test.run();
}

import { suite } from 'uvu';
import { paddedCols } from '../../src/quant/layout.ts';
import * as ref from '../../src/ref/bit-gemm.ts';
import { sameIntegers } from '../helpers/close.ts';
import { builds, isolated, place, readU8, room } from '../helpers/kernels.ts';
import type { Build } from '../helpers/kernels.ts';
import { naive, padCodes, popcount } from '../helpers/products.ts';
import { randomI8, randomSigns, randomTernary } from '../helpers/random.ts';
import { COLUMNS, ROWS } from '../helpers/sizes.ts';

/** Columns around a flush: a u8 lane gains 8 in a step of 64 columns and is full after 31. */
const FLUSHES = [31 * 64 - 1, 31 * 64, 31 * 64 + 1, 32 * 64, 63 * 64, 31 * 64 + 56];

function planes({ engine }: Build, q: Int8Array, m: number, kp: number, bits: number): Uint8Array {
  const size = (m * bits * kp) / 8;
  return isolated(engine, () => {
    const from = place(engine, q), to = room(engine, size);
    engine.kernels.planesI8(from, to, m, kp, bits);
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
          sameIntegers(
            planes(build, q, m, paddedCols(k), bits), ref.planesI8(q, m, paddedCols(k), bits),
            `${m} × ${k}`);
        }
    });

    // Ternary weights have no XNOR: their activations have 2 bits or more.
    for (const kind of bits === 1 ? ['b1'] as const : ['b1', 't2'] as const) {
      const weights = kind === 'b1' ? randomSigns : randomTernary;

      test(`${kind}: equals the plain product for ${bits} bits at every size`, () => {
        for (const k of COLUMNS)
          for (const n of ROWS) {
            const m = 1 + (n % 3);
            const product = { m, n, k, x: codesOf(bits, m * k, k + n), w: weights(n * k, k * n) };
            sameIntegers(popcount(build, kind, product, bits), naive(product), `${m} × ${n} × ${k}`);
          }
      });

      for (const k of FLUSHES) {
        test(`${kind}: no u8 counter wraps at ${bits} bits and ${k} columns`, () => {
          // For 1 bit unlike signs, else all bits set, make each of the 8 bits of a byte count.
          const fills = bits === 1 ? [1, -1] : [half - 1, -half, -1, 0];
          for (const fill of fills)
            for (const sign of [1, -1]) {
              const n = 4;
              const x = new Int8Array(k).fill(fill), w = new Int8Array(n * k).fill(sign);
              const product = { m: 1, n, k, x, w };
              sameIntegers(popcount(build, kind, product, bits), naive(product), `${fill} · ${sign}`);
            }
        });
      }
    }
  }

  test('does not let one row disturb another', () => {
    const k = 32 * 128, n = 32;
    const w = Int8Array.from({ length: n * k }, (_, i) => (Math.floor(i / k) % 3 ? 1 : -1));
    for (const [bits, fill] of [[1, 1], [2, 1], [8, 127]]) {
      const product = { m: 1, n, k, x: new Int8Array(k).fill(fill), w };
      sameIntegers(popcount(build, 'b1', product, bits), naive(product), `${bits} bits`);
    }
  });

  test.run();
}

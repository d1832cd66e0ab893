import { suite } from 'uvu';
import { paddedCols } from '../../src/quant/layout.ts';
import type { BitKind } from '../../src/quant/layout.ts';
import * as ref from '../../src/ref/bit-gemm.ts';
import { sameIntegers } from '../helpers/close.ts';
import { builds, isolated, place, readU8, room } from '../helpers/kernels.ts';
import type { Build } from '../helpers/kernels.ts';
import { lookup, naive, padCodes } from '../helpers/products.ts';
import { randomI8, randomSigns, randomTernary } from '../helpers/random.ts';
import { COLUMNS, ROWS } from '../helpers/sizes.ts';

/**
 * Columns around the end of a chunk, 1,024 of b1 and 512 of t2, after which u16 sums go to i32; a chunk
 * of the worst case fills a u16 lane to 64 · 240 = 15,360.
 */
const CHUNKS: Readonly<Record<BitKind, readonly number[]>> = {
  b1: [1024 - 16, 1024, 1024 + 16, 2048, 4096 + 16],
  t2: [512 - 16, 512, 512 + 16, 1024, 4096 + 16],
};

/** Rows of codes that drive the counters to their ends: 127 is the largest sum, −128 the least. */
const FILLS: readonly ((column: number) => number)[] = [
  () => 127, () => -128, () => -127, () => 0, () => -1, (column) => (column & 1 ? -128 : 127),
];

function tables({ engine }: Build, q: Int8Array, m: number, kp: number): Uint8Array {
  return isolated(engine, () => {
    const from = place(engine, q), to = room(engine, m * kp * 8);
    engine.kernels.tablesI8(from, to, m, kp);
    return readU8(engine, to, m * kp * 8);
  });
}

const weights = (kind: BitKind, n: number, seed: number): Int8Array =>
  kind === 'b1' ? randomSigns(n, seed) : randomTernary(n, seed);

for (const build of builds) {
  const test = suite(`lookup-i8 [${build.name}]`);

  test('tablesI8 equals the reference for every code', () => {
    const q = Int8Array.from({ length: 1024 }, (_, i) => (i >> 2) - 128); // four of each
    sameIntegers(tables(build, q, 1, 1024), ref.tablesI8(q, 1, 1024));
  });

  for (const k of COLUMNS) {
    test(`tablesI8 equals the reference for ${k} columns`, () => {
      for (const m of [1, 3]) {
        const q = padCodes({ m, n: 0, k, x: randomI8(m * k, k), w: new Int8Array(0) });
        sameIntegers(tables(build, q, m, paddedCols(k)), ref.tablesI8(q, m, paddedCols(k)));
      }
    });
  }

  for (const kind of ['b1', 't2'] as const) {
    for (const k of COLUMNS) {
      test(`${kind}: equals the plain product for ${k} columns and all rows`, () => {
        for (const n of ROWS)
          for (const m of [1, 2, 5]) {
            const product = { m, n, k, x: randomI8(m * k, n + k), w: weights(kind, n * k, m + k) };
            sameIntegers(lookup(build, kind, product), naive(product), `${m} × ${n} × ${k}`);
          }
      });
    }

    for (let bits = 1; bits <= 8; bits++) {
      test(`${kind}: equals the plain product for activations of ${bits} bits`, () => {
        const m = 3, n = 33, k = 129, half = 2 ** (bits - 1);
        const x = bits === 1 ? randomSigns(m * k, 1) : randomI8(m * k, bits, -half, half - 1);
        const product = { m, n, k, x, w: weights(kind, n * k, bits) };
        sameIntegers(lookup(build, kind, product), naive(product));
      });
    }

    for (const k of CHUNKS[kind]) {
      const n = 33, m = FILLS.length;
      const x = Int8Array.from({ length: m * k }, (_, i) => FILLS[Math.floor(i / k)](i % k));

      for (const sign of [1, -1]) {
        test(`${kind}: no counter wraps with ${k} extreme codes and weights ${sign}`, () => {
          const product = { m, n, k, x, w: new Int8Array(n * k).fill(sign) };
          sameIntegers(lookup(build, kind, product), naive(product));
        });
      }

      test(`${kind}: no row disturbs another with ${k} columns, rows +1 and −1 in turn`, () => {
        // Rows r and r + 8 share a u16 lane: one of them is +1, the other −1.
        const sign = (r: number): number => ((r + (r >> 3)) & 1 ? 1 : -1);
        const w = Int8Array.from({ length: n * k }, (_, i) => sign(Math.floor(i / k)));
        const product = { m, n, k, x, w };
        sameIntegers(lookup(build, kind, product), naive(product));
      });

      test(`${kind}: equals the plain product for ${k} columns of random codes`, () => {
        const product = { m: 2, n, k, x: randomI8(2 * k, k), w: weights(kind, n * k, k) };
        sameIntegers(lookup(build, kind, product), naive(product));
      });
    }
  }

  test.run();
}

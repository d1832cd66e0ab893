// What the table-lookup products read of the activations: for each group of 4 columns the 16 subset
// sums of the low nibbles, then those of the high nibbles; see lib/lookup.ts.
//
// Bound   About 30 operations a group, once per token: a 2048 × 2048 product spends 4 % of its time here.

import { TABLE_BYTES } from '../lib/lookup';

/** The bits of a 4-bit index, spread over the 16 entries of a table; and a nibble mask each. */
const IN_SUBSET_0: v128 = i8x16(0, 15, 0, 15, 0, 15, 0, 15, 0, 15, 0, 15, 0, 15, 0, 15);
const IN_SUBSET_1: v128 = i8x16(0, 0, 15, 15, 0, 0, 15, 15, 0, 0, 15, 15, 0, 0, 15, 15);
const IN_SUBSET_2: v128 = i8x16(0, 0, 0, 0, 15, 15, 15, 15, 0, 0, 0, 0, 15, 15, 15, 15);
const IN_SUBSET_3: v128 = i8x16(0, 0, 0, 0, 0, 0, 0, 0, 15, 15, 15, 15, 15, 15, 15, 15);

/** x >> 4 = ((x + 128) >>> 4) − 8, so a subset of n members is off by 8n; and 32 is added. */
const HIGH_BIAS: v128 =
  i8x16(32, 24, 24, 16, 24, 16, 16, 8, 24, 16, 16, 8, 16, 8, 8, 0);

/** Table of 16 subset sums of the nibbles in x0 … x3, each one value in all bytes. */
// @ts-ignore: decorator
@inline
function subsetSums(x0: v128, x1: v128, x2: v128, x3: v128): v128 {
  const s01 = i8x16.add(v128.and(x0, IN_SUBSET_0), v128.and(x1, IN_SUBSET_1));
  const s23 = i8x16.add(v128.and(x2, IN_SUBSET_2), v128.and(x3, IN_SUBSET_3));
  return i8x16.add(s01, s23);
}

/**
 * tables ← the subset sums of every group of 4 columns.
 *
 * @param q i8[m, kp], kp a multiple of 4
 * @param tables u8[m, kp/4, 32], 16-byte aligned: 16 low sums, then 16 high sums
 */
export function tablesI8(q: usize, tables: usize, m: usize, kp: usize): void {
  const end = q + m * kp;
  const flip = i8x16.splat(-128), nibble = i8x16.splat(15);
  for (; q < end; q += 4, tables += TABLE_BYTES) {
    const x0 = v128.load8_splat(q), x1 = v128.load8_splat(q + 1);
    const x2 = v128.load8_splat(q + 2), x3 = v128.load8_splat(q + 3);
    v128.store(tables, subsetSums(x0, x1, x2, x3));
    const h0 = v128.and(i16x8.shr_u(v128.xor(x0, flip), 4), nibble);
    const h1 = v128.and(i16x8.shr_u(v128.xor(x1, flip), 4), nibble);
    const h2 = v128.and(i16x8.shr_u(v128.xor(x2, flip), 4), nibble);
    const h3 = v128.and(i16x8.shr_u(v128.xor(x3, flip), 4), nibble);
    v128.store(tables, i8x16.add(subsetSums(h0, h1, h2, h3), HIGH_BIAS), 16);
  }
}

// What the table-lookup products read of the activations: for each group of 4 columns the 16 subset
// sums of the low nibbles, then those of the high nibbles; see lib/lookup.ts.
//
// Bound   About 30 operations a group, once per token: a 2048 × 2048 product spends 4 % of its time here.

import { TABLE_BYTES } from '../lib/lookup';

/**
 * The bits of a 4-bit index, spread over the 16 entries of a table, a nibble mask each; then what makes
 * x >> 4 = ((x + 128) >>> 4) − 8 of a subset of n members right, −8n, and adds 32.
 *
 * In memory, because engines keep a vector that was loaded before a loop in a register, but build a
 * constant one anew in each round: 1.4 instead of 4.5 µs for 2,048 columns in V8 13.6.
 */
const CONSTANTS: usize = memory.data<u8>([
  0, 15, 0, 15, 0, 15, 0, 15, 0, 15, 0, 15, 0, 15, 0, 15,
  0, 0, 15, 15, 0, 0, 15, 15, 0, 0, 15, 15, 0, 0, 15, 15,
  0, 0, 0, 0, 15, 15, 15, 15, 0, 0, 0, 0, 15, 15, 15, 15,
  0, 0, 0, 0, 0, 0, 0, 0, 15, 15, 15, 15, 15, 15, 15, 15,
  32, 24, 24, 16, 24, 16, 16, 8, 24, 16, 16, 8, 16, 8, 8, 0,
  15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
], 16);

/**
 * tables ← the subset sums of every group of 4 columns.
 *
 * @param q i8[m, kp], kp a multiple of 4
 * @param tables u8[m, kp/4, 32], 16-byte aligned: 16 low sums, then 16 high sums
 */
export function tablesI8(q: usize, tables: usize, m: usize, kp: usize): void {
  const in0 = v128.load(CONSTANTS), in1 = v128.load(CONSTANTS, 16);
  const in2 = v128.load(CONSTANTS, 32), in3 = v128.load(CONSTANTS, 48);
  const bias = v128.load(CONSTANTS, 64), nibble = v128.load(CONSTANTS, 80), flip = v128.load(CONSTANTS, 96);
  for (const end = q + m * kp; q < end; q += 4, tables += TABLE_BYTES) {
    let x0 = v128.load8_splat(q), x1 = v128.load8_splat(q + 1);
    let x2 = v128.load8_splat(q + 2), x3 = v128.load8_splat(q + 3);
    let s01 = i8x16.add(v128.and(x0, in0), v128.and(x1, in1));
    let s23 = i8x16.add(v128.and(x2, in2), v128.and(x3, in3));
    v128.store(tables, i8x16.add(s01, s23));
    x0 = v128.and(i16x8.shr_u(v128.xor(x0, flip), 4), nibble);
    x1 = v128.and(i16x8.shr_u(v128.xor(x1, flip), 4), nibble);
    x2 = v128.and(i16x8.shr_u(v128.xor(x2, flip), 4), nibble);
    x3 = v128.and(i16x8.shr_u(v128.xor(x3, flip), 4), nibble);
    s01 = i8x16.add(v128.and(x0, in0), v128.and(x1, in1));
    s23 = i8x16.add(v128.and(x2, in2), v128.and(x3, in3));
    v128.store(tables, i8x16.add(i8x16.add(s01, s23), bias), 16);
  }
}

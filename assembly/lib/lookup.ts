// The inner loop of the table-lookup products: one or two tokens' tables meet one tile.
//
// For 4 neighbouring columns there are 16 subsets of a token's activations; their sums are in a
// table, and 4 weight bits are the index of a swizzle: one swizzle looks up 16 rows. A sum of i8
// values does not fit a byte, so low and high nibbles have a table each:
//
//   low[s]  = Σ_{i∈s} (x_i & 15)             0 … 60
//   high[s] = Σ_{i∈s} (x_i >> 4) + 32        0 … 60
//   Σ_{bit = 1} x = Σ low + 16·(Σ high − 32·lookups)
//
// Widen   Four lookups fit a byte (4 · 60 = 240). Then even and odd bytes go to u16 lanes: the even
//         ones as (raw sum) − 256·(odd sum), all modulo 2^16. A u16 lane holds 1,092 lookups
//         (65,535 / 60): callers stay within MAX_STEPS.
// Bound   Vector arithmetic: a step of 512 weights is 64 operations (80 where a swizzle is two) and 20
//         loads. At four operations a cycle, the machine's most, that is 102 Gmac/s at 3.2 GHz; measured
//         on an EPYC (Zen 3): 92 with relaxed swizzles (V8 13.6), 69 without, 62 on V8 11.3, whose code
//         takes one more load for each swizzle.
// Source  T-MAC (Wei et al. 2024, arXiv 2407.00088) for tables instead of products.

import { putRows8 } from './tile';

/** Added to every entry of a high table. */
export const HIGH_OFFSET: i32 = 32;

/** Bytes of the low and the high table of a group of 4 columns. */
export const TABLE_BYTES: usize = 32;

/** Steps of 4 lookups a byte that a u16 lane holds: ⌊65,535 / 240⌋. */
export const MAX_STEPS: usize = 273;

/** Bytes of weights in a step: two vectors. */
const STEP_BYTES: usize = 32;

/**
 * Columns in a step: two vectors are 16 columns of one plane, or 8 of the two planes of ternary
 * weights, which look up the same tables.
 */
// @ts-ignore: decorator
@inline
export function stepColumns(planes: usize): usize {
  return 16 / planes;
}

/** What is added to the sums of `columns` columns because high tables are offset. */
// @ts-ignore: decorator
@inline
export function lookupBias(columns: usize, planes: usize): i32 {
  return <i32>(columns >> 2) * (<i32>planes * (HIGH_OFFSET << 4));
}

/**
 * 16 bytes of 15, which engines keep in a register: they build a constant vector anew at each use
 * (three instructions in V8, one of them on the port that the lookups need), so it is made of a number
 * that they cannot know: the first of every low table, the sum of the empty subset, 0.
 */
// @ts-ignore: decorator
@inline
function nibbleMask(table: usize): v128 {
  return i8x16.splat(<i8>(15 | load<u8>(table)));
}

/** table[index] for 16 indices below 16: where the relaxed swizzle has to agree with the strict one. */
// @ts-ignore: decorator
@inline
function look(table: v128, index: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(table, index);
  return i8x16.swizzle(table, index);
}

/**
 * Four lookups in the tables of 4 groups, a u8 sum a row.
 *
 * @param offset 0: low sums; 16: high sums
 * @param second bytes from the first two groups to the other two
 */
// @ts-ignore: decorator
@inline
function look4(
  table: usize, offset: usize, second: usize, a0: v128, a1: v128, b0: v128, b1: v128,
): v128 {
  const at = table + offset, next = at + second;
  const a = i8x16.add(look(v128.load(at), a0), look(v128.load(at, TABLE_BYTES), a1));
  const b = i8x16.add(look(v128.load(next), b0), look(v128.load(next, TABLE_BYTES), b1));
  return i8x16.add(a, b);
}

/** y ← low + 16·high, or adds it, from raw and odd u16 sums. */
// @ts-ignore: decorator
@inline
function putSums(
  y: usize, lowRaw: v128, lowOdd: v128, highRaw: v128, highOdd: v128, add: bool,
): void {
  putRows8(y, i16x8.sub(lowRaw, i16x8.shl(lowOdd, 8)), i16x8.sub(highRaw, i16x8.shl(highOdd, 8)), add);
  putRows8(y + 32, lowOdd, highOdd, add);
}

/**
 * y ← the selected sums of a token and a tile, or adds them.
 *
 * @param table of the token, from `tablesI8`, at the first column
 * @param tile at the first column
 * @param y i32[16]
 * @param steps each of `stepColumns(planes)` columns, at most MAX_STEPS
 * @param planes 1: ±1 weights; 2: ternary
 */
// @ts-ignore: decorator
@inline
export function lookupTile(
  table: usize, tile: usize, y: usize, steps: usize, planes: usize, add: bool,
): void {
  const nibble = nibbleMask(table);
  const second: usize = planes == 1 ? 64 : 0, tableStep: usize = 128 / planes;
  let lowRaw = i16x8.splat(0), lowOdd = lowRaw, highRaw = lowRaw, highOdd = lowRaw;
  for (const end = tile + steps * STEP_BYTES; tile < end; tile += STEP_BYTES, table += tableStep) {
    const a = v128.load(tile), b = v128.load(tile, 16);
    const a0 = v128.and(a, nibble), a1 = v128.and(i16x8.shr_u(a, 4), nibble);
    const b0 = v128.and(b, nibble), b1 = v128.and(i16x8.shr_u(b, 4), nibble);
    const low = look4(table, 0, second, a0, a1, b0, b1);
    const high = look4(table, 16, second, a0, a1, b0, b1);
    lowRaw = i16x8.add(lowRaw, low); lowOdd = i16x8.add(lowOdd, i16x8.shr_u(low, 8));
    highRaw = i16x8.add(highRaw, high); highOdd = i16x8.add(highOdd, i16x8.shr_u(high, 8));
  }
  putSums(y, lowRaw, lowOdd, highRaw, highOdd, add);
}

/** `lookupTile` for two tokens, which share the loads and the indices of the weights. */
// @ts-ignore: decorator
@inline
export function lookupTile2(
  table0: usize, table1: usize, tile: usize, y0: usize, y1: usize, steps: usize, planes: usize,
  add: bool,
): void {
  const nibble = nibbleMask(table0);
  const second: usize = planes == 1 ? 64 : 0, tableStep: usize = 128 / planes;
  let lowRaw0 = i16x8.splat(0), lowOdd0 = lowRaw0, highRaw0 = lowRaw0, highOdd0 = lowRaw0;
  let lowRaw1 = lowRaw0, lowOdd1 = lowRaw0, highRaw1 = lowRaw0, highOdd1 = lowRaw0;
  for (; steps > 0; steps--, tile += STEP_BYTES, table0 += tableStep, table1 += tableStep) {
    const a = v128.load(tile), b = v128.load(tile, 16);
    const a0 = v128.and(a, nibble), a1 = v128.and(i16x8.shr_u(a, 4), nibble);
    const b0 = v128.and(b, nibble), b1 = v128.and(i16x8.shr_u(b, 4), nibble);
    let low = look4(table0, 0, second, a0, a1, b0, b1);
    let high = look4(table0, 16, second, a0, a1, b0, b1);
    lowRaw0 = i16x8.add(lowRaw0, low); lowOdd0 = i16x8.add(lowOdd0, i16x8.shr_u(low, 8));
    highRaw0 = i16x8.add(highRaw0, high); highOdd0 = i16x8.add(highOdd0, i16x8.shr_u(high, 8));
    low = look4(table1, 0, second, a0, a1, b0, b1);
    high = look4(table1, 16, second, a0, a1, b0, b1);
    lowRaw1 = i16x8.add(lowRaw1, low); lowOdd1 = i16x8.add(lowOdd1, i16x8.shr_u(low, 8));
    highRaw1 = i16x8.add(highRaw1, high); highOdd1 = i16x8.add(highOdd1, i16x8.shr_u(high, 8));
  }
  putSums(y0, lowRaw0, lowOdd0, highRaw0, highOdd0, add);
  putSums(y1, lowRaw1, lowOdd1, highRaw1, highOdd1, add);
}

/**
 * out ← the selected sums of a token and a tile, for at most 256 columns: u16[16] in the order of the rows.
 *
 * A sum of 64 subsets is at most 64 · (60 + 16 · 60) = 65,280.
 */
// @ts-ignore: decorator
@inline
export function lookupPart(table: usize, tile: usize, out: usize, steps: usize, planes: usize): void {
  const nibble = nibbleMask(table);
  const second: usize = planes == 1 ? 64 : 0, tableStep: usize = 128 / planes;
  let lowRaw = i16x8.splat(0), lowOdd = lowRaw, highRaw = lowRaw, highOdd = lowRaw;
  for (const end = tile + steps * STEP_BYTES; tile < end; tile += STEP_BYTES, table += tableStep) {
    const a = v128.load(tile), b = v128.load(tile, 16);
    const a0 = v128.and(a, nibble), a1 = v128.and(i16x8.shr_u(a, 4), nibble);
    const b0 = v128.and(b, nibble), b1 = v128.and(i16x8.shr_u(b, 4), nibble);
    const low = look4(table, 0, second, a0, a1, b0, b1);
    const high = look4(table, 16, second, a0, a1, b0, b1);
    lowRaw = i16x8.add(lowRaw, low); lowOdd = i16x8.add(lowOdd, i16x8.shr_u(low, 8));
    highRaw = i16x8.add(highRaw, high); highOdd = i16x8.add(highOdd, i16x8.shr_u(high, 8));
  }
  const even = i16x8.sub(lowRaw, i16x8.shl(lowOdd, 8)), evenHigh = i16x8.sub(highRaw, i16x8.shl(highOdd, 8));
  v128.store(out, i16x8.add(even, i16x8.shl(evenHigh, 4)));
  v128.store(out, i16x8.add(lowOdd, i16x8.shl(highOdd, 4)), 16);
}

/**
 * out ← t = S · 2^shift − offset of a token and a tile, for at most 128 columns: i16[16] in the order of the
 * rows. Sums wrap, t does not: it is within ±128 · 127.
 */
// @ts-ignore: decorator
@inline
export function lookupSigned(
  table: usize, tile: usize, out: usize, steps: usize, planes: usize, shift: i32, offset: i32,
): void {
  const nibble = nibbleMask(table);
  const second: usize = planes == 1 ? 64 : 0, tableStep: usize = 128 / planes;
  let lowRaw = i16x8.splat(0), lowOdd = lowRaw, highRaw = lowRaw, highOdd = lowRaw;
  for (const end = tile + steps * STEP_BYTES; tile < end; tile += STEP_BYTES, table += tableStep) {
    const a = v128.load(tile), b = v128.load(tile, 16);
    const a0 = v128.and(a, nibble), a1 = v128.and(i16x8.shr_u(a, 4), nibble);
    const b0 = v128.and(b, nibble), b1 = v128.and(i16x8.shr_u(b, 4), nibble);
    const low = look4(table, 0, second, a0, a1, b0, b1);
    const high = look4(table, 16, second, a0, a1, b0, b1);
    lowRaw = i16x8.add(lowRaw, low); lowOdd = i16x8.add(lowOdd, i16x8.shr_u(low, 8));
    highRaw = i16x8.add(highRaw, high); highOdd = i16x8.add(highOdd, i16x8.shr_u(high, 8));
  }
  const voffset = i16x8.splat(<i16>offset);
  const even = i16x8.sub(lowRaw, i16x8.shl(lowOdd, 8)), evenHigh = i16x8.sub(highRaw, i16x8.shl(highOdd, 8));
  const sums = i16x8.add(even, i16x8.shl(evenHigh, 4)), oddSums = i16x8.add(lowOdd, i16x8.shl(highOdd, 4));
  v128.store(out, i16x8.sub(i16x8.shl(sums, shift), voffset));
  v128.store(out, i16x8.sub(i16x8.shl(oddSums, shift), voffset), 16);
}

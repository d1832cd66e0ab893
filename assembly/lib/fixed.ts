// Scales of blocks in fixed point: from the integers of parts of columns to real numbers, for weights
// and activations that both have a scale for each part.
//
//   y[n] = D[n] · Γ · Σ_b round(δ[n, b] · ξ[b]) · t_b[n]      δ = d/D, ξ = γ/Γ, of 15 bits and a sign
//
// D is the largest |d| of a row of weights, Γ the largest scale of a token; t_b is the exact integer product
// of part b, within ±16,256 for 128 columns, so that it fits i16. A product of two scales is rounded once, to
// 2^−15 of the largest: nothing beside the 2^−8 of the activations.
//
// Group   4 parts: their sum is at most 4 · 16,256 · 32,767 < 2^31, so i32 holds it exactly. Groups are added
//         in f32, in order; so the bits are the same in every variant.
// Bound   62 operations a group and 16 rows, where a scale in f32 takes 52 a part.

/** Parts in a group. */
export const GROUP_PARTS: usize = 4;

/** Bytes of t of a part: i16[16]. */
export const PART_BYTES: usize = 32;

/** Bytes of the scales of two parts: i16[16 rows, 2]. */
const PAIR_BYTES: usize = 64;

/** 32,768 / 32,767²: what the rounded product of two scales has to be multiplied by. */
export const FIXED_FACTOR: f32 = 3.051944088e-5;

/** Four rows, 4i …: Σ of two parts of round(δ · ξ) · t. */
// @ts-ignore: decorator
@inline
function pairSums(t: usize, d: usize, xi: v128, i: usize): v128 {
  const at = t + ((i >> 1) << 4), first = v128.load(at), second = v128.load(at + PART_BYTES);
  const both = i & 1 ? v128.shuffle<i16>(first, second, 4, 12, 5, 13, 6, 14, 7, 15)
    : v128.shuffle<i16>(first, second, 0, 8, 1, 9, 2, 10, 3, 11);
  return i32x4.dot_i16x8_s(both, i16x8.q15mulr_sat_s(v128.load(d + (i << 4)), xi));
}

/** Four rows of a group. */
// @ts-ignore: decorator
@inline
function groupRows4(t: usize, d: usize, xi: usize, y: usize, pairs: usize, add: bool, i: usize): void {
  let sum = pairSums(t, d, v128.load32_splat(xi), i);
  if (pairs == 2)
    sum = i32x4.add(sum, pairSums(t + (PART_BYTES << 1), d + PAIR_BYTES, v128.load32_splat(xi + 4), i));
  const value = f32x4.convert_i32x4_s(sum), at = y + (i << 4);
  v128.store(at, add ? f32x4.add(v128.load(at), value) : value);
}

/**
 * y ← Σ of the group's parts, or adds it.
 *
 * @param t i16[2 · pairs, 16]; d i16[pairs, 16, 2]; xi i16[2 · pairs]; y f32[16]
 * @param pairs 1 or 2
 */
// @ts-ignore: decorator
@inline
export function addGroup(t: usize, d: usize, xi: usize, y: usize, pairs: usize, add: bool): void {
  groupRows4(t, d, xi, y, pairs, add, 0);
  groupRows4(t, d, xi, y, pairs, add, 1);
  groupRows4(t, d, xi, y, pairs, add, 2);
  groupRows4(t, d, xi, y, pairs, add, 3);
}

/** y ← y · D · factor for 16 rows. */
// @ts-ignore: decorator
@inline
export function scaleRows(y: usize, rowScales: usize, factor: f32): void {
  const vfactor = f32x4.splat(factor);
  for (let i: usize = 0; i < 64; i += 16)
    v128.store(y + i, f32x4.mul(v128.load(y + i), f32x4.mul(v128.load(rowScales + i), vfactor)));
}

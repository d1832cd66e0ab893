// Elementary functions on four f32 lanes: the same bits on every engine, because they are made of
// IEEE additions, multiplications and divisions alone.
//
// exp    x = n·ln 2 + r with |r| ≤ ln 2 / 2; e^r by a polynomial of degree 6; scaled by 2^n in two
//        steps, so that results down to the subnormals and up to Infinity are right. ≤ 2 ulp.
// Source Cody & Waite 1980; coefficients of the polynomials after the Cephes library (Moshier).

/**
 * The constants of e^x, four lanes each. In memory, because engines build a constant vector anew at each
 * use, in three instructions (V8), where a load is one: GELU takes 3.1 instead of 4.3 ns a value on an
 * EPYC (Zen 3), V8 11.3, and 3.1 instead of 4.9 in 13.6.
 */
const TABLE: usize = memory.data<f32>([
  -104, -104, -104, -104,
  89, 89, 89, 89,
  1.4426950408889634, 1.4426950408889634, 1.4426950408889634, 1.4426950408889634,
  12582912, 12582912, 12582912, 12582912,
  0.693359375, 0.693359375, 0.693359375, 0.693359375,
  -2.12194440e-4, -2.12194440e-4, -2.12194440e-4, -2.12194440e-4,
  1.9875691500e-4, 1.9875691500e-4, 1.9875691500e-4, 1.9875691500e-4,
  1.3981999507e-3, 1.3981999507e-3, 1.3981999507e-3, 1.3981999507e-3,
  8.3334519073e-3, 8.3334519073e-3, 8.3334519073e-3, 8.3334519073e-3,
  4.1665795894e-2, 4.1665795894e-2, 4.1665795894e-2, 4.1665795894e-2,
  1.6666665459e-1, 1.6666665459e-1, 1.6666665459e-1, 1.6666665459e-1,
  5.0000001201e-1, 5.0000001201e-1, 5.0000001201e-1, 5.0000001201e-1,
  1, 1, 1, 1,
], 16);

/** Beyond EXP_MIN and EXP_MAX e^x is 0 and Infinity in f32; they also keep 2^(n/2) a normal number. */
const EXP_MIN: usize = 0;
const EXP_MAX: usize = 16;
const LOG2E: usize = 32;
/**
 * Adding 1.5 · 2^23 rounds to a whole number (halves to even) and leaves it in the low bits: the
 * conversion to integer is then a subtraction, where trunc_sat is many instructions.
 */
const ROUND_SHIFT: usize = 48;
const ROUND_SHIFT_BITS: i32 = 0x4b400000;
/** ln 2 = LN2_HIGH + LN2_LOW; n·LN2_HIGH is exact for |n| ≤ 2^9. */
const LN2_HIGH: usize = 64;
const LN2_LOW: usize = 80;
/** Coefficients of the polynomial, highest power first. */
const P0: usize = 96;
const P1: usize = 112;
const P2: usize = 128;
const P3: usize = 144;
const P4: usize = 160;
const P5: usize = 176;
const ONE: usize = 192;

/** 2^n for the i32 lanes of n in [−126, 127]. */
// @ts-ignore: decorator
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/** e^x per lane; e^−Infinity = 0; NaN gives NaN. */
// @ts-ignore: decorator
@inline
export function expF32x4(x: v128): v128 {
  // pmin and pmax keep a NaN that comes first, and are one instruction where min and max are many.
  const clamped = f32x4.pmin(f32x4.pmax(x, v128.load(TABLE, EXP_MIN)), v128.load(TABLE, EXP_MAX));
  const round = v128.load(TABLE, ROUND_SHIFT);
  const shifted = f32x4.add(f32x4.mul(clamped, v128.load(TABLE, LOG2E)), round);
  const n = f32x4.sub(shifted, round);
  let r = f32x4.sub(clamped, f32x4.mul(n, v128.load(TABLE, LN2_HIGH)));
  r = f32x4.sub(r, f32x4.mul(n, v128.load(TABLE, LN2_LOW)));

  let p = f32x4.add(f32x4.mul(v128.load(TABLE, P0), r), v128.load(TABLE, P1));
  p = f32x4.add(f32x4.mul(p, r), v128.load(TABLE, P2));
  p = f32x4.add(f32x4.mul(p, r), v128.load(TABLE, P3));
  p = f32x4.add(f32x4.mul(p, r), v128.load(TABLE, P4));
  p = f32x4.add(f32x4.mul(p, r), v128.load(TABLE, P5));
  p = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), v128.load(TABLE, ONE));

  const exponent = i32x4.sub(shifted, i32x4.splat(ROUND_SHIFT_BITS));
  const half = i32x4.shr_s(exponent, 1);
  const rest = i32x4.sub(exponent, half);
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(rest));
}

/** 1 / (1 + e^−x) per lane. */
// @ts-ignore: decorator
@inline
export function sigmoidF32x4(x: v128): v128 {
  const one = f32x4.splat(1.0);
  return f32x4.div(one, f32x4.add(one, expF32x4(f32x4.neg(x))));
}

// Elementary functions on four f32 lanes: the same bits on every engine, because they are made of
// IEEE additions, multiplications and divisions alone.
//
// exp    x = n·ln 2 + r with |r| ≤ ln 2 / 2; e^r by a polynomial of degree 6; scaled by 2^n in two
//        steps, so that results down to the subnormals and up to Infinity are right. ≤ 2 ulp.
// Source Cody & Waite 1980; coefficients of the polynomials after the Cephes library (Moshier).

const LOG2E: f32 = 1.4426950408889634;
/** ln 2 = LN2_HIGH + LN2_LOW; n·LN2_HIGH is exact for |n| ≤ 2^9. */
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.12194440e-4;

/** Beyond these e^x is 0 and Infinity in f32; they also keep 2^(n/2) a normal number. */
const EXP_MIN: f32 = -104.0;
const EXP_MAX: f32 = 89.0;

/**
 * Adding 1.5 · 2^23 rounds to a whole number (halves to even) and leaves it in the low bits: the
 * conversion to integer is then a subtraction, where trunc_sat is many instructions.
 */
const ROUND_SHIFT: f32 = 12582912.0;
const ROUND_SHIFT_BITS: i32 = 0x4b400000;

/** 2^n for the i32 lanes of n in [−126, 127]. */
// @ts-ignore: decorator
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/** a·x + b */
// @ts-ignore: decorator
@inline
function step(a: v128, x: v128, b: f32): v128 {
  return f32x4.add(f32x4.mul(a, x), f32x4.splat(b));
}

/** e^x per lane; e^−Infinity = 0; NaN gives NaN. */
// @ts-ignore: decorator
@inline
export function expF32x4(x: v128): v128 {
  // pmin and pmax keep a NaN that comes first, and are one instruction where min and max are many.
  const clamped = f32x4.pmin(f32x4.pmax(x, f32x4.splat(EXP_MIN)), f32x4.splat(EXP_MAX));
  const shifted = f32x4.add(f32x4.mul(clamped, f32x4.splat(LOG2E)), f32x4.splat(ROUND_SHIFT));
  const n = f32x4.sub(shifted, f32x4.splat(ROUND_SHIFT));
  let r = f32x4.sub(clamped, f32x4.mul(n, f32x4.splat(LN2_HIGH)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(LN2_LOW)));

  let p = f32x4.splat(1.9875691500e-4);
  p = step(p, r, 1.3981999507e-3);
  p = step(p, r, 8.3334519073e-3);
  p = step(p, r, 4.1665795894e-2);
  p = step(p, r, 1.6666665459e-1);
  p = step(p, r, 5.0000001201e-1);
  p = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), f32x4.splat(1.0));

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

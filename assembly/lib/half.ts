// IEEE 754 binary16 ("half", f16) to and from f32, four lanes. No f16 instructions: every engine
// gives the same bits.
//
//   to f32   Shifted left by 13 bits, a half is an f32 whose exponent is 112 too small: one
//            multiplication by 2^112 is exact, subnormals included. Exponent 31, infinities and
//            NaN, comes out at 2^16 or above, where no finite half is, and gets exponent 255.
//   to f16   Round to nearest, halves to even. A normal result is rounded by an integer addition
//            that carries into the exponent, and so into infinity from 65,520 on. A subnormal one
//            is rounded by the float unit: at 0.5 the last place of an f32 is 2^−24, as in a half.
//
// Given up: a subnormal half is a subnormal f32 on its way, which some processors multiply slowly.
// They are below 2^−14, rare in what is stored here.
// Source  IEEE 754-2019, 3.4 and 4.3; Giesen, "float->half variants", for the two roundings.

/** Sign, exponent and mantissa of a half that was sign-extended and shifted left by 13. */
const HALF_IN_F32: i32 = 0x8fffe000;
const TWO_112: f32 = 5192296858534827628530496329220096.0;
/** 2^16: half exponent 31 after the multiplication. */
const BEYOND: f32 = 65536.0;
const F32_INFINITY: i32 = 0x7f800000;

/** f32 bits of 2^−14, the smallest normal half, of 2^16, and of 0.5. */
const MIN_NORMAL: i32 = 113 << 23;
const OVERFLOW: i32 = 143 << 23;
const MAGIC: i32 = 126 << 23;
const F16_INFINITY: i32 = 0x7c00;
const F16_NAN: i32 = 0x7e00;

/**
 * HALF_IN_F32, then TWO_112. In memory, because engines keep a vector that was loaded before a loop in a
 * register, but build a constant one anew in each round.
 */
const CONSTANTS: usize = memory.data<u32>([
  0x8fffe000, 0x8fffe000, 0x8fffe000, 0x8fffe000, 0x77800000, 0x77800000, 0x77800000, 0x77800000,
], 16);

/** What `smallHalfToF32x4` masks with. */
// @ts-ignore: decorator
@inline
export function halfMask(): v128 {
  return v128.load(CONSTANTS);
}

/** 2^112: what the other factor of a small half is multiplied by. Exact below 2^16. */
// @ts-ignore: decorator
@inline
export function halfLift(): v128 {
  return v128.load(CONSTANTS, 16);
}

/** 2^−112 times four finite halves that are sign-extended to i32 lanes, exactly. */
// @ts-ignore: decorator
@inline
export function smallHalfToF32x4(h: v128, mask: v128): v128 {
  return v128.and(i32x4.shl(h, 13), mask);
}

/** Four f32 from four finite halves. Infinities become ±65,536 and NaN something beyond. */
// @ts-ignore: decorator
@inline
export function finiteHalfToF32x4(h: v128): v128 {
  return f32x4.mul(smallHalfToF32x4(h, i32x4.splat(HALF_IN_F32)), f32x4.splat(TWO_112));
}

/** Four f32 from any four halves that are sign-extended to i32 lanes. */
// @ts-ignore: decorator
@inline
export function halfToF32x4(h: v128): v128 {
  const value = finiteHalfToF32x4(h);
  const special = f32x4.ge(f32x4.abs(value), f32x4.splat(BEYOND));
  return v128.or(value, v128.and(special, i32x4.splat(F32_INFINITY)));
}

/** Halves, 0 … 65,535 in i32 lanes, nearest to four f32. NaN becomes the quiet one of its sign. */
// @ts-ignore: decorator
@inline
export function f32x4ToHalf(x: v128): v128 {
  const sign = v128.and(x, i32x4.splat(0x80000000));
  const bits = v128.xor(x, sign);
  const odd = v128.and(i32x4.shr_u(bits, 13), i32x4.splat(1));
  const rounded = i32x4.add(i32x4.add(bits, i32x4.splat(0xfff - (112 << 23))), odd);
  const magic = i32x4.splat(MAGIC);
  const subnormal = i32x4.sub(f32x4.add(bits, magic), magic);
  let half = v128.bitselect(
    subnormal, i32x4.shr_u(rounded, 13), i32x4.lt_s(bits, i32x4.splat(MIN_NORMAL)));
  const special = v128.bitselect(
    i32x4.splat(F16_NAN), i32x4.splat(F16_INFINITY), i32x4.gt_s(bits, i32x4.splat(F32_INFINITY)));
  half = v128.bitselect(special, half, i32x4.ge_s(bits, i32x4.splat(OVERFLOW)));
  return v128.or(half, i32x4.shr_u(sign, 16));
}

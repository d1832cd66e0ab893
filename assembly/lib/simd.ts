// Lane helpers shared by the kernels. Every helper is @inline: no call survives in the binary.

/** Adds the 16 u8 lanes of `counts` to the 4 i32 lanes of `acc`, four neighbours per lane. */
// @ts-ignore: decorator
@inline
export function widenAddU8(acc: v128, counts: v128): v128 {
  return i32x4.add(acc, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(counts)));
}

/** Sum of the four i32 lanes. */
// @ts-ignore: decorator
@inline
export function sumI32x4(v: v128): i32 {
  const low = i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1);
  const high = i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
  return low + high;
}

/** Sum of the four f32 lanes in the fixed order (0 + 1) + (2 + 3). */
// @ts-ignore: decorator
@inline
export function sumF32x4(v: v128): f32 {
  const low = f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1);
  const high = f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3);
  return low + high;
}

/** Largest of the four f32 lanes. */
// @ts-ignore: decorator
@inline
export function maxF32x4(v: v128): f32 {
  const low = max(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1));
  const high = max(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3));
  return max(low, high);
}

/** Sum of the two f64 lanes. */
// @ts-ignore: decorator
@inline
export function sumF64x2(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/** acc + the four f32 lanes of `v`, widened: lanes 0 and 2 go to lane 0, 1 and 3 to lane 1. */
// @ts-ignore: decorator
@inline
export function addWidenF64(acc: v128, v: v128): v128 {
  const low = f64x2.promote_low_f32x4(v);
  const high = f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 1));
  return f64x2.add(f64x2.add(acc, low), high);
}

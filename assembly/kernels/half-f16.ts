// Between f32 and IEEE binary16, f16[n] stored as u16: round to nearest, halves to even.
//
// Bound   Converting: 16 operations a vector to f16, 7 to f32.
// Source  `lib/half.ts`.

import { f32x4ToHalf, halfToF32x4 } from '../lib/half';

/** y u16[n] ← the halves nearest to x f32[n]. Beyond 65,504 by half a step or more: infinity. */
export function encodeF16(x: usize, y: usize, n: usize): void {
  let i: usize = 0;
  for (; i + 4 <= n; i += 4, x += 16, y += 8) {
    const half = f32x4ToHalf(v128.load(x));
    v128.store64_lane(y, i16x8.narrow_i32x4_u(half, half), 0);
  }
  for (; i < n; i++, x += 4, y += 2) {
    const half = f32x4ToHalf(f32x4.splat(load<f32>(x)));
    store<u16>(y, <u16>i32x4.extract_lane(half, 0));
  }
}

/** y f32[n] ← x u16[n], exactly. */
export function decodeF16(x: usize, y: usize, n: usize): void {
  let i: usize = 0;
  for (; i + 4 <= n; i += 4, x += 8, y += 16) v128.store(y, halfToF32x4(v128.load16x4_s(x)));
  for (; i < n; i++, x += 2, y += 4) {
    store<f32>(y, f32x4.extract_lane(halfToF32x4(i32x4.splat(<i32>load<i16>(x))), 0));
  }
}

/** Whether n halves are finite, n a multiple of 4: exponents of all ones are infinities and NaN. */
export function finiteF16(x: usize, n: usize): bool {
  const exponent = i16x8.splat(0x7c00);
  let bad = i16x8.splat(0), i: usize = 0;
  for (; i + 8 <= n; i += 8)
    bad = v128.or(bad, i16x8.eq(v128.and(v128.load(x + (i << 1)), exponent), exponent));
  if (i < n)
    bad = v128.or(bad, i16x8.eq(v128.and(v128.load64_zero(x + (i << 1)), exponent), exponent));
  return !v128.any_true(bad);
}

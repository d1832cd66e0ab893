// Dot products and weighted sums over the rows of a matrix of f32, binary16 or i8 codes.
//
// Order   A dot is four running sums over the columns, lane by lane, added as (0 + 1) + (2 + 3).
//         A weighted sum is one running sum over the rows. No tile changes these orders, so one
//         vector or two at a time, all rows or a part, give the same bits.
// Tile    Dots: 2 vectors × 4 rows, 8 accumulators and 6 operands. Sums: 2 results × 16 columns, 8
//         accumulators and 6 operands. Both fit in 16 registers.
// Rows    T is f32, u16 (the bits of a finite half) or i8: converted in registers, once for both
//         vectors. Halves are left 2^112 too small and the other factor, which is shared by four
//         products, is made as much larger: it must be below 2^16, or the result is not finite.
// Bound   Multiply and add units for f32; for u16 and i8 the conversion too, 2 and 3 operations a
//         load.
//
// The number of columns `d` is a multiple of 4.

import { halfLift, halfMask, smallHalfToF32x4 } from './half';
import { sumF32x4 } from './simd';

/** Four neighbouring values of a row as f32; halves 2^−112 times their value. `mask`: see `maskOf`. */
// @ts-ignore: decorator
@inline
function quad<T>(at: usize, mask: v128): v128 {
  if (sizeof<T>() == 4) return v128.load(at);
  if (sizeof<T>() == 2) return smallHalfToF32x4(v128.load16x4_s(at), mask);
  const words = i16x8.extend_low_i8x16_s(v128.load32_zero(at));
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(words));
}

/** The other factor of a product with `quad<T>`: the rounded product is that of the true values. */
// @ts-ignore: decorator
@inline
function factor<T>(v: v128, lift: v128): v128 {
  return sizeof<T>() == 2 ? f32x4.mul(v, lift) : v;
}

/** What `quad` needs for halves: loaded, so that engines keep it in a register. */
// @ts-ignore: decorator
@inline
function maskOf<T>(): v128 {
  return sizeof<T>() == 2 ? halfMask() : f32x4.splat(0);
}

/** What `factor` needs for halves. */
// @ts-ignore: decorator
@inline
function liftOf<T>(): v128 {
  return sizeof<T>() == 2 ? halfLift() : f32x4.splat(0);
}

/** Bytes of `bytes` bytes of f32 when their elements are T. */
// @ts-ignore: decorator
@inline
function scaled<T>(bytes: usize): usize {
  return bytes >> (2 - alignof<T>());
}

/** x · row over d values. */
// @ts-ignore: decorator
@inline
function dot<T>(x: usize, row: usize, d: usize): f32 {
  const mask = maskOf<T>(), lift = liftOf<T>();
  let sum = f32x4.splat(0);
  for (let j: usize = 0, end = d << 2; j < end; j += 16) {
    sum = f32x4.add(sum, f32x4.mul(factor<T>(v128.load(x + j), lift), quad<T>(row + scaled<T>(j), mask)));
  }
  return sumF32x4(sum);
}

/** Sums of the lanes of four vectors, each in the order (0 + 1) + (2 + 3). */
// @ts-ignore: decorator
@inline
function sumRows(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab0 = v128.shuffle<i32>(a, b, 0, 2, 4, 6), ab1 = v128.shuffle<i32>(a, b, 1, 3, 5, 7);
  const cd0 = v128.shuffle<i32>(c, d, 0, 2, 4, 6), cd1 = v128.shuffle<i32>(c, d, 1, 3, 5, 7);
  const ab = f32x4.add(ab0, ab1), cd = f32x4.add(cd0, cd1);
  return f32x4.add(v128.shuffle<i32>(ab, cd, 0, 2, 4, 6), v128.shuffle<i32>(ab, cd, 1, 3, 5, 7));
}

/** y[u] ← (x · row_u) · scale for n rows, `stride` bytes apart. */
export function dots1<T>(
  x: usize, rows: usize, stride: usize, y: usize, n: usize, d: usize, scale: f32,
): void {
  const mask = maskOf<T>(), lift = liftOf<T>();
  let u: usize = 0;
  for (; u + 4 <= n; u += 4, rows += stride << 2, y += 16) {
    const row1 = rows + stride, row2 = row1 + stride, row3 = row2 + stride;
    let sum0 = f32x4.splat(0), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    for (let j: usize = 0, end = d << 2; j < end; j += 16) {
      const vx = factor<T>(v128.load(x + j), lift), at = scaled<T>(j);
      sum0 = f32x4.add(sum0, f32x4.mul(vx, quad<T>(rows + at, mask)));
      sum1 = f32x4.add(sum1, f32x4.mul(vx, quad<T>(row1 + at, mask)));
      sum2 = f32x4.add(sum2, f32x4.mul(vx, quad<T>(row2 + at, mask)));
      sum3 = f32x4.add(sum3, f32x4.mul(vx, quad<T>(row3 + at, mask)));
    }
    v128.store(y, f32x4.mul(sumRows(sum0, sum1, sum2, sum3), f32x4.splat(scale)));
  }
  for (; u < n; u++, rows += stride, y += 4) store<f32>(y, dot<T>(x, rows, d) * scale);
}

/** The same for two vectors: y0 from x0, y1 from x1. */
export function dots2<T>(
  x0: usize, x1: usize, rows: usize, stride: usize, y0: usize, y1: usize, n: usize, d: usize,
  scale: f32,
): void {
  const mask = maskOf<T>(), lift = liftOf<T>();
  let u: usize = 0;
  for (; u + 4 <= n; u += 4, rows += stride << 2, y0 += 16, y1 += 16) {
    const row1 = rows + stride, row2 = row1 + stride, row3 = row2 + stride;
    let sum00 = f32x4.splat(0), sum01 = sum00, sum02 = sum00, sum03 = sum00;
    let sum10 = sum00, sum11 = sum00, sum12 = sum00, sum13 = sum00;
    for (let j: usize = 0, end = d << 2; j < end; j += 16) {
      const va0 = factor<T>(v128.load(x0 + j), lift), va1 = factor<T>(v128.load(x1 + j), lift);
      const at = scaled<T>(j);
      let vb = quad<T>(rows + at, mask);
      sum00 = f32x4.add(sum00, f32x4.mul(va0, vb)); sum10 = f32x4.add(sum10, f32x4.mul(va1, vb));
      vb = quad<T>(row1 + at, mask);
      sum01 = f32x4.add(sum01, f32x4.mul(va0, vb)); sum11 = f32x4.add(sum11, f32x4.mul(va1, vb));
      vb = quad<T>(row2 + at, mask);
      sum02 = f32x4.add(sum02, f32x4.mul(va0, vb)); sum12 = f32x4.add(sum12, f32x4.mul(va1, vb));
      vb = quad<T>(row3 + at, mask);
      sum03 = f32x4.add(sum03, f32x4.mul(va0, vb)); sum13 = f32x4.add(sum13, f32x4.mul(va1, vb));
    }
    const vscale = f32x4.splat(scale);
    v128.store(y0, f32x4.mul(sumRows(sum00, sum01, sum02, sum03), vscale));
    v128.store(y1, f32x4.mul(sumRows(sum10, sum11, sum12, sum13), vscale));
  }
  dots1<T>(x0, rows, stride, y0, n - u, d, scale);
  dots1<T>(x1, rows, stride, y1, n - u, d, scale);
}

/**
 * y ← (resume ? y : 0) + Σ_u weight_u · row_u over n rows, in their order.
 *
 * @param weights f32, `step` bytes apart
 */
export function weigh1<T>(
  y: usize, weights: usize, step: usize, rows: usize, stride: usize, n: usize, d: usize,
  resume: bool,
): void {
  const width: usize = sizeof<T>() << 2, mask = maskOf<T>(), lift = liftOf<T>();
  let j: usize = 0;
  for (; j + 16 <= d; j += 16, y += 64, rows += width << 2) {
    let sum0 = f32x4.splat(0), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    if (resume) {
      sum0 = v128.load(y); sum1 = v128.load(y, 16); sum2 = v128.load(y, 32); sum3 = v128.load(y, 48);
    }
    for (let u: usize = 0, row = rows, at = weights; u < n; u++, row += stride, at += step) {
      const w = factor<T>(v128.load32_splat(at), lift);
      sum0 = f32x4.add(sum0, f32x4.mul(w, quad<T>(row, mask)));
      sum1 = f32x4.add(sum1, f32x4.mul(w, quad<T>(row + width, mask)));
      sum2 = f32x4.add(sum2, f32x4.mul(w, quad<T>(row + 2 * width, mask)));
      sum3 = f32x4.add(sum3, f32x4.mul(w, quad<T>(row + 3 * width, mask)));
    }
    v128.store(y, sum0); v128.store(y, sum1, 16); v128.store(y, sum2, 32); v128.store(y, sum3, 48);
  }
  for (; j < d; j += 4, y += 16, rows += width) {
    let sum = resume ? v128.load(y) : f32x4.splat(0);
    for (let u: usize = 0, row = rows, at = weights; u < n; u++, row += stride, at += step) {
      sum = f32x4.add(sum, f32x4.mul(factor<T>(v128.load32_splat(at), lift), quad<T>(row, mask)));
    }
    v128.store(y, sum);
  }
}

/** The same for two results: y0 with the weights at w0, y1 with those at w1. */
export function weigh2<T>(
  y0: usize, y1: usize, w0: usize, w1: usize, step: usize, rows: usize, stride: usize,
  n: usize, d: usize, resume: bool,
): void {
  const width: usize = sizeof<T>() << 2, apart = y1 - y0, between = w1 - w0;
  const mask = maskOf<T>(), lift = liftOf<T>();
  let j: usize = 0;
  for (; j + 16 <= d; j += 16, y0 += 64, rows += width << 2) {
    y1 = y0 + apart;
    let sum00 = f32x4.splat(0), sum01 = sum00, sum02 = sum00, sum03 = sum00;
    let sum10 = sum00, sum11 = sum00, sum12 = sum00, sum13 = sum00;
    if (resume) {
      sum00 = v128.load(y0); sum01 = v128.load(y0, 16);
      sum02 = v128.load(y0, 32); sum03 = v128.load(y0, 48);
      sum10 = v128.load(y1); sum11 = v128.load(y1, 16);
      sum12 = v128.load(y1, 32); sum13 = v128.load(y1, 48);
    }
    for (let u: usize = 0, row = rows, at = w0; u < n; u++, row += stride, at += step) {
      const va0 = factor<T>(v128.load32_splat(at), lift);
      const va1 = factor<T>(v128.load32_splat(at + between), lift);
      let vb = quad<T>(row, mask);
      sum00 = f32x4.add(sum00, f32x4.mul(va0, vb)); sum10 = f32x4.add(sum10, f32x4.mul(va1, vb));
      vb = quad<T>(row + width, mask);
      sum01 = f32x4.add(sum01, f32x4.mul(va0, vb)); sum11 = f32x4.add(sum11, f32x4.mul(va1, vb));
      vb = quad<T>(row + 2 * width, mask);
      sum02 = f32x4.add(sum02, f32x4.mul(va0, vb)); sum12 = f32x4.add(sum12, f32x4.mul(va1, vb));
      vb = quad<T>(row + 3 * width, mask);
      sum03 = f32x4.add(sum03, f32x4.mul(va0, vb)); sum13 = f32x4.add(sum13, f32x4.mul(va1, vb));
    }
    v128.store(y0, sum00); v128.store(y0, sum01, 16);
    v128.store(y0, sum02, 32); v128.store(y0, sum03, 48);
    v128.store(y1, sum10); v128.store(y1, sum11, 16);
    v128.store(y1, sum12, 32); v128.store(y1, sum13, 48);
  }
  if (j == d) return;
  weigh1<T>(y0, w0, step, rows, stride, n, d - j, resume);
  weigh1<T>(y0 + apart, w0 + between, step, rows, stride, n, d - j, resume);
}

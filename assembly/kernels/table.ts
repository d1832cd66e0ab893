// Products with the rows of a table of f16 or i8, as the head has them: Y = X · Wᵀ.
//
//   f16   y f32 = Σ x · w                  w a finite half, converted in registers; |x| < 2^16
//   i8    y i32 = Σ q · w                  exact; `rescaleI32` makes real numbers of it
//
// Order   f16 sums as `lib/rows.ts`; integers have no order. No result depends on the other tokens
//         or rows.
// Layout  Row-major, as gathers read it, so tied embeddings are one table. f16: k a multiple of 4.
//         i8: rows of kp codes, kp a multiple of 16, padded with 0.
// Tile    2 tokens × 4 rows, 8 accumulators. 32 rows stay in L1 while all tokens meet them.
// Bound   One token: reading the table, 2 or 1 bytes a multiply-add; many: converting, multiply and
//         add units. A sum of i8 products is at most 2^14·kp: below 2^31 for kp below 2^17.

import { dots1, dots2 } from '../lib/rows';

/** Rows of the table that tokens meet at a time: 32 · 512 halves are 32 KiB. */
const ROW_BLOCK: usize = 32;

/**
 * y ← x · wᵀ.
 *
 * @param x f32[m, k]
 * @param w u16[n, k] halves
 * @param y f32[m, ·], rows `yStride` floats apart
 */
export function gemmF32F16(
  x: usize, w: usize, y: usize, m: usize, n: usize, k: usize, yStride: usize,
): void {
  const xBytes = k << 2, wBytes = k << 1, yBytes = yStride << 2;
  for (let u: usize = 0; u < n; u += ROW_BLOCK) {
    const rows = min(ROW_BLOCK, n - u), block = w + u * wBytes;
    for (let i: usize = 0; i < m; i += 2) {
      const xi = x + i * xBytes, yi = y + i * yBytes + (u << 2);
      if (i + 1 == m) dots1<u16>(xi, block, wBytes, yi, rows, k, 1);
      else dots2<u16>(xi, xi + xBytes, block, wBytes, yi, yi + yBytes, rows, k, 1);
    }
  }
}

/** Eight codes as i16. */
// @ts-ignore: decorator
@inline
function words(at: usize): v128 {
  return v128.load8x8_s(at);
}

/** The sums of the lanes of four vectors. */
// @ts-ignore: decorator
@inline
function sumsI32(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 2, 4, 6), v128.shuffle<i32>(a, b, 1, 3, 5, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 2, 4, 6), v128.shuffle<i32>(c, d, 1, 3, 5, 7));
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 2, 4, 6), v128.shuffle<i32>(ab, cd, 1, 3, 5, 7));
}

/** acc[u] ← q · row_u for n rows of kp codes; the rest of the last four results is not written. */
function dotsI8(q: usize, row: usize, acc: usize, n: usize, kp: usize): void {
  for (let u: usize = 0; u < n; u += 4, row += kp << 2, acc += 16) {
    // Behind the last row, that row once more.
    const left = n - u;
    const row1 = left > 1 ? row + kp : row, row2 = left > 2 ? row1 + kp : row;
    const row3 = left > 3 ? row2 + kp : row;
    let sum0 = i32x4.splat(0), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    for (let j: usize = 0; j < kp; j += 8) {
      const vq = words(q + j);
      sum0 = i32x4.add(sum0, i32x4.dot_i16x8_s(vq, words(row + j)));
      sum1 = i32x4.add(sum1, i32x4.dot_i16x8_s(vq, words(row1 + j)));
      sum2 = i32x4.add(sum2, i32x4.dot_i16x8_s(vq, words(row2 + j)));
      sum3 = i32x4.add(sum3, i32x4.dot_i16x8_s(vq, words(row3 + j)));
    }
    const sums = sumsI32(sum0, sum1, sum2, sum3);
    if (left > 3) v128.store(acc, sums);
    else {
      v128.store32_lane(acc, sums, 0);
      if (left > 1) v128.store32_lane(acc, sums, 1, 4);
      if (left > 2) v128.store32_lane(acc, sums, 2, 8);
    }
  }
}

/** The same for two tokens and whole fours of rows. */
function dotsI8x2(
  q0: usize, q1: usize, row: usize, acc0: usize, acc1: usize, n: usize, kp: usize,
): void {
  for (let u: usize = 0; u < n; u += 4, row += kp << 2, acc0 += 16, acc1 += 16) {
    const row1 = row + kp, row2 = row1 + kp, row3 = row2 + kp;
    let sum00 = i32x4.splat(0), sum01 = sum00, sum02 = sum00, sum03 = sum00;
    let sum10 = sum00, sum11 = sum00, sum12 = sum00, sum13 = sum00;
    for (let j: usize = 0; j < kp; j += 8) {
      const va0 = words(q0 + j), va1 = words(q1 + j);
      let vb = words(row + j);
      sum00 = i32x4.add(sum00, i32x4.dot_i16x8_s(va0, vb));
      sum10 = i32x4.add(sum10, i32x4.dot_i16x8_s(va1, vb));
      vb = words(row1 + j);
      sum01 = i32x4.add(sum01, i32x4.dot_i16x8_s(va0, vb));
      sum11 = i32x4.add(sum11, i32x4.dot_i16x8_s(va1, vb));
      vb = words(row2 + j);
      sum02 = i32x4.add(sum02, i32x4.dot_i16x8_s(va0, vb));
      sum12 = i32x4.add(sum12, i32x4.dot_i16x8_s(va1, vb));
      vb = words(row3 + j);
      sum03 = i32x4.add(sum03, i32x4.dot_i16x8_s(va0, vb));
      sum13 = i32x4.add(sum13, i32x4.dot_i16x8_s(va1, vb));
    }
    v128.store(acc0, sumsI32(sum00, sum01, sum02, sum03));
    v128.store(acc1, sumsI32(sum10, sum11, sum12, sum13));
  }
}

/**
 * acc ← q · wᵀ, exact.
 *
 * @param q i8[m, kp]; w i8[n, kp]
 * @param acc i32[m, ·], rows `accStride` apart
 */
export function gemmI8I8(
  q: usize, w: usize, acc: usize, m: usize, n: usize, kp: usize, accStride: usize,
): void {
  const accBytes = accStride << 2;
  for (let u: usize = 0; u < n; u += ROW_BLOCK) {
    const rows = min(ROW_BLOCK, n - u), fours = rows & ~3, block = w + u * kp;
    for (let i: usize = 0; i < m; i += 2) {
      const q0 = q + i * kp, q1 = q0 + kp, acc0 = acc + i * accBytes + (u << 2);
      if (i + 1 == m) dotsI8(q0, block, acc0, rows, kp);
      else {
        dotsI8x2(q0, q1, block, acc0, acc0 + accBytes, fours, kp);
        const rest = block + fours * kp, at = acc0 + (fours << 2);
        dotsI8(q0, rest, at, rows - fours, kp);
        dotsI8(q1, rest, at + accBytes, rows - fours, kp);
      }
    }
  }
}

// Causal attention of the query heads that share one key head, over keys and values of any element
// type: the core of the attention kernels.
//
//   s[r, u] = q_r · k_u / √D  for u ≤ offset + t      p = softmax(s)      out_r = Σ_u p[r, u] v_u
//
// Rows    r counts pairs (query t, head of the group), queries first, so that all heads of a group
//         and neighbouring queries meet the same keys. With i8 codes a key's scale is applied to its
//         scores and a value's to its probabilities: once a position, not once a column. The kind of
//         element is asked once a block of keys, so one code serves all.
// Block   16 rows: their scores are the only scratch, f32[16, keys]. Keys pass in blocks of 32, which
//         stay in L1 while all rows of the block meet them, so that memory is read once in 16 rows.
// Order   A row's sums do not depend on the block or on the other rows (`rows.ts`), so neither do
//         its bits.

import { expF32x4 } from './math';
import { dots1, dots2, weigh1, weigh2 } from './rows';
import { maxF32x4, sumF32x4 } from './simd';

/** Rows of a block; the host makes room for as many rows of scores. */
const ROW_BLOCK: usize = 16;

/** Keys of a block: 32 rows of 128 floats are 16 KiB. */
const KEY_BLOCK: usize = 32;

/** p ← softmax(p) over n values; the tail of the last vector must be writable and is set to 0. */
function softmaxRow(p: usize, n: usize): void {
  const padded = (n + 3) & ~3;
  for (let u = n; u < padded; u++) store<f32>(p + (u << 2), -Infinity);
  let vmax = f32x4.splat(-Infinity);
  // pmax, one instruction, may lose a NaN; the sum below does not.
  for (let u: usize = 0; u < padded; u += 4) vmax = f32x4.pmax(vmax, v128.load(p + (u << 2)));
  vmax = f32x4.splat(maxF32x4(vmax));
  let vsum = f32x4.splat(0);
  for (let u: usize = 0; u < padded; u += 4) {
    const e = expF32x4(f32x4.sub(v128.load(p + (u << 2)), vmax));
    v128.store(p + (u << 2), e);
    vsum = f32x4.add(vsum, e);
  }
  const inverse = f32x4.splat(<f32>1 / sumF32x4(vsum));
  for (let u: usize = 0; u < padded; u += 4) {
    v128.store(p + (u << 2), f32x4.mul(v128.load(p + (u << 2)), inverse));
  }
}

/** y ← y · x over n values. */
function multiplyRow(y: usize, x: usize, n: usize): void {
  let u: usize = 0;
  for (; u + 4 <= n; u += 4, y += 16, x += 16) {
    v128.store(y, f32x4.mul(v128.load(y), v128.load(x)));
  }
  for (; u < n; u++, y += 4, x += 4) store<f32>(y, load<f32>(y) * load<f32>(x));
}

/** `dots1` of rows whose elements have `size` bytes: 4 f32, 2 f16, 1 i8. */
function scores1(
  size: i32, x: usize, rows: usize, stride: usize, y: usize, n: usize, d: usize, scale: f32,
): void {
  if (size == 4) dots1<f32>(x, rows, stride, y, n, d, scale);
  else if (size == 2) dots1<u16>(x, rows, stride, y, n, d, scale);
  else dots1<i8>(x, rows, stride, y, n, d, scale);
}

function scores2(
  size: i32, x0: usize, x1: usize, rows: usize, stride: usize, y0: usize, y1: usize, n: usize,
  d: usize, scale: f32,
): void {
  if (size == 4) dots2<f32>(x0, x1, rows, stride, y0, y1, n, d, scale);
  else if (size == 2) dots2<u16>(x0, x1, rows, stride, y0, y1, n, d, scale);
  else dots2<i8>(x0, x1, rows, stride, y0, y1, n, d, scale);
}

function mix1(
  size: i32, y: usize, w: usize, rows: usize, stride: usize, n: usize, d: usize, resume: bool,
): void {
  if (size == 4) weigh1<f32>(y, w, 4, rows, stride, n, d, resume);
  else if (size == 2) weigh1<u16>(y, w, 4, rows, stride, n, d, resume);
  else weigh1<i8>(y, w, 4, rows, stride, n, d, resume);
}

function mix2(
  size: i32, y0: usize, y1: usize, w0: usize, w1: usize, rows: usize, stride: usize, n: usize,
  d: usize, resume: bool,
): void {
  if (size == 4) weigh2<f32>(y0, y1, w0, w1, 4, rows, stride, n, d, resume);
  else if (size == 2) weigh2<u16>(y0, y1, w0, w1, 4, rows, stride, n, d, resume);
  else weigh2<i8>(y0, y1, w0, w1, 4, rows, stride, n, d, resume);
}

/** Of n keys, those in the block of `size` that begins at u. */
// @ts-ignore: decorator
@inline
function inBlock(n: usize, u: usize, size: usize): usize {
  return n > u ? min(n - u, size) : 0;
}

/** Where row r of q or out is: heads of a group are next to each other, queries `stride` apart. */
// @ts-ignore: decorator
@inline
function rowAt(base: usize, r: usize, group: usize, stride: usize, headBytes: usize): usize {
  return base + (r / group) * stride + (r % group) * headBytes;
}

/**
 * Scores (or, with `sum`, results) of the rows first … end − 1 with the keys of one block.
 *
 * @param rows k or v at the key u, the first of `count`
 * @param x q or out, and w the scores: addresses of row 0, `rowAt` gives the others
 */
function meetBlock(
  sum: bool, size: i32, x: usize, xStride: usize, w: usize, queryBytes: usize, headBytes: usize,
  rows: usize, stride: usize, u: usize, count: usize, first: usize, end: usize, offset: usize,
  group: usize, d: usize, scale: f32,
): void {
  const head = d << 2, resume = u > 0;
  for (let r = first; r < end; r += 2) {
    const n0 = inBlock(offset + r / group + 1, u, count);
    const x0 = rowAt(x, r, group, xStride, head);
    const w0 = rowAt(w, r, group, queryBytes, headBytes) + (u << 2);
    if (r + 1 == end) {
      if (!sum) scores1(size, x0, rows, stride, w0, n0, d, scale);
      else if (n0 > 0) mix1(size, x0, w0, rows, stride, n0, d, resume);
      return;
    }
    // The second row sees as many keys as the first, or one more.
    const n1 = inBlock(offset + (r + 1) / group + 1, u, count);
    const x1 = rowAt(x, r + 1, group, xStride, head);
    const w1 = rowAt(w, r + 1, group, queryBytes, headBytes) + (u << 2);
    const rest = rows + n0 * stride, w1Rest = w1 + (n0 << 2);
    if (!sum) {
      scores2(size, x0, x1, rows, stride, w0, w1, n0, d, scale);
      scores1(size, x1, rest, stride, w1Rest, n1 - n0, d, scale);
    } else {
      if (n0 > 0) mix2(size, x0, x1, w0, w1, rows, stride, n0, d, resume);
      if (n1 > n0) mix1(size, x1, w1Rest, rest, stride, 1, d, resume || n0 > 0);
    }
  }
}

/**
 * Rows 0 … t·group − 1. Strides and `rowBytes` in bytes, the others in elements.
 *
 * @param size bytes of an element of k and v: 4 f32, 2 f16, 1 i8
 * @param q out f32, the first head of the group of the first query
 * @param k v [offset + t, d]; kScale vScale f32[offset + t], read for i8 only
 * @param p f32[min(16, t·group), ·]; with `keep` f32[group, t, ·]; rows of `rowBytes` bytes
 */
export function attendGroup(
  size: i32, q: usize, k: usize, v: usize, kScale: usize, vScale: usize, out: usize, p: usize,
  rowBytes: usize, t: usize, offset: usize, group: usize, d: usize,
  qStride: usize, kvStride: usize, outStride: usize, keep: bool,
): void {
  const scale = <f32>(1.0 / sqrt<f64>(<f64>d));
  const queryBytes = keep ? rowBytes : group * rowBytes, headBytes = keep ? t * rowBytes : rowBytes;
  for (let first: usize = 0; first < t * group; first += ROW_BLOCK) {
    const end = min(first + ROW_BLOCK, t * group);
    const keys = offset + (end - 1) / group + 1;
    const count = end - first > 2 ? KEY_BLOCK : keys;
    const w = keep ? p : p - first * rowBytes;
    for (let u: usize = 0; u < keys; u += count) {
      meetBlock(
        false, size, q, qStride, w, queryBytes, headBytes, k + u * kvStride, kvStride, u, count,
        first, end, offset, group, d, scale);
    }
    for (let r = first; r < end; r++) {
      const row = rowAt(w, r, group, queryBytes, headBytes), n = offset + r / group + 1;
      if (size == 1) multiplyRow(row, kScale, n);
      softmaxRow(row, n);
      if (size == 1) multiplyRow(row, vScale, n);
    }
    for (let u: usize = 0; u < keys; u += count) {
      meetBlock(
        true, size, out, outStride, w, queryBytes, headBytes, v + u * kvStride, kvStride, u, count,
        first, end, offset, group, d, 1);
    }
  }
}

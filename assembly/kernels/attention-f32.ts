// Causal attention of one sequence, grouped queries, f32, forward and backward.
//
//   s[t, u] = q_t · k_u / √D  for u ≤ offset + t       p = softmax(s)       out_t = Σ_u p[t, u] v_u
//   dv_u += Σ_t p[t, u]·do_t      dp[t, u] = do_t · v_u      ds = p ∘ (dp − Σ_u p∘dp)
//   dq_t = Σ_u ds[t, u]·k_u / √D      dk_u += Σ_t ds[t, u]·q_t / √D
//
// q has H heads of D, k and v have G; query head h reads head ⌊h·G/H⌋. Keys and values may be
// longer than the queries: a cache of `offset` earlier positions comes first. A query is computed
// alone, in one fixed order over keys, so the bits depend on neither the batch nor the cache.
// D is a multiple of 4. Probabilities are kept for backward only when asked for.
//
// Bound   Loads of k and v, once per query; not tiled over queries.
// Source  Vaswani et al. 2017 (arXiv 1706.03762); Ainslie et al. 2023, GQA (arXiv 2305.13245).

import { expF32x4 } from '../lib/math';
import { maxF32x4, sumF32x4 } from '../lib/simd';

/** a · b over d values. */
// @ts-ignore: decorator
@inline
function dot(a: usize, b: usize, d: usize): f32 {
  let sum = f32x4.splat(0);
  for (let j: usize = 0; j < d << 2; j += 16) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(a + j), v128.load(b + j)));
  }
  return sumF32x4(sum);
}

/**
 * scores[u] ← (x · row_u) · scale for n rows, `stride` bytes apart: four rows share the loads of x.
 * Each dot is summed in the order of `dot`.
 */
function dots(
  x: usize, rows: usize, stride: usize, scores: usize, n: usize, d: usize, scale: f32,
): void {
  let u: usize = 0;
  for (; u + 4 <= n; u += 4, rows += stride << 2, scores += 16) {
    const row1 = rows + stride, row2 = row1 + stride, row3 = row2 + stride;
    let sum0 = f32x4.splat(0), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    for (let j: usize = 0; j < d << 2; j += 16) {
      const vx = v128.load(x + j);
      sum0 = f32x4.add(sum0, f32x4.mul(vx, v128.load(rows + j)));
      sum1 = f32x4.add(sum1, f32x4.mul(vx, v128.load(row1 + j)));
      sum2 = f32x4.add(sum2, f32x4.mul(vx, v128.load(row2 + j)));
      sum3 = f32x4.add(sum3, f32x4.mul(vx, v128.load(row3 + j)));
    }
    v128.store(scores, f32x4.mul(sumRows(sum0, sum1, sum2, sum3), f32x4.splat(scale)));
  }
  for (; u < n; u++, rows += stride, scores += 4) store<f32>(scores, dot(x, rows, d) * scale);
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

/** y ← Σ_u weights[u] · row_u over n rows, in their order; 16 columns stay in registers. */
function weightedSum(
  y: usize, weights: usize, rows: usize, stride: usize, n: usize, d: usize,
): void {
  let j: usize = 0;
  for (; j + 16 <= d; j += 16, y += 64, rows += 64) {
    let sum0 = f32x4.splat(0), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    for (let u: usize = 0, row = rows; u < n; u++, row += stride) {
      const w = v128.load32_splat(weights + (u << 2));
      sum0 = f32x4.add(sum0, f32x4.mul(w, v128.load(row)));
      sum1 = f32x4.add(sum1, f32x4.mul(w, v128.load(row, 16)));
      sum2 = f32x4.add(sum2, f32x4.mul(w, v128.load(row, 32)));
      sum3 = f32x4.add(sum3, f32x4.mul(w, v128.load(row, 48)));
    }
    v128.store(y, sum0);
    v128.store(y, sum1, 16);
    v128.store(y, sum2, 32);
    v128.store(y, sum3, 48);
  }
  for (; j < d; j += 4, y += 16, rows += 16) {
    let sum = f32x4.splat(0);
    for (let u: usize = 0, row = rows; u < n; u++, row += stride) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(weights + (u << 2)), v128.load(row)));
    }
    v128.store(y, sum);
  }
}

/** y += a · x over d values. */
// @ts-ignore: decorator
@inline
function addScaled(y: usize, a: f32, x: usize, d: usize): void {
  const va = f32x4.splat(a);
  for (let j: usize = 0; j < d << 2; j += 16) {
    v128.store(y + j, f32x4.add(v128.load(y + j), f32x4.mul(va, v128.load(x + j))));
  }
}

/** p ← softmax(p) over n values; the tail of the last vector must be writable and is set to 0. */
function softmaxRow(p: usize, n: usize): void {
  const padded = (n + 3) & ~3;
  for (let u = n; u < padded; u++) store<f32>(p + (u << 2), -Infinity);
  let vmax = f32x4.splat(-Infinity);
  for (let u: usize = 0; u < padded; u += 4) vmax = f32x4.max(vmax, v128.load(p + (u << 2)));
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

/**
 * out ← attention of t queries.
 *
 * @param q f32[t, qStride], the heads first; out f32[t, heads·d]
 * @param k v f32[offset + t, kvStride] of this sequence, strides in floats
 * @param p f32[heads, t, s] if `keep`, else f32[s]; s = offset + t rounded up to 4
 */
export function attentionF32(
  q: usize, k: usize, v: usize, out: usize, p: usize, t: usize, offset: usize,
  heads: usize, kvHeads: usize, d: usize, qStride: usize, kvStride: usize, keep: bool,
): void {
  const s = (offset + t + 3) & ~3;
  const scale = <f32>(1.0 / sqrt<f64>(<f64>d));
  for (let h: usize = 0; h < heads; h++) {
    const head = ((h * kvHeads) / heads) * d << 2;
    for (let i: usize = 0; i < t; i++) {
      const qi = q + ((i * qStride + h * d) << 2), oi = out + (((i * heads + h) * d) << 2);
      const keys = offset + i + 1;
      dots(qi, k + head, kvStride << 2, p, keys, d, scale);
      softmaxRow(p, keys);
      weightedSum(oi, p, v + head, kvStride << 2, keys, d);
      if (keep) p += s << 2;
    }
  }
}

/**
 * dq ←, dk +=, dv += gradients of one sequence without a cache (offset 0).
 *
 * @param p f32[heads, t, s] kept by the forward pass
 * @param scratch f32[s]
 * @param dq f32[t, qStride]; dk dv f32[t, kvStride]: the layout of q, k, v
 */
export function attentionBackwardF32(
  dout: usize, q: usize, k: usize, v: usize, p: usize, scratch: usize,
  dq: usize, dk: usize, dv: usize,
  t: usize, heads: usize, kvHeads: usize, d: usize, qStride: usize, kvStride: usize,
): void {
  const s = (t + 3) & ~3;
  const scale = <f32>(1.0 / sqrt<f64>(<f64>d));
  for (let h: usize = 0; h < heads; h++) {
    const head = ((h * kvHeads) / heads) * d << 2;
    for (let i: usize = 0; i < t; i++, p += s << 2) {
      const at = (i * qStride + h * d) << 2;
      const doi = dout + (((i * heads + h) * d) << 2);
      dots(doi, v + head, kvStride << 2, scratch, i + 1, d, 1);
      let sum: f32 = 0;
      for (let u: usize = 0; u <= i; u++) {
        sum += load<f32>(p + (u << 2)) * load<f32>(scratch + (u << 2));
      }
      for (let u: usize = 0; u <= i; u++) {
        const pu = load<f32>(p + (u << 2)), row = ((u * kvStride) << 2) + head;
        const ds = pu * (load<f32>(scratch + (u << 2)) - sum) * scale;
        store<f32>(scratch + (u << 2), ds);
        addScaled(dv + row, pu, doi, d);
        addScaled(dk + row, ds, q + at, d);
      }
      weightedSum(dq + at, scratch, k + head, kvStride << 2, i + 1, d);
    }
  }
}

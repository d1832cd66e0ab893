// Causal attention of one sequence, grouped queries, f32, forward and backward.
//
//   s[t, u] = q_t · k_u / √D  for u ≤ offset + t       p = softmax(s)       out_t = Σ_u p[t, u] v_u
//   dv_u = Σ_t p[t, u]·do_t      dp[t, u] = do_t · v_u      ds = p ∘ (dp − Σ_u p∘dp)
//   dq_t = Σ_u ds[t, u]·k_u / √D      dk_u = Σ_t ds[t, u]·q_t / √D
//
// q has H heads of D, k and v have G; query head h reads head ⌊h·G/H⌋, so G divides H. Keys and
// values may be longer than the queries: a cache of `offset` earlier positions comes first. D is a
// multiple of 4. Probabilities are kept for backward only when asked for.
//
// Order   Sums over keys rise with the key; dk and dv gather query heads in order, in a head the
//         queries in order; Σ p∘dp is one running sum. The bits depend on neither tiles, batch nor
//         cache, nor on which heads and queries a call is given.
// Tile    `lib/attend.ts`. Backward takes 16 queries at a time, so that the gradients of a key are
//         read and written once in 16 queries and its ds are the only scratch, f32[16, s].
// Bound   Multiply and add units: 2·D/4 vector operations of each a score forward, 5·D/4 backward;
//         the exponential is 8 operations a score.
// Source  Vaswani et al. 2017 (arXiv 1706.03762); Ainslie et al. 2023, GQA (arXiv 2305.13245).

import { attendGroup } from '../lib/attend';
import { dots1, dots2, weigh1, weigh2 } from '../lib/rows';

/** Queries that backward takes at a time. */
const QUERY_BLOCK: usize = 16;

/**
 * out ← attention of t queries.
 *
 * @param q f32[t, qStride], the heads first; out f32[t, outStride]
 * @param k v positions kvStride apart, heads headStride apart; strides in floats
 * @param p f32[heads, t, s] if `keep`, else f32[min(16, t·heads/kvHeads), s]; s = offset + t
 *   rounded up to 4
 */
export function attentionF32(
  q: usize, k: usize, v: usize, out: usize, p: usize, t: usize, offset: usize,
  heads: usize, kvHeads: usize, d: usize, qStride: usize, kvStride: usize, headStride: usize,
  outStride: usize, keep: bool,
): void {
  const rowBytes = ((offset + t + 3) & ~3) << 2, group = heads / kvHeads;
  for (let g: usize = 0; g < kvHeads; g++, k += headStride << 2, v += headStride << 2) {
    attendGroup(
      4, q, k, v, 0, 0, out, p, rowBytes, t, offset, group, d,
      qStride << 2, kvStride << 2, outStride << 2, keep);
    q += group * d << 2;
    out += group * d << 2;
    if (keep) p += group * t * rowBytes;
  }
}

/**
 * Σ p∘dp over the first n columns, rounded down to four, of four rows: a lane each. Each lane is a
 * running sum; four columns are transposed, so that four rows advance with one addition.
 */
// @ts-ignore: decorator
@inline
function productSums(p: usize, dp: usize, rowBytes: usize, n: usize): v128 {
  let sum = f32x4.splat(0);
  for (let u: usize = 0; u + 4 <= n; u += 4, p += 16, dp += 16) {
    const p2 = p + 2 * rowBytes, dp2 = dp + 2 * rowBytes;
    const a = f32x4.mul(v128.load(p), v128.load(dp));
    const b = f32x4.mul(v128.load(p + rowBytes), v128.load(dp + rowBytes));
    const c = f32x4.mul(v128.load(p2), v128.load(dp2));
    const e = f32x4.mul(v128.load(p2 + rowBytes), v128.load(dp2 + rowBytes));
    const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5), ab2 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
    const ce0 = v128.shuffle<i32>(c, e, 0, 4, 1, 5), ce2 = v128.shuffle<i32>(c, e, 2, 6, 3, 7);
    sum = f32x4.add(sum, v128.shuffle<i64>(ab0, ce0, 0, 2));
    sum = f32x4.add(sum, v128.shuffle<i64>(ab0, ce0, 1, 3));
    sum = f32x4.add(sum, v128.shuffle<i64>(ab2, ce2, 0, 2));
    sum = f32x4.add(sum, v128.shuffle<i64>(ab2, ce2, 1, 3));
  }
  return sum;
}

/** dp ← ds = p·(dp − Σ p∘dp)·scale for one row of n; `sum` has the first `done` columns. */
function scoreGradient(p: usize, dp: usize, n: usize, done: usize, sum: f32, scale: f32): void {
  for (let u = done; u < n; u++) sum += load<f32>(p + (u << 2)) * load<f32>(dp + (u << 2));
  const vsum = f32x4.splat(sum), vscale = f32x4.splat(scale);
  let u: usize = 0;
  for (; u + 4 <= n; u += 4, p += 16, dp += 16) {
    const centred = f32x4.sub(v128.load(dp), vsum);
    v128.store(dp, f32x4.mul(f32x4.mul(v128.load(p), centred), vscale));
  }
  for (; u < n; u++, p += 4, dp += 4) {
    store<f32>(dp, load<f32>(p) * (load<f32>(dp) - sum) * scale);
  }
}

/** The same for `rows` rows with n, n + 1, … columns. */
function scoreGradients(
  p: usize, dp: usize, rowBytes: usize, rows: usize, n: usize, scale: f32,
): void {
  let r: usize = 0;
  for (; r + 4 <= rows; r += 4, n += 4, p += rowBytes << 2, dp += rowBytes << 2) {
    const sums = productSums(p, dp, rowBytes, n), done = n & ~3;
    scoreGradient(p, dp, n, done, f32x4.extract_lane(sums, 0), scale);
    scoreGradient(p + rowBytes, dp + rowBytes, n + 1, done, f32x4.extract_lane(sums, 1), scale);
    const p2 = p + 2 * rowBytes, dp2 = dp + 2 * rowBytes;
    scoreGradient(p2, dp2, n + 2, done, f32x4.extract_lane(sums, 2), scale);
    scoreGradient(p2 + rowBytes, dp2 + rowBytes, n + 3, done, f32x4.extract_lane(sums, 3), scale);
  }
  for (; r < rows; r++, n++, p += rowBytes, dp += rowBytes) scoreGradient(p, dp, n, 0, 0, scale);
}

/**
 * y_u += Σ_t w[t, u]·x_t for the keys u < first + rows: `rows` queries from `first`, which see the
 * keys up to their own.
 *
 * @param w row of the first query, rows `rowBytes` apart; x of the first query
 */
function addToKeys(
  y: usize, yStride: usize, w: usize, rowBytes: usize, x: usize, xStride: usize,
  first: usize, rows: usize, d: usize,
): void {
  const keys = first + rows;
  for (let u: usize = 0; u < keys; u += 2, y += yStride << 1) {
    // Query u sees key u but not u + 1; the queries after it see both.
    let t = u < first ? first : u;
    let at = w + (t - first) * rowBytes + (u << 2), xt = x + (t - first) * xStride;
    if (u >= first) {
      weigh1<f32>(y, at, rowBytes, xt, xStride, 1, d, true);
      t++;
      at += rowBytes;
      xt += xStride;
    }
    if (t == keys) break;
    weigh2<f32>(y, y + yStride, at, at + 4, rowBytes, xt, xStride, keys - t, d, true);
  }
}

/** y_t ← dots (or, with `sum`, weighted sums) of `rows` queries from `first` with their keys. */
// @ts-ignore: decorator
@inline
function meetKeys(
  sum: bool, x: usize, xStride: usize, w: usize, rowBytes: usize, keys: usize, kvStride: usize,
  first: usize, rows: usize, d: usize,
): void {
  for (let r: usize = 0; r < rows; r += 2, x += xStride << 1, w += rowBytes << 1) {
    const n = first + r + 1, x1 = x + xStride, w1 = w + rowBytes;
    if (r + 1 == rows) {
      if (sum) weigh1<f32>(x, w, 4, keys, kvStride, n, d, false);
      else dots1<f32>(x, keys, kvStride, w, n, d, 1);
      break;
    }
    const last = keys + n * kvStride;
    if (sum) {
      weigh2<f32>(x, x1, w, w1, 4, keys, kvStride, n, d, false);
      weigh1<f32>(x1, w1 + (n << 2), 4, last, kvStride, 1, d, true);
    } else {
      dots2<f32>(x, x1, keys, kvStride, w, w1, n, d, 1);
      dots1<f32>(x1, last, kvStride, w1 + (n << 2), 1, d, 1);
    }
  }
}

/**
 * dq ←, dk ←, dv ← gradients of one sequence without a cache (offset 0).
 *
 * @param p f32[heads, t, s] kept by the forward pass
 * @param scratch f32[min(16, t), s]
 * @param dout f32[t, outStride]; q dq f32[t, qStride]; k v dk dv f32[t, kvStride], heads d apart
 */
export function attentionBackwardF32(
  dout: usize, q: usize, k: usize, v: usize, p: usize, scratch: usize,
  dq: usize, dk: usize, dv: usize, t: usize, heads: usize, kvHeads: usize, d: usize,
  qStride: usize, kvStride: usize, outStride: usize,
): void {
  const rowBytes = ((t + 3) & ~3) << 2;
  const scale = <f32>(1.0 / sqrt<f64>(<f64>d));
  qStride <<= 2;
  kvStride <<= 2;
  outStride <<= 2;
  for (let at: usize = 0, end = t * kvStride; at < end; at += kvStride) {
    memory.fill(dk + at, 0, kvHeads * d << 2);
    memory.fill(dv + at, 0, kvHeads * d << 2);
  }
  for (let h: usize = 0; h < heads; h++) {
    const head = ((h * kvHeads) / heads) * d << 2, own = h * d << 2;
    for (let i: usize = 0; i < t; i += QUERY_BLOCK) {
      const rows = min(QUERY_BLOCK, t - i);
      const doi = dout + i * outStride + own, qi = q + i * qStride + own;
      meetKeys(false, doi, outStride, scratch, rowBytes, v + head, kvStride, i, rows, d);
      scoreGradients(p, scratch, rowBytes, rows, i + 1, scale);
      addToKeys(dv + head, kvStride, p, rowBytes, doi, outStride, i, rows, d);
      addToKeys(dk + head, kvStride, scratch, rowBytes, qi, qStride, i, rows, d);
      meetKeys(
        true, dq + i * qStride + own, qStride, scratch, rowBytes, k + head, kvStride, i, rows, d);
      p += rows * rowBytes;
    }
  }
}

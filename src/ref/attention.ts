/**
 * Causal attention of one sequence with grouped queries, written to be read: the twin of
 * `assembly/kernels/attention-f32.ts`.
 *
 *   s[t, u] = q_t · k_u / √D  for u ≤ offset + t      p = softmax(s)      out_t = Σ_u p[t, u] v_u
 *
 * Query head h reads key head ⌊h·G/H⌋. Source: Vaswani et al. 2017 (arXiv 1706.03762); Ainslie
 * et al. 2023, GQA (arXiv 2305.13245).
 * @module
 */
import { softmax } from './loss.ts';

export interface AttentionShape {
  /** T: queries. */
  readonly queries: number;
  /** Keys before the first query's own. */
  readonly offset: number;
  /** H, G, D. */
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Σ a[i + j] · b[k + j] over n values. */
function dot(a: ArrayLike<number>, i: number, b: ArrayLike<number>, k: number, n: number): number {
  let sum = 0;
  for (let j = 0; j < n; j++) sum += a[i + j] * b[k + j];
  return sum;
}

/** y[i + j] += factor · x[k + j] over n values. */
function addScaled(
  y: Float64Array, i: number, factor: number, x: ArrayLike<number>, k: number, n: number,
): void {
  for (let j = 0; j < n; j++) y[i + j] += factor * x[k + j];
}

/** Calls `visit` for every query of every head, with the places of query, key head and row of p. */
function forEachQuery(
  { queries, offset, heads, kvHeads, headDim }: AttentionShape,
  visit: (query: number, key: (u: number) => number, row: number, keys: number) => void,
): void {
  for (let h = 0; h < heads; h++) {
    const group = Math.floor((h * kvHeads) / heads);
    for (let t = 0; t < queries; t++)
      visit(
        (t * heads + h) * headDim, (u) => (u * kvHeads + group) * headDim,
        (h * queries + t) * (offset + queries), offset + t + 1);
  }
}

/**
 * Attention, and the probabilities that backward needs.
 *
 * @param q f64[T, H·D]
 * @param k v f64[offset + T, G·D]
 * @returns out f64[T, H·D], p f64[H, T, offset + T] with 0 for the future
 */
export function attention(
  q: ArrayLike<number>, k: ArrayLike<number>, v: ArrayLike<number>, shape: AttentionShape,
): { out: Float64Array; p: Float64Array } {
  const { queries, offset, heads, headDim } = shape;
  const out = new Float64Array(queries * heads * headDim);
  const p = new Float64Array(heads * queries * (offset + queries));
  forEachQuery(shape, (query, key, row, keys) => {
    const scores = Array.from({ length: keys }, (_, u) =>
      dot(q, query, k, key(u), headDim) / Math.sqrt(headDim));
    p.set(softmax(scores, 1, keys), row);
    for (let u = 0; u < keys; u++) addScaled(out, query, p[row + u], v, key(u), headDim);
  });
  return { out, p };
}

/**
 * Gradients of q, k, v from the gradient of out.
 *
 *   dv_u = Σ_t p[t, u]·do_t      dp[t, u] = do_t · v_u      ds = p ∘ (dp − Σ_u p∘dp)
 *   dq_t = Σ_u ds[t, u]·k_u / √D      dk_u = Σ_t ds[t, u]·q_t / √D
 *
 * @param p from `attention`
 */
export function attentionBackward(
  dout: ArrayLike<number>, q: ArrayLike<number>, k: ArrayLike<number>, v: ArrayLike<number>,
  p: ArrayLike<number>, shape: AttentionShape,
): { dq: Float64Array; dk: Float64Array; dv: Float64Array } {
  const { headDim } = shape;
  const dq = new Float64Array(q.length);
  const dk = new Float64Array(k.length), dv = new Float64Array(v.length);
  forEachQuery(shape, (query, key, row, keys) => {
    const dp = Array.from({ length: keys }, (_, u) => dot(dout, query, v, key(u), headDim));
    const sum = dp.reduce((total, d, u) => total + p[row + u] * d, 0);
    dp.forEach((d, u) => {
      const ds = (p[row + u] * (d - sum)) / Math.sqrt(headDim);
      addScaled(dv, key(u), p[row + u], dout, query, headDim);
      addScaled(dq, query, ds, k, key(u), headDim);
      addScaled(dk, key(u), ds, q, query, headDim);
    });
  });
  return { dq, dk, dv };
}

/**
 * Elastic activations: quantized by one learned scale s a matrix, instead of by the absmax of each row.
 * The quantizer itself is a variant of `quantize` (`bit-gemm.ts`).
 *
 *   code = round(clip(x/s, −Q, Q))      ds += 1/√(K·Q) · Σ d · (|x/s| < Q ? code − x/s : code)
 *   s₀ = 2 · mean |x| / √Q              of the first input that training sees
 *
 * K, the columns of x, is what the source counts as the features of a layer, so the gradient of a batch
 * is the sum of those of its sequences. s counts as at least 1e−5: one that training drove below 0 still
 * works, and can come back.
 * Source  Esser et al. 2020, Learned Step Size Quantization, §2 (arXiv 1902.08153); Liu et al. 2022,
 *         BiT (arXiv 2205.13016).
 * @module
 */
import type { Compute, Matrix } from './matrix.ts';
import { viewOf } from './matrix.ts';

/** Smallest s. */
const SCALE_MIN = 1e-5;

const levelsOf = (bits: number): number => (1 << (bits - 1)) - 1;

/** s of a learned scale f32[1, 1]. NaN if that is. */
export const scaleOf = (compute: Compute, learned: Matrix): number =>
  Math.max(viewOf(compute, learned)[0], SCALE_MIN);

/** Gives a scale that is still 0 its first value, s₀ of x if that is finite; one that is set stays. */
export function setFirstScale(compute: Compute, x: Matrix, bits: number, learned: Matrix): void {
  if (viewOf(compute, learned)[0] !== 0) return;
  const { engine, workspace } = compute, stats = workspace.alloc(8);
  engine.kernels.meanAbsF32(x.ptr, x.rows * x.cols, stats);
  const first = (2 * engine.f32(stats, 2)[1]) / Math.sqrt(levelsOf(bits));
  if (first < Infinity) viewOf(compute, learned)[0] = first;
}

/**
 * From the gradient of the quantized values to that of x, in place; dlearned += that of s.
 *
 * @param d f32[rows, cols], the gradient of code · s; becomes dx
 * @param x f32[rows, cols]: what was quantized
 */
export function elasticBackward(
  compute: Compute, d: Matrix, x: Matrix, bits: number, learned: Matrix, dlearned: Matrix,
): void {
  const { rows, cols } = x, s = scaleOf(compute, learned);
  const ds = compute.engine.kernels.elasticBackwardF32(d.ptr, x.ptr, rows * cols, bits, s);
  viewOf(compute, dlearned)[0] += ds / Math.sqrt(cols * levelsOf(bits));
}

/**
 * What rounds a layer's weights, and how much its output changes by it.
 *
 *   error(Ŵ) = tr((Ŵ − W)·H·(Ŵ − W)ᵀ)        H = Σ x·xᵀ over the calibration text's inputs x
 *
 * That is Σ ‖Ŵ·x − W·x‖²: the change of the layer's output, summed over the text.
 * Source  Frantar et al. 2022, GPTQ, §3 (arXiv 2210.17323).
 * @module
 */
import { checkMatrix } from '../../check.ts';
import type { Square } from './symmetric.ts';

/** f32[rows, cols], row-major: the weights of one matrix. */
export interface Weights {
  readonly rows: number;
  readonly cols: number;
  readonly data: Float32Array;
}

/** The point of row `row`'s grid nearest to `value`. */
export type Round = (value: number, row: number) => number;

/** Throws unless the weights are a whole matrix and H is as wide. */
export function checkLayer(fn: string, weights: Weights, hessian: Square): void {
  checkMatrix(fn, 'weights', weights.data, weights.rows, weights.cols);
  if (hessian.n !== weights.cols)
    throw new RangeError(`${fn}: "hessian" expected [${weights.cols}, ${weights.cols}], ` +
      `got [${hessian.n}, ${hessian.n}]`);
}

/**
 * tr((Ŵ − W)·H·(Ŵ − W)ᵀ): squared change of the layer's output over the calibration text.
 *
 * @throws {RangeError} If the shapes do not fit.
 * @example
 * const w = { rows: 1, cols: 1, data: Float32Array.of(0.5) };
 * outputError(w, { ...w, data: Float32Array.of(1) }, { n: 1, data: Float64Array.of(8) }); // 2
 */
export function outputError(weights: Weights, rounded: Weights, hessian: Square): number {
  checkLayer('outputError', weights, hessian);
  checkLayer('outputError', rounded, hessian);
  const { rows, cols } = weights, { data: h } = hessian;
  let total = 0;
  for (let r = 0; r < rows; r++) {
    const difference = Float64Array.from({ length: cols }, (_, c) =>
      rounded.data[r * cols + c] - weights.data[r * cols + c]);
    for (let i = 0; i < cols; i++) {
      let sum = 0;
      for (let j = 0; j < cols; j++) sum += h[i * cols + j] * difference[j];
      total += difference[i] * sum;
    }
  }
  return total;
}

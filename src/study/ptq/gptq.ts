/**
 * GPTQ: rounds the columns of a weight matrix one after the other, and lets the columns that are
 * still free make good what each rounding did to the output.
 *
 *   H⁻¹ = Uᵀ·U                      U upper triangular
 *   for column i:   q = round(w_i)      e = (w_i − q)/U_ii      w_j ← w_j − e·U_ij   for j > i
 *
 * Columns go in their order; H gets 1 % of the mean of its diagonal added, as in the paper. No blocks
 * of columns: they save memory traffic of large layers and change no result.
 * Source  Frantar et al. 2022, GPTQ, §3 (arXiv 2210.17323).
 * @module
 */
import type { Round, Weights } from './layer.ts';
import { checkLayer } from './layer.ts';
import type { Square } from './symmetric.ts';
import { choleskyUpper, dampened, inverse } from './symmetric.ts';

/** Share of the mean of H's diagonal that is added to it. */
export const DAMPING = 0.01;

/**
 * The weights that GPTQ rounds to.
 *
 * @param hessian Σ x·xᵀ of the layer's inputs; see `layer.ts`
 * @throws {RangeError} If the shapes do not fit.
 * @example
 * // Both inputs are equal, so the second weight takes over what the first one lost.
 * const w = { rows: 1, cols: 2, data: Float32Array.of(0.4, 0.4) };
 * roundGptq(w, { n: 2, data: Float64Array.of(1, 1, 1, 1) }, Math.round).data; // [0, 1]
 */
export function roundGptq(
  weights: Weights, hessian: Square, round: Round, damping = DAMPING,
): Weights {
  checkLayer('roundGptq', weights, hessian);
  const { rows, cols, data } = weights;
  const { data: u } = choleskyUpper(inverse(dampened(hessian, damping)));
  const rounded = new Float32Array(rows * cols), row = new Float64Array(cols);
  for (let r = 0; r < rows; r++) {
    row.set(data.subarray(r * cols, (r + 1) * cols));
    for (let i = 0; i < cols; i++) {
      const q = round(row[i], r), error = (row[i] - q) / u[i * cols + i];
      rounded[r * cols + i] = q;
      for (let j = i + 1; j < cols; j++) row[j] -= error * u[i * cols + j];
    }
  }
  return { rows, cols, data: rounded };
}

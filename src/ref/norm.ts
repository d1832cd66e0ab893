/**
 * LayerNorm and RMSNorm by row, written to be read: the twin of `assembly/kernels/norm-f32.ts`.
 *
 *   LayerNorm  x̂ = (x − mean) · r,  r = 1/√(var + ε)
 *   RMSNorm    x̂ = x · r,           r = 1/√(mean x² + ε)
 *   y = x̂ · gain
 *
 * Everything is in f64. Source: Ba et al. 2016 (arXiv 1607.06450); Zhang & Sennrich 2019
 * (arXiv 1910.07467).
 * @module
 */

/** Rows of `cols` values, and which norm: LayerNorm centres, RMSNorm does not. */
export interface NormShape {
  readonly rows: number;
  readonly cols: number;
  readonly eps: number;
  readonly centre: boolean;
}

/** x̂ and r of one row. */
function standardize(
  x: ArrayLike<number>, row: number, { cols, eps, centre }: NormShape,
): { mean: number; r: number; hat: number[] } {
  const values = Array.from({ length: cols }, (_, j) => x[row * cols + j]);
  const mean = centre ? values.reduce((sum, v) => sum + v, 0) / cols : 0;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / cols;
  const r = 1 / Math.sqrt(variance + eps);
  return { mean, r, hat: values.map((v) => (v - mean) * r) };
}

/**
 * y = x̂ · gain, and (mean, r) of each row.
 *
 * @param x f64[rows, cols]
 * @param gain f64[cols]; absent is 1
 * @returns y f64[rows, cols], stats f64[rows, 2]
 */
export function norm(
  x: ArrayLike<number>, gain: ArrayLike<number> | undefined, shape: NormShape,
): { y: Float64Array; stats: Float64Array } {
  const { rows, cols } = shape;
  const y = new Float64Array(rows * cols), stats = new Float64Array(rows * 2);
  for (let i = 0; i < rows; i++) {
    const { mean, r, hat } = standardize(x, i, shape);
    stats.set([mean, r], i * 2);
    hat.forEach((h, j) => (y[i * cols + j] = h * (gain ? gain[j] : 1)));
  }
  return { y, stats };
}

/**
 * Gradients of x and of gain, from the gradient of y.
 *
 *   dx̂ = dy · gain      dx = r · (dx̂ − [mean dx̂] − x̂ · mean(dx̂ · x̂))
 *   dgain = Σ_rows dy · x̂
 *
 * The bracket belongs to LayerNorm alone: there the mean depends on every x too.
 *
 * @returns dx f64[rows, cols], dgain f64[cols]
 */
export function normBackward(
  dy: ArrayLike<number>, x: ArrayLike<number>, gain: ArrayLike<number> | undefined,
  shape: NormShape,
): { dx: Float64Array; dgain: Float64Array } {
  const { rows, cols, centre } = shape;
  const dx = new Float64Array(rows * cols), dgain = new Float64Array(cols);
  for (let i = 0; i < rows; i++) {
    const { r, hat } = standardize(x, i, shape);
    const dhat = hat.map((_, j) => dy[i * cols + j] * (gain ? gain[j] : 1));
    const mean = centre ? dhat.reduce((sum, d) => sum + d, 0) / cols : 0;
    const meanDot = dhat.reduce((sum, d, j) => sum + d * hat[j], 0) / cols;
    for (let j = 0; j < cols; j++) {
      dx[i * cols + j] = r * (dhat[j] - mean - hat[j] * meanDot);
      dgain[j] += dy[i * cols + j] * hat[j];
    }
  }
  return { dx, dgain };
}

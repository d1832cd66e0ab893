/**
 * SmoothQuant: moves the outliers of a layer's inputs into its weights, where they are easier to
 * round. The product stays the same.
 *
 *   s_j = √(max |x_j| / max |W_j|)          x̂ = x/s      Ŵ = W·diag(s)      (α = ½)
 *
 * The division by s goes into the gain of the norm before the layer, so it costs nothing. Layers
 * without a norm before them (o_proj and down_proj of `transformer`) stay as they are, as in the
 * published code. Source  Xiao et al. 2022, SmoothQuant, §4 (arXiv 2211.10438).
 * @module
 */

/** Smallest maximum and factor: a channel that is always 0 must not divide by 0. */
const LEAST = 1e-5;

/**
 * s, one factor a column.
 *
 * @param inputMax f32[cols]: largest |x_j| over the calibration text
 * @param weightMax f32[cols]: largest |W_j| over all matrices that share the input
 * @example
 * smoothingFactors(Float32Array.of(8), Float32Array.of(0.5)); // [4]
 */
export function smoothingFactors(inputMax: Float32Array, weightMax: Float32Array): Float32Array {
  return inputMax.map((x, j) =>
    Math.max(LEAST, Math.sqrt(Math.max(LEAST, x) / Math.max(LEAST, weightMax[j]))));
}

/** Largest |w| of each column, over matrices f32[·, cols]. */
export function columnMaxima(matrices: readonly Float32Array[], cols: number): Float32Array {
  const maxima = new Float32Array(cols);
  for (const data of matrices)
    for (let i = 0; i < data.length; i++)
      maxima[i % cols] = Math.max(maxima[i % cols], Math.abs(data[i]));
  return maxima;
}

/** gain ← gain/s, and each matrix ← matrix·diag(s), in place. */
export function smooth(
  gain: Float32Array, matrices: readonly Float32Array[], factors: Float32Array,
): void {
  for (let j = 0; j < gain.length; j++) gain[j] /= factors[j];
  for (const data of matrices)
    for (let i = 0; i < data.length; i++) data[i] *= factors[i % factors.length];
}

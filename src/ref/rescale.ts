/**
 * Twin of the rescaling: integers of a BitLinear product back to real numbers. Bit-exact.
 *
 *   y[i, n] = acc[i, n] · (γ_i/Q · β_n)  +  η_i · (β_n · Σ_k W̃[n, k])
 *
 * Source  Wang et al. 2023, BitNet, Eq. 11, 15 (arXiv 2310.11453).
 * @module
 */
const { fround } = Math;

export interface RescaleOperands {
  /** i32[m, np] */
  readonly acc: Int32Array;
  /** f32[m]: γ/Q. */
  readonly xScale: Float32Array;
  /** f32[m]: η of shifted activations. */
  readonly shift?: Float32Array;
  /** f32[n]: β. */
  readonly wScale: Float32Array;
  /** i32[n]: Σ W̃; read only with `shift`. */
  readonly wSums: Int32Array;
}

/** f32[m, n]; added to `y` if it is given. */
export function rescaleI32(
  { acc, xScale, shift, wScale, wSums }: RescaleOperands,
  m: number, n: number, np: number, y?: Float32Array,
): Float32Array {
  const out = new Float32Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let value = fround(fround(acc[i * np + j]) * fround(xScale[i] * wScale[j]));
      if (shift) value = fround(value + fround(shift[i] * fround(wScale[j] * fround(wSums[j]))));
      if (y) value = fround(value + y[i * n + j]);
      out[i * n + j] = value;
    }
  return out;
}

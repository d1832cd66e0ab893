/**
 * 1-bit weights: one sign bit per weight, one scale per matrix or group of rows.
 *
 *   α = mean W        β = mean |W|        W̃ = sign(W − α)        W ≈ β · W̃
 *
 * Source  Wang et al. 2023, BitNet, §2.1, Eq. 1–3, 12 (arXiv 2310.11453).
 * @module
 */
import { checkInteger, checkMatrix } from '../check.ts';
import { fileRowBytes } from './layout.ts';
import { meanAbs } from './mean-abs.ts';

/** A matrix of packed weights, as in a file. */
export interface PackedMatrix {
  readonly rows: number;
  /** Logical columns, before padding. */
  readonly cols: number;
  /** Row-major, least significant bit first, each row padded to a whole byte. */
  readonly codes: Uint8Array;
  /** f32[groups]: a weight is `scale · code`. Group g is rows g·rows/groups and following. */
  readonly scales: Float32Array;
}

/**
 * Throws unless `weights` is f32[rows, cols] of finite values and `groups` divides `rows`.
 *
 * Infinities of either sign and NaN are found in one pass: each makes the sum of x − x NaN.
 */
export function checkWeights(
  fn: string, weights: Float32Array, rows: number, cols: number, groups: number,
): void {
  checkMatrix(fn, 'weights', weights, rows, cols);
  checkInteger(fn, 'groups', groups, 1, rows);
  if (rows % groups !== 0)
    throw new RangeError(`${fn}: "groups" expected a divisor of ${rows} rows, got ${groups}`);
  let rest = 0;
  for (const w of weights) rest += w - w;
  if (rest === 0) return;
  const at = weights.findIndex((w) => !Number.isFinite(w));
  throw new RangeError(`${fn}: "weights" expected finite values, got ${weights[at]} at ${at}`);
}

/**
 * b1[rows, cols] ← 1 where W > mean, else 0.
 *
 * @param bytes bytes of a packed row; what is beyond ⌈cols/8⌉ stays 0
 */
export function packSigns(
  weights: Float32Array, mean: number, rows: number, cols: number,
  bytes = fileRowBytes('b1', cols),
): Uint8Array {
  const bits = new Uint8Array(rows * bytes);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < cols; c++)
      if (weights[r * cols + c] > mean) bits[r * bytes + (c >> 3)] |= 1 << (c & 7);
  return bits;
}

/**
 * Binarizes weights: W̃ = sign(W − mean W), scale = mean |W|.
 *
 * A weight equal to the mean becomes −1, as in the paper: so a matrix of zeros is all −1 with
 * scale 0. The mean is rounded to f32 before it is compared. The input is not modified.
 *
 * @param weights f32[rows, cols], row-major
 * @param groups runs of rows with a mean and a scale of their own; divides `rows`
 * @returns codes b1[rows, cols]: bit 1 is +1; bit 0 is −1, or padding at the end of a row
 * @throws {TypeError} If `rows`, `cols` or `groups` is not a number.
 * @throws {RangeError} If the length is not rows × cols, `groups` does not divide `rows`, or a
 *   weight is NaN or infinite.
 * @see Wang et al. 2023, BitNet, §2.1 (arXiv 2310.11453)
 * @example
 * const w = quantizeSign(Float32Array.of(0.5, -0.5, 1.5, -1.5), 2, 2);
 * w.codes; // Uint8Array [1, 1]: + − and + −
 * w.scales[0]; // 1
 */
export function quantizeSign(
  weights: Float32Array, rows: number, cols: number, groups = 1,
): PackedMatrix {
  checkWeights('quantizeSign', weights, rows, cols, groups);
  const groupRows = rows / groups, bytes = fileRowBytes('b1', cols);
  const codes = new Uint8Array(rows * bytes), scales = new Float32Array(groups);
  for (let g = 0; g < groups; g++) {
    const part = weights.subarray(g * groupRows * cols, (g + 1) * groupRows * cols);
    const stats = meanAbs(part);
    codes.set(packSigns(part, stats.mean, groupRows, cols), g * groupRows * bytes);
    scales[g] = stats.meanAbs;
  }
  return { rows, cols, codes, scales };
}

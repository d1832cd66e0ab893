/**
 * Ternary weights: −1, 0 or +1 in two bits, one scale per matrix or group of rows.
 *
 *   γ = max(mean |W|, 1e−5)        W̃ = RoundClip(W / γ, −1, 1)        W ≈ γ · W̃
 *
 * Source  Ma et al. 2024, The Era of 1-bit LLMs, §2 (arXiv 2402.17764).
 * @module
 */
import { fileRowBytes } from './layout.ts';
import { meanAbs } from './mean-abs.ts';
import { roundHalfEven } from './rounding.ts';
import type { PackedMatrix } from './sign.ts';
import { checkWeights } from './sign.ts';

/** Smallest γ, in f32: a matrix of zeros is divided by it. */
const GAMMA_MIN = Math.fround(1e-5);

/** Four padding codes: 01 01 01 01. The code 1 is the weight 0. */
const ZEROS = 0x55;

/** The code of one weight: RoundClip(w · inverse) + 1, in 0 … 2. */
const ternaryCode = (w: number, inverse: number): number =>
  // | 0 makes NaN the weight 0, as the kernel's saturating conversion does.
  (Math.max(-1, Math.min(1, roundHalfEven(Math.fround(w * inverse)))) | 0) + 1;

/**
 * t2[rows, cols] ← RoundClip(W · inverse, −1, 1) + 1.
 *
 * @param inverse 1/γ as f32; the product is rounded to f32 before it is rounded to an integer
 * @param bytes bytes of a packed row; padding codes are 1
 */
export function packTernary(
  weights: Float32Array, inverse: number, rows: number, cols: number,
  bytes = fileRowBytes('t2', cols),
): Uint8Array {
  const codes = new Uint8Array(rows * bytes).fill(ZEROS);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      const at = r * bytes + (c >> 2), shift = (c & 3) * 2;
      const code = ternaryCode(weights[r * cols + c], inverse);
      codes[at] = (codes[at] & ~(3 << shift)) | (code << shift);
    }
  }
  return codes;
}

/**
 * Makes weights ternary: W̃ = RoundClip(W / γ, −1, 1), scale γ = mean |W|, at least 1e−5.
 *
 * Halves round to even, so a weight of exactly γ/2 becomes 0. The input is not modified.
 *
 * @param weights f32[rows, cols], row-major
 * @param groups runs of rows with a scale of their own; divides `rows`
 * @returns codes t2[rows, cols]: weight + 1 in two bits; padding is the weight 0
 * @throws {TypeError} If `rows`, `cols` or `groups` is not a number.
 * @throws {RangeError} If the length is not rows × cols, `groups` does not divide `rows`, or a
 *   weight is NaN or infinite.
 * @see Ma et al. 2024, The Era of 1-bit LLMs, §2 (arXiv 2402.17764)
 * @example
 * const w = quantizeAbsmean(Float32Array.of(2, -2, 0.25, -0.75), 1, 4);
 * w.scales[0]; // 1.25
 * w.codes[0]; // 0b00_01_00_10: from the right +1, −1, 0, −1
 */
export function quantizeAbsmean(
  weights: Float32Array, rows: number, cols: number, groups = 1,
): PackedMatrix {
  checkWeights('quantizeAbsmean', weights, rows, cols, groups);
  const groupRows = rows / groups, bytes = fileRowBytes('t2', cols);
  const codes = new Uint8Array(rows * bytes), scales = new Float32Array(groups);
  for (let g = 0; g < groups; g++) {
    const part = weights.subarray(g * groupRows * cols, (g + 1) * groupRows * cols);
    scales[g] = Math.max(meanAbs(part).meanAbs, GAMMA_MIN);
    const inverse = Math.fround(1 / scales[g]);
    codes.set(packTernary(part, inverse, groupRows, cols), g * groupRows * bytes);
  }
  return { rows, cols, codes, scales };
}

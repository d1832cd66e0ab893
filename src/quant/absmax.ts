/**
 * Activations: f32[rows, cols] → i8 codes of 1 … 8 bits, one scale per row (token).
 *
 *   Q = 2^(bits−1) − 1     γ = max |x|                     code = round(x · Q/γ)
 *   shifted                η = min x, γ = max (x − η)      code = round((x − η) · Q/γ) ∈ [0, Q]
 *   1 bit                  Q = 1, γ = mean |x|             code = x > 0 ? 1 : −1
 *
 * so that x ≈ code · γ/Q (+ η). γ is at least 1e−5. All steps are f32, in the kernels' order.
 * Source  Wang et al. 2023, BitNet, Eq. 4–6 (arXiv 2310.11453); Rastegari et al. 2016, XNOR-Net
 *         (arXiv 1603.05279), for 1 bit.
 * @module
 */
import { checkInteger, checkMatrix } from '../check.ts';
import { roundHalfEven } from './rounding.ts';

const { fround } = Math;

/** Smallest γ, in f32: a row of zeros gets codes 0. */
const GAMMA_MIN = fround(1e-5);

/** How to quantize activations. */
export interface AbsmaxOptions {
  /** Bits of a code, 1 … 8. Default: 8. */
  bits?: number;
  /** Shift by the row's minimum, for the inputs of a non-linearity. Default: false. */
  shifted?: boolean;
}

/** Quantized activations: x ≈ codes · scales[row] + shifts[row]. */
export interface QuantizedActivations {
  readonly rows: number;
  readonly cols: number;
  /** i8[rows, cols], not padded. */
  readonly codes: Int8Array;
  /** f32[rows]: γ/Q. */
  readonly scales: Float32Array;
  /** f32[rows]: η; all 0 if not shifted. */
  readonly shifts: Float32Array;
}

/** A quantized row. A NaN in the row makes the scale NaN. */
export interface QuantizedRow {
  readonly codes: Int8Array;
  readonly scale: number;
  readonly shift: number;
}

/** 2^(bits−1) − 1: the largest code. */
const levelsOf = (bits: number): number => (1 << (bits - 1)) - 1;

/** round((x − shift) · Q/γ), each step rounded to f32. An Int8Array stores NaN as 0. */
function encode(x: Float32Array, shift: number, gamma: number, levels: number): QuantizedRow {
  const inverse = fround(levels / gamma);
  const codes = Int8Array.from(x, (value) =>
    roundHalfEven(fround(fround(value - shift) * inverse)));
  return { codes, scale: fround(gamma / levels), shift };
}

/** Signed codes of one row, 2 … 8 bits. */
export function absmaxRow(x: Float32Array, bits: number): QuantizedRow {
  const gamma = x.reduce((most, value) => Math.max(most, Math.abs(value)), GAMMA_MIN);
  return encode(x, 0, gamma, levelsOf(bits));
}

/** Codes 0 … Q of one row, shifted by its minimum, 2 … 8 bits. */
export function shiftedRow(x: Float32Array, bits: number): QuantizedRow {
  const low = x.reduce((least, value) => Math.min(least, value));
  const high = x.reduce((most, value) => Math.max(most, value));
  return encode(x, low, Math.max(fround(high - low), GAMMA_MIN), levelsOf(bits));
}

/** Codes ±1 of one row. |x| is summed in f32: four lanes, lanes in pairs, then the rest. */
export function signRow(x: Float32Array): QuantizedRow {
  const lanes = new Float32Array(4), fours = x.length & ~3;
  for (let i = 0; i < fours; i++) lanes[i & 3] += Math.abs(x[i]);
  let total = fround(fround(lanes[0] + lanes[1]) + fround(lanes[2] + lanes[3]));
  for (let i = fours; i < x.length; i++) total = fround(total + Math.abs(x[i]));
  const codes = Int8Array.from(x, (value) => (value > 0 ? 1 : -1));
  return { codes, scale: Math.max(fround(total / x.length), GAMMA_MIN), shift: 0 };
}

/**
 * Quantizes activations by row: code = round(x · Q/γ), scale = γ/Q, γ = max |x| of the row.
 *
 * A row's codes depend on that row alone. The largest |x| gets the code ±Q, never −Q − 1, so
 * nothing is clipped. With 1 bit 0 becomes −1, and the scale is mean |x|. The input is not
 * modified.
 *
 * @param x f32[rows, cols], row-major
 * @throws {TypeError} If a size or `bits` is not a number.
 * @throws {RangeError} If the length is not rows × cols, `bits` is not 1 … 8 (2 … 8 with
 *   `shifted`), or a value is NaN or infinite.
 * @see Wang et al. 2023, BitNet, Eq. 4–6 (arXiv 2310.11453)
 * @example
 * const q = quantizeAbsmax(Float32Array.of(0.5, -1, 0.25, 0), 1, 4, { bits: 8 });
 * q.codes; // Int8Array [64, -127, 32, 0]
 * q.scales[0]; // 1/127
 */
export function quantizeAbsmax(
  x: Float32Array, rows: number, cols: number, { bits = 8, shifted = false }: AbsmaxOptions = {},
): QuantizedActivations {
  const fn = 'quantizeAbsmax';
  checkMatrix(fn, 'x', x, rows, cols);
  checkInteger(fn, 'bits', bits, shifted ? 2 : 1, 8);
  const bad = x.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new RangeError(`${fn}: "x" expected finite values, got ${x[bad]} at ${bad}`);

  const codes = new Int8Array(rows * cols);
  const scales = new Float32Array(rows), shifts = new Float32Array(rows);
  for (let r = 0; r < rows; r++) {
    const row = x.subarray(r * cols, (r + 1) * cols);
    const q = bits === 1 ? signRow(row) : shifted ? shiftedRow(row, bits) : absmaxRow(row, bits);
    codes.set(q.codes, r * cols);
    scales[r] = q.scale;
    shifts[r] = q.shift;
  }
  return { rows, cols, codes, scales, shifts };
}

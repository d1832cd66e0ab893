/**
 * Twins of the activation quantizers: rows of codes with padding, scales, shifts, sums.
 *
 * The arithmetic is in `src/quant/absmax.ts`; here a row is padded with code 0 to `kp` columns and
 * the sum of its codes is taken, as the products need it. Bit-exact.
 * Source  Wang et al. 2023, BitNet, Eq. 4–6 (arXiv 2310.11453).
 * @module
 */
import type { QuantizedRow } from '../quant/absmax.ts';
import { absmaxRow, shiftedRow, signRow } from '../quant/absmax.ts';

/** Codes i8[m, kp], scales f32[m], shifts f32[m], sums i32[m]. */
export interface QuantizedRows {
  readonly codes: Int8Array;
  readonly scales: Float32Array;
  readonly shifts: Float32Array;
  readonly sums: Int32Array;
}

function byRow(
  x: Float32Array, m: number, k: number, kp: number,
  quantize: (row: Float32Array) => QuantizedRow,
): QuantizedRows {
  const codes = new Int8Array(m * kp), sums = new Int32Array(m);
  const scales = new Float32Array(m), shifts = new Float32Array(m);
  for (let i = 0; i < m; i++) {
    const row = quantize(x.subarray(i * k, (i + 1) * k));
    codes.set(row.codes, i * kp);
    scales[i] = row.scale;
    shifts[i] = row.shift;
    sums[i] = row.codes.reduce((sum, code) => sum + code, 0);
  }
  return { codes, scales, shifts, sums };
}

/** Signed, 2 … 8 bits. */
export const quantAbsmaxI8 = (
  x: Float32Array, m: number, k: number, kp: number, bits: number,
): QuantizedRows => byRow(x, m, k, kp, (row) => absmaxRow(row, bits));

/** Shifted by the row's minimum, 2 … 8 bits. */
export const quantShiftedI8 = (
  x: Float32Array, m: number, k: number, kp: number, bits: number,
): QuantizedRows => byRow(x, m, k, kp, (row) => shiftedRow(row, bits));

/** Every part of `part` columns of a row by itself, 2 … 8 bits: scales and sums [m, kp/part]. */
export function quantBlockI8(
  x: Float32Array, m: number, k: number, kp: number, part: number, span: number, bits: number,
): QuantizedRows {
  const padded = new Float32Array(m * kp), parts = span / part;
  for (let i = 0; i < m; i++) padded.set(x.subarray(i * k, (i + 1) * k), i * kp);
  const { codes, scales, shifts } = byRow(padded, (m * kp) / span, span, span, (row) => absmaxRow(row, bits));
  const repeated = (values: Float32Array): Float32Array =>
    Float32Array.from({ length: values.length * parts }, (_, i) => values[Math.floor(i / parts)]);
  const sums = Int32Array.from({ length: (m * kp) / part }, (_, i) =>
    codes.subarray(i * part, (i + 1) * part).reduce((sum, code) => sum + code, 0));
  return { codes, scales: repeated(scales), shifts: repeated(shifts), sums };
}

/** Signs, 1 bit. */
export const quantSignI8 = (x: Float32Array, m: number, k: number, kp: number): QuantizedRows =>
  byRow(x, m, k, kp, signRow);

/** f32[m, k] ← code · scale[row] + shift[row], each step rounded. */
export function dequantI8(
  { codes, scales, shifts }: Omit<QuantizedRows, 'sums'>, m: number, k: number, kp: number,
): Float32Array {
  const out = new Float32Array(m * k);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < k; j++)
      out[i * k + j] = Math.fround(codes[i * kp + j] * scales[i]) + shifts[i];
  return out;
}

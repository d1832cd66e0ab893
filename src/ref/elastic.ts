/**
 * Twins of the elastic quantizer and its backward. Bit-exact.
 *
 *   Q = 2^(bits−1) − 1      v = x/s      code = round(clip(v, −Q, Q))      x ≈ code · s
 *   dx = |v| < Q ? d : 0                 ds = Σ d · (|v| < Q ? code − v : code)
 *
 * Source  Esser et al. 2020, Learned Step Size Quantization, Eq. 1–3 (arXiv 1902.08153).
 * @module
 */
import { roundHalfEven } from '../quant/rounding.ts';
import type { QuantizedRows } from './quant.ts';

const { fround } = Math;
const levelsOf = (bits: number): number => 2 ** (bits - 1) - 1;

const clip = (v: number, levels: number): number => Math.max(-levels, Math.min(levels, v));

/** Codes of x[m, k] by one scale; a row with a number that is not finite gets the scale NaN. */
export function quantElasticI8(
  x: Float32Array, scale: number, m: number, k: number, kp: number, bits: number,
): QuantizedRows {
  const s = fround(scale), inverse = fround(1 / s), levels = levelsOf(bits);
  const codes = new Int8Array(m * kp), sums = new Int32Array(m);
  const scales = new Float32Array(m), shifts = new Float32Array(m);
  for (let i = 0; i < m; i++) {
    const row = x.subarray(i * k, (i + 1) * k);
    codes.set(Int8Array.from(row, (value) => roundHalfEven(clip(fround(value * inverse), levels))), i * kp);
    sums[i] = codes.subarray(i * kp, (i + 1) * kp).reduce((sum, code) => sum + code, 0);
    scales[i] = row.every(Number.isFinite) ? s : NaN;
  }
  return { codes, scales, shifts, sums };
}

/** dx f32[n], and ds: f32 terms, summed in f64. */
export function elasticBackwardF32(
  d: Float32Array, x: Float32Array, scale: number, bits: number,
): { dx: Float32Array; ds: number } {
  const inverse = fround(1 / fround(scale)), levels = levelsOf(bits);
  const dx = new Float32Array(d.length);
  let ds = 0;
  x.forEach((value, i) => {
    const v = fround(value * inverse), inside = Math.abs(v) < levels;
    const code = roundHalfEven(clip(v, levels));
    ds += fround(d[i] * (inside ? fround(code - v) : code));
    dx[i] = inside ? d[i] : 0;
  });
  return { dx, ds };
}

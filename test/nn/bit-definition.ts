/**
 * BitLinear by its definition, on plain arrays: what quantization gives and what the
 * straight-through estimator makes of it. Independent of the library's own quantizers.
 *
 *   y = (W̃ · x̃) · β·γ/Q (+ η·β·ΣW̃)       dx = dy · (β·W̃)       dW = dyᵀ · (γ/Q · x̃ (+ η))
 *
 * Every real number is rounded to f32 where the kernels round, so results can be compared in bits.
 * @module
 */
import type { BitKind } from '../../src/quant/layout.ts';

const { fround } = Math;
/** Smallest γ, in f32. */
const GAMMA_MIN = fround(1e-5);

/** Nearest integer, halves to even. */
function roundEven(x: number): number {
  const low = Math.floor(x), fraction = x - low;
  if (fraction !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

/** Integers and the real numbers they stand for: code · scale[row] + shift[row]. */
export interface Codes {
  readonly codes: number[];
  /** Per row. */
  readonly scales: number[];
  readonly shifts?: number[];
}

const mean = (values: number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

/**
 * W̃ and β of each row. A run of rows/groups rows has its own α and β. Sums of values on a grid
 * are exact in any order, so give weights that are multiples of a power of two.
 */
export function weightCodes(
  kind: BitKind, w: Float32Array, rows: number, cols: number, groups: number,
): Codes {
  const codes: number[] = [], scales: number[] = [];
  const size = (rows / groups) * cols;
  for (let g = 0; g < groups; g++) {
    const own = Array.from(w.slice(g * size, (g + 1) * size));
    const alpha = fround(mean(own)), beta = fround(mean(own.map(Math.abs)));
    const gamma = Math.max(beta, 1e-5), inverse = fround(1 / gamma);
    for (const value of own)
      codes.push(kind === 'b1'
        ? (value > alpha ? 1 : -1)
        : Math.max(-1, Math.min(1, roundEven(fround(value * inverse)))));
    for (let r = 0; r < rows / groups; r++) scales.push(kind === 'b1' ? beta : gamma);
  }
  return { codes, scales };
}

/** x̃, γ/Q and η of each row. x on a grid, for the same reason. */
export function activationCodes(
  x: Float32Array, rows: number, cols: number, bits: number, shifted: boolean,
): Codes {
  const codes: number[] = [], scales: number[] = [], shifts: number[] = [];
  const levels = 2 ** (bits - 1) - 1;
  for (let i = 0; i < rows; i++) {
    const row = Array.from(x.slice(i * cols, (i + 1) * cols));
    if (bits === 1) {
      scales.push(Math.max(fround(mean(row.map(Math.abs))), GAMMA_MIN));
      codes.push(...row.map((v) => (v > 0 ? 1 : -1)));
      continue;
    }
    const shift = shifted ? Math.min(...row) : 0;
    const gamma = Math.max(...row.map((v) => Math.abs(fround(v - shift))), GAMMA_MIN);
    const inverse = fround(levels / gamma);
    codes.push(...row.map((v) => roundEven(fround(fround(v - shift) * inverse))));
    scales.push(fround(gamma / levels));
    shifts.push(shift);
  }
  return { codes, scales, shifts: shifted && bits > 1 ? shifts : undefined };
}

/** The real numbers that codes stand for, f32[rows, cols]. */
export function realValues({ codes, scales, shifts }: Codes, cols: number): Float32Array {
  return Float32Array.from(codes, (code, at) => {
    const row = Math.floor(at / cols);
    return fround(code * scales[row]) + (shifts ? shifts[row] : 0);
  });
}

/** y = (Σ W̃·x̃) · (γ/Q · β) + η · (β · ΣW̃): exact integers, then f32. */
export function bitForward(x: Codes, w: Codes, cols: number): Float32Array {
  const rows = x.scales.length, outs = w.scales.length;
  const y = new Float32Array(rows * outs);
  for (let i = 0; i < rows; i++)
    for (let n = 0; n < outs; n++) {
      let product = 0, sum = 0;
      for (let k = 0; k < cols; k++) {
        product += x.codes[i * cols + k] * w.codes[n * cols + k];
        sum += w.codes[n * cols + k];
      }
      const value = fround(product * fround(x.scales[i] * w.scales[n]));
      const shift = x.shifts ? fround(x.shifts[i] * fround(w.scales[n] * sum)) : 0;
      y[i * outs + n] = value + shift;
    }
  return y;
}

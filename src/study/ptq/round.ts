/**
 * Rounding without a look at the data: absmax for a whole matrix, and the grids of GPTQ and QuIP.
 *
 *   absmax      Q = 2^(bits−1) − 1, γ = max |W|; 1 bit: sign(W)·mean |W|       one scale a matrix
 *   min–max     2^bits points from min(W, 0) to max(W, 0), one of them 0       one grid a row
 *
 * One bit with γ = max |W| would blow every weight up to the largest one; mean |W| is the scale of
 * least squares, so the 1-bit rows here are the best that absmax could do.
 * Source  Dettmers et al. 2022, LLM.int8(), §2 (arXiv 2208.07339); the quantizer published with GPTQ.
 * @module
 */
import { checkInteger } from '../../check.ts';
import { quantizeAbsmax } from '../../quant/absmax.ts';
import { roundHalfEven } from '../../quant/rounding.ts';
import type { Round, Weights } from './layer.ts';

/**
 * The weights that absmax codes of a whole matrix stand for: code · scale.
 *
 * @param bits 1 … 8
 * @throws {RangeError} As `quantizeAbsmax`, which gives the codes.
 * @example
 * roundAbsmax({ rows: 1, cols: 3, data: Float32Array.of(1, -0.4, 0.2) }, 2).data; // [1, 0, 0]
 */
export function roundAbsmax({ rows, cols, data }: Weights, bits: number): Weights {
  const { codes, scales } = quantizeAbsmax(data, 1, rows * cols, { bits });
  return { rows, cols, data: Float32Array.from(codes, (code) => code * scales[0]) };
}

/**
 * The nearest point of a grid of 2^bits equal steps from min(row, 0) to max(row, 0), moved so that
 * 0 is a point.
 *
 * @param bits 1 … 8
 * @example
 * const round = minMaxGrid({ rows: 1, cols: 2, data: Float32Array.of(-1, 2) }, 2); // −1, 0, 1, 2
 * [round(0.6, 0), round(9, 0), round(-9, 0)]; // [1, 2, -1]
 */
export function minMaxGrid({ rows, cols, data }: Weights, bits: number): Round {
  checkInteger('minMaxGrid', 'bits', bits, 1, 8);
  const top = (1 << bits) - 1;
  const grids = Array.from({ length: rows }, (_, r) => {
    const row = data.subarray(r * cols, (r + 1) * cols);
    const low = row.reduce((least, w) => Math.min(least, w), 0);
    const high = row.reduce((most, w) => Math.max(most, w), 0);
    const step = high > low ? (high - low) / top : 1;
    return { step, zero: roundHalfEven(-low / step) };
  });
  return (value, row) => {
    const { step, zero } = grids[row];
    const code = roundHalfEven(value / step) + zero;
    return step * (Math.min(top, Math.max(0, code)) - zero);
  };
}

/** Every weight rounded by itself: what GPTQ and LDLQ are compared with. */
export function roundNearest({ rows, cols, data }: Weights, round: Round): Weights {
  return { rows, cols, data: data.map((w, i) => round(w, Math.floor(i / cols))) };
}

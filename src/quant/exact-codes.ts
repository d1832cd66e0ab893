/**
 * Packed weights and the same ones written out as floats: ±s, or −s, 0, s, with one s a matrix.
 * @module
 */
import type { BitKind } from './layout.ts';
import { fileRowBytes } from './layout.ts';

/** Codes of whole rows, and what a code of 1 stands for. */
export interface ScaledCodes {
  /** u8[rows, ⌈cols · bits/8⌉]: b1 bits or t2 codes. */
  readonly codes: Uint8Array;
  readonly scale: number;
}

/**
 * The codes of weights that are written out; undefined if they are not of this kind.
 *
 * @param values f32[rows, cols]
 * @example
 * exactCodes('b1', Float32Array.of(2, -2), 1, 2); // { codes: [0b01], scale: 2 }
 */
export function exactCodes(
  kind: BitKind, values: Float32Array, rows: number, cols: number,
): ScaledCodes | undefined {
  let scale = 0;
  for (const value of values) if (Math.abs(value) > scale) scale = Math.abs(value);
  const bytes = fileRowBytes(kind, cols), codes = new Uint8Array(rows * bytes).fill(kind === 'b1' ? 0 : 0x55);
  for (let r = 0, i = 0; r < rows; r++)
    for (let c = 0; c < cols; c++, i++) {
      const value = values[i], at = r * bytes;
      if (Math.abs(value) !== scale && !(kind === 't2' && value === 0)) return undefined;
      if (kind === 'b1') codes[at + (c >> 3)] |= (value > 0 ? 1 : 0) << (c & 7);
      else if (value !== 0) codes[at + (c >> 2)] ^= (value > 0 ? 3 : 1) << (2 * (c & 3)); // from 1 to 2 or 0
    }
  return scale > 0 || kind === 't2' ? { codes, scale } : undefined;
}

/**
 * The weights that codes stand for: the opposite of `exactCodes`.
 *
 * @returns f32[rows, cols]
 */
export function writtenOut(
  kind: BitKind, { codes, scale }: ScaledCodes, rows: number, cols: number,
): Float32Array {
  const bytes = fileRowBytes(kind, cols), out = new Float32Array(rows * cols);
  for (let r = 0, i = 0; r < rows; r++)
    for (let c = 0; c < cols; c++, i++)
      out[i] = scale * (kind === 'b1' ? 2 * (codes[r * bytes + (c >> 3)] >> (c & 7) & 1) - 1
        : (codes[r * bytes + (c >> 2)] >> (2 * (c & 3)) & 3) - 1);
  return out;
}

/** The same weights as t2 codes. */
export function ternaryOfSigns(codes: Uint8Array, rows: number, cols: number): Uint8Array {
  const from = fileRowBytes('b1', cols), to = fileRowBytes('t2', cols);
  const out = new Uint8Array(rows * to).fill(0x55);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < cols; c++) {
      const positive = codes[r * from + (c >> 3)] >> (c & 7) & 1;
      out[r * to + (c >> 2)] ^= (positive ? 3 : 1) << (2 * (c & 3));
    }
  return out;
}

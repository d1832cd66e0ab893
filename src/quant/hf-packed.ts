/**
 * Ternary weights as transformers packs them: U8 [rows/4, cols], where byte [r, c] has the weights of rows
 * r, r + rows/4, r + rows/2 and r + 3·rows/4 in column c, least significant first, each as weight + 1.
 *
 * Source  transformers, `integrations/bitnet.py`, `pack_weights`.
 * @module
 */
import { fileRowBytes } from './layout.ts';

/** Codes of columns behind the last one, which stand for 0. */
const PADDING = 0x55;

/**
 * The t2 rows of packed weights.
 *
 * @param packed u8[rows/4, cols]
 * @returns u8[rows, ⌈cols/4⌉]; a code 3 where the file has one
 * @example
 * unpackHf(Uint8Array.of(0b10_01_00_10), 4, 1); // +1, −1, 0, +1: [0b010110, 0b010100, 0b010101, 0b010110]
 */
export function unpackHf(packed: Uint8Array, rows: number, cols: number): Uint8Array {
  const quarter = rows / 4, bytes = fileRowBytes('t2', cols), whole = cols >> 2;
  const out = new Uint8Array(rows * bytes).fill(PADDING);
  for (let r = 0; r < quarter; r++) {
    for (let i = 0; i < whole; i++) {
      const at = r * cols + 4 * i;
      const four = packed[at] | packed[at + 1] << 8 | packed[at + 2] << 16 | packed[at + 3] << 24;
      for (let k = 0; k < 4; k++) {
        const codes = four >>> (2 * k) & 0x03030303;
        out[(k * quarter + r) * bytes + i] = codes | codes >>> 6 | codes >>> 12 | codes >>> 18;
      }
    }
    for (let k = 0; k < 4; k++)
      for (let c = 4 * whole; c < cols; c++) {
        const code = packed[r * cols + c] >> (2 * k) & 3, up = 2 * (c & 3);
        const to = (k * quarter + r) * bytes + whole;
        out[to] = out[to] & ~(3 << up) | code << up;
      }
  }
  return out;
}

/**
 * Packs t2 rows: the opposite of `unpackHf`.
 *
 * @param codes u8[rows, ⌈cols/4⌉]
 * @returns u8[rows/4, cols]
 */
export function packHf(codes: Uint8Array, rows: number, cols: number): Uint8Array {
  const quarter = rows / 4, bytes = fileRowBytes('t2', cols), out = new Uint8Array(quarter * cols);
  for (let row = 0; row < rows; row++) {
    const to = (row % quarter) * cols, up = 2 * Math.floor(row / quarter);
    for (let c = 0; c < cols; c++)
      out[to + c] |= (codes[row * bytes + (c >> 2)] >> (2 * (c & 3)) & 3) << up;
  }
  return out;
}

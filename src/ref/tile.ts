/**
 * Twins of the tile layout: 16 rows by 8 columns, as the products read it.
 *
 * For each tile of 16 rows, each group of 8 columns, each plane, 16 bytes: the 8 bits of one row each,
 * first column in bit 0. Which rows is the table below. ±1 weights have one plane; ternary weights have
 * two, "code ≥ 1" and "code = 2".
 * @module
 */
import { TILE_ROWS } from '../quant/layout.ts';

/** The row of each byte. */
const ROWS = [0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15];

/** Whether the weight at (row, col) has its bit set. */
type IsSet = (row: number, col: number) => boolean;

/** 8 bits of one row, from column `col`. */
const byteOf = (isSet: IsSet, row: number, col: number): number =>
  [0, 1, 2, 3, 4, 5, 6, 7].reduce((bits, i) => bits | (isSet(row, col + i) ? 1 << i : 0), 0);

function tile(rows: number, kp: number, planes: IsSet[]): Uint8Array {
  const bytes: number[] = [];
  for (let first = 0; first < rows; first += TILE_ROWS)
    for (let col = 0; col < kp; col += 8)
      for (const isSet of planes)
        for (const row of ROWS) bytes.push(byteOf(isSet, first + row, col));
  return Uint8Array.from(bytes);
}

/**
 * Tiles of ±1 weights. Rows and columns beyond the matrix have 0 bits.
 *
 * @param bits b1[rows, cols], `rowBytes` bytes a row
 * @param kp columns of the tiles
 */
export function tileB1(
  bits: Uint8Array, rows: number, cols: number, kp: number, rowBytes: number,
): Uint8Array {
  const isSet: IsSet = (row, col) => row < rows && col < cols
    && ((bits[row * rowBytes + (col >> 3)] >> (col & 7)) & 1) === 1;
  return tile(rows, kp, [isSet]);
}

/**
 * Tiles of ternary weights. Columns beyond the matrix are the weight 0, rows have 0 bits.
 *
 * @param codes t2[rows, cols], `rowBytes` bytes a row
 */
export function tileT2(
  codes: Uint8Array, rows: number, cols: number, kp: number, rowBytes: number,
): Uint8Array {
  const code = (row: number, col: number): number => {
    if (row >= rows) return 0;
    if (col >= cols) return 1;
    return (codes[row * rowBytes + (col >> 2)] >> ((col & 3) * 2)) & 3;
  };
  return tile(rows, kp, [
    (row, col) => code(row, col) >= 1, (row, col) => code(row, col) === 2,
  ]);
}

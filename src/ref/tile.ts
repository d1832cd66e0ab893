/**
 * Twins of the tile layout: 32 rows by 4 columns, as the table-lookup products read it.
 *
 * For each tile of 32 rows, each group of 4 columns, each of 16 bytes: a low and a high nibble,
 * the 4 bits of one row each (first column in bit 0). Which rows is the table below. Ternary has
 * two such planes a group, "code ≥ 1" and "code = 2". The bytes follow each other in that order.
 * @module
 */
import { TILE_ROWS } from '../quant/layout.ts';

/** The row of each byte's low nibble; the high nibble holds the row 16 further. */
const LOW_ROWS = [0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15];

/** Whether the weight at (row, col) has its bit set. */
type IsSet = (row: number, col: number) => boolean;

/** 4 bits of one row, from column `col`. */
const nibble = (isSet: IsSet, row: number, col: number): number =>
  [0, 1, 2, 3].reduce((bits, i) => bits | (isSet(row, col + i) ? 1 << i : 0), 0);

function tile(rows: number, groups: number, planes: IsSet[]): Uint8Array {
  const bytes: number[] = [];
  for (let first = 0; first < rows; first += TILE_ROWS)
    for (let g = 0; g < groups; g++)
      for (const isSet of planes)
        for (const low of LOW_ROWS) {
          const row = first + low;
          bytes.push(nibble(isSet, row, 4 * g) | (nibble(isSet, row + 16, 4 * g) << 4));
        }
  return Uint8Array.from(bytes);
}

/**
 * Tiles of ±1 weights. Rows and columns beyond the matrix have 0 bits.
 *
 * @param bits b1[rows, 8 · rowBytes], padded with 0 bits
 * @param groups column groups of a tile
 */
export function tileB1(
  bits: Uint8Array, rows: number, rowBytes: number, groups: number,
): Uint8Array {
  const isSet: IsSet = (row, col) => row < rows && (col >> 3) < rowBytes
    && ((bits[row * rowBytes + (col >> 3)] >> (col & 7)) & 1) === 1;
  return tile(rows, groups, [isSet]);
}

/**
 * Tiles of ternary weights. Columns beyond the matrix are the weight 0, rows have 0 bits.
 *
 * @param codes t2[rows, 4 · rowBytes], padded with the code 1
 */
export function tileT2(
  codes: Uint8Array, rows: number, rowBytes: number, groups: number,
): Uint8Array {
  const code = (row: number, col: number): number => {
    if (row >= rows) return 0;
    if ((col >> 2) >= rowBytes) return 1;
    return (codes[row * rowBytes + (col >> 2)] >> ((col & 3) * 2)) & 3;
  };
  return tile(rows, groups, [
    (row, col) => code(row, col) >= 1, (row, col) => code(row, col) === 2,
  ]);
}

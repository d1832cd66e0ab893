/**
 * The packed formats, described once: kinds of weights, bit order, padding, sizes in bytes.
 *
 *   rows    row-major, least significant bit first. In memory a row is padded to 128 columns;
 *           in a file to a whole byte. b1: bit 1 is +1, bit 0 is −1. t2: code = weight + 1.
 *   tiles   16 rows by 8 columns, what the products read (`assembly/kernels/tile.ts`).
 * @module
 */

/** Element types of linear weights: ±1 in one bit, −1/0/+1 in two bits, float. */
export type WeightKind = 'b1' | 't2' | 'f32';

/** The packed ones among them. */
export type BitKind = 'b1' | 't2';

/** Bits of one packed weight. */
export const BITS: Readonly<Record<BitKind, number>> = { b1: 1, t2: 2 };

/** Rows in a tile. */
export const TILE_ROWS = 16;

/** Activation rows are padded to this many columns, one step of the table-lookup product. */
const ACTIVATION_ALIGN = 16;

/** Bytes of a v128: rows in memory are padded to whole vectors. */
const VECTOR_BYTES = 16;

const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to;

/** Columns of i8 activations in memory. */
export const paddedCols = (cols: number): number => roundUp(cols, ACTIVATION_ALIGN);

/** Rows of the product's result in memory: whole tiles. */
export const paddedRows = (rows: number): number => roundUp(rows, TILE_ROWS);

/** Bytes of a packed row in a file. */
export const fileRowBytes = (kind: BitKind, cols: number): number =>
  Math.ceil((cols * BITS[kind]) / 8);

/** Bytes of a packed row in memory. */
export const rowBytes = (kind: BitKind, cols: number): number =>
  roundUp(fileRowBytes(kind, cols), VECTOR_BYTES);

/** Bytes of a matrix in the tile layout. */
export const tileBytes = (kind: BitKind, rows: number, cols: number): number =>
  (paddedRows(rows) * paddedCols(cols) * BITS[kind]) / 8;

/**
 * Packed weights with a scale per block of columns, in linear memory: laying out tiles as a file's rows
 * arrive, and rows back to floats.
 * @module
 */
import { halfToNumber } from '../quant/half.ts';
import type { BitKind } from '../quant/layout.ts';
import { BITS, TILE_ROWS, paddedRows } from '../quant/layout.ts';
import type { Engine } from '../wasm/engine.ts';
import type { CodeRows } from './bit-weights.ts';
import { layOutTiles } from './bit-weights.ts';
import type { Compute, Matrix } from './matrix.ts';
import { checkShape } from './matrix.ts';

/** W̃[rows, cols] with a scale per `block` columns of a row. Addresses are byte offsets. */
export interface BlockWeights {
  readonly kind: BitKind;
  readonly rows: number;
  readonly cols: number;
  /** Columns with one scale; cols is padded to whole blocks. */
  readonly block: number;
  /** The tile layout, as in `BitWeights`, for all blocks. */
  readonly tiles: number;
  /** f16[paddedRows/16, blocks, 16], finite; in fixed point i16[paddedRows/16, blocks/2, 16, 2]. */
  readonly scales: number;
  /** In fixed point: f32[paddedRows], the largest of a row, of which `scales` are 32,767ths; else 0. */
  readonly rowScales: number;
}

/** The largest i16, which stands for 1 in fixed point. */
const ONE = 32_767;

/** Whether blocks of these columns can have scales in fixed point: an even number of them, not too long. */
export const canBeFixed = (cols: number, block: number): boolean =>
  block <= 128 && (paddedTo(cols, block) / block) % 2 === 0;

/** Columns in whole blocks. */
export const paddedTo = (cols: number, block: number): number => Math.ceil(cols / block) * block;

/**
 * Room on the heap for weights with a scale per `block` columns.
 *
 * @param fixed keep the scales in fixed point: faster, where activations have a scale for the same columns
 * @throws {RangeError} If `block` is no multiple of 16, or cannot be fixed.
 */
export function allocBlockWeights(
  { heap }: Engine, kind: BitKind, rows: number, cols: number, block: number, fixed = false,
): BlockWeights {
  if (!(block > 0 && block % 16 === 0))
    throw new RangeError(`allocBlockWeights: "block" expected a multiple of 16, got ${block}`);
  if (fixed && !canBeFixed(cols, block))
    throw new RangeError(
      `allocBlockWeights: "fixed" expected an even number of blocks up to 128, got ${cols} / ${block}`);
  const np = paddedRows(rows), kp = paddedTo(cols, block);
  return {
    kind, rows, cols, block, tiles: heap.alloc((np * kp * BITS[kind]) / 8),
    scales: heap.alloc((np * kp * 2) / block), rowScales: fixed ? heap.alloc(np * 4) : 0,
  };
}

/** Gives the room back. */
export function freeBlockWeights(
  { heap }: Engine, { tiles, scales, rowScales }: BlockWeights,
): void {
  for (const ptr of [tiles, scales, rowScales]) if (ptr) heap.free(ptr);
}

/**
 * Fills tiles and scales of some rows from codes as they lie in a file.
 *
 * @param scales f16 bits [count, blocks], finite: the reader of the file has checked
 * @param from first row, a multiple of 16
 * @param count rows; a multiple of 16 unless they are the last ones
 */
export function layOutBlocks(
  compute: Compute, w: BlockWeights, codes: CodeRows, scales: Uint16Array, from = 0,
  count = w.rows - from,
): void {
  const { kind, rows, cols, block } = w, kp = paddedTo(cols, block), blocks = kp / block;
  if (from % TILE_ROWS !== 0 || from + count > rows)
    throw new RangeError(
      `layOutBlocks: rows ${from} to ${from + count} expected a beginning at a multiple of 16 ` +
      `and an end by ${rows}`);
  layOutTiles(compute, kind, count, cols, codes, w.tiles + (from * kp * BITS[kind]) / 8, kp);
  if (w.rowScales) return putFixed(compute.engine, w, scales, from, count, blocks);
  const memory = compute.engine.memory.buffer;
  const to = new Uint16Array(memory, w.scales, paddedRows(rows) * blocks);
  for (let i = 0; i < count; i++) {
    const at = scaleIndex(from + i, blocks);
    for (let b = 0; b < blocks; b++) to[at + b * TILE_ROWS] = scales[i * blocks + b];
  }
}

/** Every half as a number, once it is needed: files have millions of scales. */
let HALVES: Float32Array | undefined;

/** Scales of rows in fixed point: the largest of each, and 32,767ths of it. */
function putFixed(
  engine: Engine, w: BlockWeights, scales: Uint16Array, from: number, count: number, blocks: number,
): void {
  const np = paddedRows(w.rows), largest = engine.f32(w.rowScales, np), row = new Float32Array(blocks);
  const halves = (HALVES ??= Float32Array.from({ length: 65_536 }, (_, half) => halfToNumber(half)));
  const to = new Int16Array(engine.memory.buffer, w.scales, np * blocks);
  for (let i = 0; i < count; i++) {
    let most = 0;
    for (let b = 0; b < blocks; b++) {
      const value = row[b] = halves[scales[i * blocks + b]], size = value < 0 ? -value : value;
      if (size > most) most = size;
    }
    const r = from + i, inverse = most > 0 ? ONE / most : 0;
    largest[r] = most;
    for (let b = 0, at = fixedIndex(r, 0, blocks); b < blocks; b++, at += b & 1 ? 1 : 2 * TILE_ROWS - 1)
      to[at] = Math.round(row[b] * inverse);
  }
}

/** Where the fixed-point scale of a block of a row is: two blocks of a row are neighbours. */
const fixedIndex = (row: number, b: number, blocks: number): number =>
  Math.floor(row / TILE_ROWS) * blocks * TILE_ROWS + (b & ~1) * TILE_ROWS + 2 * (row % TILE_ROWS) + (b & 1);

/** The scale of a block of a row, as a number. */
function scaleOf({ memory }: Engine, w: BlockWeights, row: number, b: number, blocks: number): number {
  const count = paddedRows(w.rows) * blocks;
  if (!w.rowScales) {
    const halves = new Uint16Array(memory.buffer, w.scales, count);
    return halfToNumber(halves[scaleIndex(row, blocks) + b * TILE_ROWS]);
  }
  const codes = new Int16Array(memory.buffer, w.scales, count);
  const largest = new Float32Array(memory.buffer, w.rowScales, paddedRows(w.rows));
  return (largest[row] * codes[fixedIndex(row, b, blocks)]) / ONE;
}

/** Where the scales of a row begin; the next block's is 16 further. */
const scaleIndex = (row: number, blocks: number): number =>
  Math.floor(row / TILE_ROWS) * blocks * TILE_ROWS + (row % TILE_ROWS);

/**
 * out[i] ← row ids[i] of the weights as f32: an embedding read from its packed form.
 *
 * @param ids address of i32[out.rows], each checked against the rows
 */
export function gatherBlocks(
  { engine }: Compute, w: BlockWeights, ids: number, out: Matrix,
): void {
  checkShape('gatherBlocks', 'out', out, out.rows, w.cols);
  const rows = engine.i32(ids, out.rows);
  rows.forEach((row, i) => expandRow(engine, w, row, engine.f32(out.ptr + i * w.cols * 4, w.cols)));
}

/** A row in real numbers: ±d, or −d, 0, d. */
function expandRow(engine: Engine, w: BlockWeights, row: number, out: Float32Array): void {
  const { kind, cols, block } = w, kp = paddedTo(cols, block), blocks = kp / block;
  const inTile = row % TILE_ROWS, place = inTile < 8 ? 2 * inTile : 2 * (inTile - 8) + 1;
  const planes = BITS[kind], tileBytes = (kp * TILE_ROWS * planes) / 8;
  const tile = engine.u8(w.tiles + Math.floor(row / TILE_ROWS) * tileBytes, tileBytes);
  const scales = Array.from({ length: blocks }, (_, b) => scaleOf(engine, w, row, b, blocks));
  for (let c = 0; c < cols; c++) {
    const d = scales[Math.floor(c / block)];
    const at = (c >> 3) * TILE_ROWS * planes + place, bit = tile[at] >> (c & 7) & 1;
    out[c] = planes === 1 ? (bit ? d : -d) : (bit + (tile[at + TILE_ROWS] >> (c & 7) & 1) - 1) * d;
  }
}

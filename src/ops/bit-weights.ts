/**
 * Packed weights in linear memory: binarizing latents, laying out tiles, and back to floats.
 *
 *   b1   W̃ = sign(W − α), α = mean W, β = mean |W|         t2   W̃ = RoundClip(W/γ), γ = mean |W|
 *
 * With groups, each run of rows/groups rows has its own α and β. The scale is kept per row, so
 * the products need not know of groups.
 * @module
 */
import type { BitKind } from '../quant/layout.ts';
import { BITS, TILE_ROWS, paddedCols, paddedRows, rowBytes, tileBytes } from '../quant/layout.ts';
import type { Engine } from '../wasm/engine.ts';
import type { Compute, Matrix } from './matrix.ts';
import { checkShape } from './matrix.ts';

/** Smallest γ of ternary weights. */
const GAMMA_MIN = 1e-5;
/** Weights that are worth a thread's while. */
const EXPAND_GRAIN = 16_384;
const TILE_GRAIN = 262_144;
/** Bytes of scratch that a tile kernel needs. */
const TILE_SCRATCH = 1024;
/** Columns of a block of codes, which the tile kernels read. */
const BLOCK = 128;

/** A packed matrix W̃[rows, cols] with its scales. Addresses are byte offsets; 0 is absent. */
export interface BitWeights {
  readonly kind: BitKind;
  readonly rows: number;
  readonly cols: number;
  /** Row-major codes, `rowBytes(kind, cols)` a row, where backward needs them. */
  readonly codes: number;
  /** The tile layout, which the products read. */
  readonly tiles: number;
  /** f32[paddedRows]: β, or γ, of each row. */
  readonly scales: number;
  /** i32[paddedRows]: Σ W̃ of each row, for shifted activations. */
  readonly sums: number;
}

/** Room on the heap for a packed matrix, with row-major codes beside the tiles if `codes`. */
export function allocBitWeights(
  { heap }: Engine, kind: BitKind, rows: number, cols: number, codes: boolean,
): BitWeights {
  const np = paddedRows(rows);
  return {
    kind, rows, cols,
    codes: codes ? heap.alloc(rows * rowBytes(kind, cols)) : 0,
    tiles: heap.alloc(tileBytes(kind, rows, cols)),
    scales: heap.alloc(np * 4),
    sums: heap.alloc(np * 4),
  };
}

/** Gives the room back. */
export function freeBitWeights({ heap }: Engine, w: BitWeights): void {
  for (const ptr of [w.codes, w.tiles, w.scales, w.sums]) if (ptr) heap.free(ptr);
}

/**
 * Binarizes latent weights into `w` in every layout it has.
 *
 * @param latent f32[rows, cols]
 * @param groups divides rows: runs of rows with scales of their own
 */
export function binarize(compute: Compute, latent: Matrix, w: BitWeights, groups: number): void {
  checkShape('binarize', 'latent', latent, w.rows, w.cols);
  const { engine, workspace } = compute;
  const { kernels } = engine;
  const mark = workspace.mark();
  const stats = workspace.alloc(8);
  const bytes = rowBytes(w.kind, w.cols);
  const codes = w.codes || workspace.alloc(w.rows * bytes);
  const groupRows = w.rows / groups;
  for (let g = 0; g < groups; g++) {
    const from = latent.ptr + g * groupRows * w.cols * 4, to = codes + g * groupRows * bytes;
    kernels.meanAbsF32(from, groupRows * w.cols, stats);
    const [mean, meanAbs] = engine.f32(stats, 2);
    const scale = w.kind === 'b1' ? meanAbs : Math.max(meanAbs, GAMMA_MIN);
    if (w.kind === 'b1') kernels.packB1(from, mean, to, groupRows, w.cols, bytes);
    else kernels.packT2(from, 1 / scale, to, groupRows, w.cols, bytes);
    engine.f32(w.scales + g * groupRows * 4, groupRows).fill(scale);
  }
  layOut(compute, w, codes, bytes);
  workspace.release(mark);
}

/**
 * Fills tiles and row sums from row-major codes, `bytes` from one row to the next.
 *
 * The codes may lie as they do in a file: rows need not be padded to whole vectors.
 */
export function layOut(
  { engine, workspace }: Compute, w: BitWeights, codes: number, bytes: number,
): void {
  const { kind, rows, cols } = w;
  layOutTiles({ engine, workspace }, kind, rows, cols, {
    ptr: codes, rowBytes: bytes, stride: (BLOCK * BITS[kind]) / 8 }, w.tiles);
  const name = kind === 'b1' ? 'rowSumsB1' : 'rowSumsT2';
  engine.split(name, rows, 1, Math.ceil(TILE_GRAIN / cols), (from, to) => [
    codes + from * bytes, w.sums + from * 4, to - from, cols, bytes]);
}

/** Codes as they arrive: rows of blocks of 128 columns. */
export interface CodeRows {
  readonly ptr: number;
  /** Bytes from a row to the next, and from a block of 128 columns to the next. */
  readonly rowBytes: number;
  readonly stride: number;
}

/** tiles ← codes, on several threads where that pays. `kp` columns, at least `paddedCols(cols)`. */
export function layOutTiles(
  { engine, workspace }: Compute, kind: BitKind, rows: number, cols: number,
  { ptr, rowBytes: bytes, stride }: CodeRows, tiles: number, kp = paddedCols(cols),
): void {
  const mark = workspace.mark();
  const name = kind === 'b1' ? 'tileB1' : 'tileT2';
  engine.split(name, rows, TILE_ROWS, Math.ceil(TILE_GRAIN / kp), (from, to) => [
    ptr + from * bytes, tiles + (from * kp * BITS[kind]) / 8, workspace.alloc(TILE_SCRATCH),
    to - from, cols, kp, bytes, stride]);
  workspace.release(mark);
}

/** out[rows, cols] ← scale · W̃: the weights as the straight-through backward sees them. */
export function expand({ engine }: Compute, w: BitWeights, out: Matrix): void {
  const { kind, rows, cols, codes, scales } = w;
  checkShape('expand', 'out', out, rows, cols);
  const bytes = rowBytes(kind, cols);
  const name = kind === 'b1' ? 'expandB1' : 'expandT2';
  engine.split(name, rows, 1, Math.ceil(EXPAND_GRAIN / cols), (from, to) => [
    codes + from * bytes, scales + from * 4, out.ptr + from * cols * 4, to - from, cols, bytes]);
}

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
import { paddedCols, paddedRows, rowBytes, tileBytes } from '../quant/layout.ts';
import type { Engine } from '../wasm/engine.ts';
import type { Compute, Matrix } from './matrix.ts';
import { checkShape } from './matrix.ts';

/** Smallest γ of ternary weights. */
const GAMMA_MIN = 1e-5;
/** Weights that are worth a thread's while. */
const EXPAND_GRAIN = 16_384;

/** A packed matrix W̃[rows, cols] with its scales. Addresses are byte offsets; 0 is absent. */
export interface BitWeights {
  readonly kind: BitKind;
  readonly rows: number;
  readonly cols: number;
  /** Row-major codes, `rowBytes(kind, cols)` a row, rows padded to whole tiles. */
  readonly codes: number;
  /** The same in the tile layout. */
  readonly tiles: number;
  /** f32[paddedRows]: β, or γ, of each row. */
  readonly scales: number;
  /** i32[paddedRows]: Σ W̃ of each row, for shifted activations. */
  readonly sums: number;
}

/** Which layouts to make room for. The popcount products and backward read codes. */
export interface Layouts {
  codes: boolean;
  tiles: boolean;
}

/** Room on the heap for a packed matrix. */
export function allocBitWeights(
  { heap }: Engine, kind: BitKind, rows: number, cols: number, layouts: Layouts,
): BitWeights {
  const np = paddedRows(rows);
  return {
    kind, rows, cols,
    codes: layouts.codes ? heap.alloc(np * rowBytes(kind, cols)) : 0,
    tiles: layouts.tiles ? heap.alloc(tileBytes(kind, rows, cols)) : 0,
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

/** Fills tiles and row sums from row-major codes of `bytes` a row. */
export function layOut(
  { engine: { kernels } }: Compute, w: BitWeights, codes: number, bytes: number,
): void {
  const groups = paddedCols(w.cols) / 4;
  if (w.kind === 'b1') {
    if (w.tiles) kernels.tileB1(codes, w.tiles, w.rows, bytes, groups);
    kernels.rowSumsB1(codes, w.sums, w.rows, w.cols, bytes);
  } else {
    if (w.tiles) kernels.tileT2(codes, w.tiles, w.rows, bytes, groups);
    kernels.rowSumsT2(codes, w.sums, w.rows, w.cols, bytes);
  }
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

/**
 * Products with weights that have a scale per block of columns, as GGUF's Q1_0 and Q2_0 do.
 *
 *   y[i, n] = Σ_b d[n, b] · Σ_s γ[i, s]/Q · (W̃ · x̃)[n, part s of block b]
 *
 * Activations have a scale per part of columns too: as many parts as divide a block. All variants give the
 * same bits: integers are exact, and the floats are added in the order of parts and blocks.
 * @module
 */
import type { BitKind } from '../quant/layout.ts';
import { BITS, TILE_ROWS, paddedRows } from '../quant/layout.ts';
import type { Engine } from '../wasm/engine.ts';
import type { BitGemmOptions } from './bit-gemm.ts';
import type { CodeRows } from './bit-weights.ts';
import { layOutTiles } from './bit-weights.ts';
import type { Compute, Matrix } from './matrix.ts';
import { checkShape, copyColumns } from './matrix.ts';
import type { TokenBlock } from './token-blocks.ts';
import { eachPiece, lookupName, tokenBlock } from './token-blocks.ts';

/** Columns that the lookups can add up in 16 bits before they make real numbers. */
const MAX_PART: Readonly<Record<BitKind, number>> = { b1: 256, t2: 128 };
/** Activations, and weights of one token's product, that are worth a thread's while. */
const QUANTIZE_GRAIN = 16_384;
const ROW_GRAIN = 500_000;
/** Bytes of the kernels' scratch: 16 integers and 16 floats. */
const SCRATCH_BYTES = 128;

/** W̃[rows, cols] with a scale per `block` columns of a row. Addresses are byte offsets. */
export interface BlockWeights {
  readonly kind: BitKind;
  readonly rows: number;
  readonly cols: number;
  /** Columns with one scale; cols is padded to whole blocks. */
  readonly block: number;
  /** The tile layout, as in `BitWeights`, for all blocks. */
  readonly tiles: number;
  /** f16[paddedRows/16, blocks, 16], finite. */
  readonly scales: number;
}

const paddedTo = (cols: number, block: number): number => Math.ceil(cols / block) * block;

/**
 * Room on the heap for weights with a scale per `block` columns.
 *
 * @throws {RangeError} If `block` is no multiple of 16.
 */
export function allocBlockWeights(
  { heap }: Engine, kind: BitKind, rows: number, cols: number, block: number,
): BlockWeights {
  if (!(block > 0 && block % 16 === 0))
    throw new RangeError(`allocBlockWeights: "block" expected a multiple of 16, got ${block}`);
  const np = paddedRows(rows), kp = paddedTo(cols, block);
  return {
    kind, rows, cols, block, tiles: heap.alloc((np * kp * BITS[kind]) / 8),
    scales: heap.alloc((np * kp * 2) / block),
  };
}

/** Gives the room back. */
export function freeBlockWeights({ heap }: Engine, { tiles, scales }: BlockWeights): void {
  heap.free(tiles);
  heap.free(scales);
}

/**
 * Fills the tiles from codes as they lie in a file, and the scales.
 *
 * @param scales f16 bits [rows, blocks], finite: the reader of the file has checked
 */
export function layOutBlocks(
  compute: Compute, w: BlockWeights, codes: CodeRows, scales: Uint16Array,
): void {
  const { kind, rows, cols, block } = w, kp = paddedTo(cols, block), blocks = kp / block;
  layOutTiles(compute, kind, rows, cols, codes, w.tiles, kp);
  const memory = compute.engine.memory.buffer;
  const to = new Uint16Array(memory, w.scales, paddedRows(rows) * blocks);
  for (let r = 0; r < rows; r++)
    for (let b = 0, at = Math.floor(r / TILE_ROWS) * blocks * TILE_ROWS + (r % TILE_ROWS); b < blocks; b++)
      to[at + b * TILE_ROWS] = scales[r * blocks + b];
}

/** i8[rows, kp] activations with a scale per part of columns. Addresses are byte offsets. */
export interface BlockQuantized {
  readonly rows: number;
  readonly cols: number;
  readonly kp: number;
  readonly bits: number;
  /** Columns with one scale. */
  readonly part: number;
  readonly codes: number;
  /** f32[rows, kp/part]: γ/Q; i32[rows, kp/part]: Σ codes. */
  readonly scales: number;
  readonly sums: number;
}

/**
 * Quantizes every `part` columns of x by their own absmax, into the workspace.
 *
 * @param weights that x will meet: columns are padded to whole blocks
 * @param options.part Default: a block, or as much as one product can add up.
 * @throws {RangeError} If parts do not divide a block, or are no multiple of 16 up to 256 (ternary: 128).
 */
export function quantizeBlocks(
  { engine, workspace }: Compute, { ptr, rows, cols }: Matrix, { kind, block }: BlockWeights,
  options: { readonly part?: number; readonly bits?: number } = {},
): BlockQuantized {
  const { part = Math.min(block, MAX_PART[kind]), bits = 8 } = options, most = MAX_PART[kind];
  if (!(part > 0 && part % 16 === 0 && part <= most && block % part === 0))
    throw new RangeError(
      `quantizeBlocks: "part" expected a multiple of 16 up to ${most} that divides ${block}, got ${part}`);
  const kp = paddedTo(cols, block), parts = kp / part;
  const codes = workspace.alloc(rows * kp);
  const scales = workspace.alloc(rows * parts * 4), sums = workspace.alloc(rows * parts * 4);
  engine.split('quantBlockI8', rows, 1, Math.ceil(QUANTIZE_GRAIN / cols), (from, to) => [
    ptr + from * cols * 4, codes + from * kp, scales + from * parts * 4, sums + from * parts * 4,
    to - from, cols, kp, part, bits]);
  return { rows, cols, kp, bits, part, codes, scales, sums };
}

/** out f32[block.rows, np] ← q · W̃ᵀ. One token is split over rows of W, several over tokens. */
function multiply(
  { engine, workspace }: Compute, block: TokenBlock, q: BlockQuantized, w: BlockWeights, out: number,
): void {
  const np = paddedRows(w.rows), { kp, part } = q, { product, from, ptr, tokenBytes, planes } = block;
  const name = product === 'lookup' ? lookupName(w.kind, true) : 'gemmPopcountBlockI8';
  const rest = [kp, part, w.block / part, ...(product === 'lookup' ? [] : [planes, BITS[w.kind]])];
  const call = (at: number, m: number, row: number, rows: number): number[] => {
    const scale = (at * kp * 4) / part;
    return [
      ptr + (at - from) * tokenBytes, q.scales + scale, q.sums + scale,
      w.tiles + (row * kp * BITS[w.kind]) / 8, w.scales + (row * kp * 2) / w.block,
      out + ((at - from) * np + row) * 4, workspace.alloc(SCRATCH_BYTES), m, rows, ...rest];
  };
  // The kernels' rows of results are as far apart as their rows are many, so only one token is split.
  if (block.rows > 1) eachPiece(engine, name, block, (at, m) => call(at, m, 0, np));
  else engine.split(name, np, TILE_ROWS, Math.ceil(ROW_GRAIN / kp), (row, to) =>
    call(from, 1, row, to - row));
}

/**
 * outs[p] ← q · weights[p]ᵀ, for matrices that share their input.
 *
 * @param outs f32[q.rows, weights[p].rows]
 * @throws {RangeError} If shapes do not fit.
 */
export function blockGemm(
  compute: Compute, q: BlockQuantized, weights: readonly BlockWeights[], outs: readonly Matrix[],
  options: BitGemmOptions = {},
): void {
  const { engine, workspace } = compute, { kind } = weights[0];
  const { product = engine.variants.productFor(kind, q.bits) } = options;
  weights.forEach((w, p) => {
    checkShape('blockGemm', 'outs', outs[p], q.rows, w.rows);
    if (w.cols !== q.cols || paddedTo(w.cols, w.block) !== q.kp || w.block % q.part !== 0)
      throw new RangeError(
        `blockGemm: "weights" expected ${q.cols} columns in blocks of parts of ${q.part}, ` +
        `got ${w.cols} in blocks of ${w.block}`);
  });
  for (let from = 0; from < q.rows; ) {
    const mark = workspace.mark();
    const block = tokenBlock(compute, q, product, false, from);
    weights.forEach((w, p) => {
      const inner = workspace.mark(), np = paddedRows(w.rows), whole = np === w.rows;
      const to = outs[p].ptr + from * w.rows * 4;
      const padded = whole ? to : workspace.alloc(block.rows * np * 4);
      multiply(compute, block, q, w, padded);
      if (!whole) {
        const result = { ptr: padded, rows: block.rows, cols: np };
        copyColumns(compute, result, 0, { ptr: to, rows: block.rows, cols: w.rows }, 0, w.rows);
      }
      workspace.release(inner);
    });
    from += block.rows;
    workspace.release(mark);
  }
}

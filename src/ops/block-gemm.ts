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
import type { BitGemmOptions } from './bit-gemm.ts';
import type { BlockWeights } from './block-weights.ts';
import { paddedTo } from './block-weights.ts';
import type { Compute, Matrix } from './matrix.ts';
import { checkShape, copyColumns } from './matrix.ts';
import type { TokenBlock } from './token-blocks.ts';
import { eachPiece, lookupName, tokenBlock } from './token-blocks.ts';

/** Columns that the lookups can add up in 16 bits before they make real numbers. */
const MAX_PART: Readonly<Record<BitKind, number>> = { b1: 256, t2: 128 };
/** Activations, and weights of one token's product, that are worth a thread's while. */
const QUANTIZE_GRAIN = 16_384;
const ROW_GRAIN = 500_000;
/** Bytes of the kernels' scratch: 16 integers and four parts of 16 integers of two bytes, at most. */
const SCRATCH_BYTES = 192;

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
  /** For weights with scales in fixed point: i16[rows, kp/part] and f32[rows]; else 0. */
  readonly xi: number;
  readonly factors: number;
}

/** How the activations of block products are quantized. */
export interface BlockQuantization {
  /** Columns that are added up as integers. Default: a block, or as much as one product can add up. */
  readonly part?: number;
  /** Columns with one scale, whole parts; `token`: all of a row. Default: a part. */
  readonly span?: number | 'token';
  /** 2 … 8; default 8. */
  readonly bits?: number;
  /** Round scales to f16. Default false. */
  readonly halfScales?: boolean;
}

/**
 * Quantizes every `span` columns of x by their own absmax, into the workspace.
 *
 * @param weights that x will meet: columns are padded to whole blocks
 * @throws {RangeError} If parts do not divide a block, or are no multiple of 16 up to 256 (ternary: 128), or
 *   spans are no whole parts of a row.
 */
export function quantizeBlocks(
  { engine, workspace }: Compute, { ptr, rows, cols }: Matrix,
  { kind, block, rowScales }: BlockWeights, options: BlockQuantization = {},
): BlockQuantized {
  const { part = Math.min(block, MAX_PART[kind]), bits = 8 } = options, most = MAX_PART[kind];
  if (!(part > 0 && part % 16 === 0 && part <= most && block % part === 0))
    throw new RangeError(
      `quantizeBlocks: "part" expected a multiple of 16 up to ${most} that divides ${block}, got ${part}`);
  const kp = paddedTo(cols, block), parts = kp / part;
  const span = options.span === 'token' ? kp : options.span ?? part;
  if (span % part !== 0 || kp % span !== 0)
    throw new RangeError(
      `quantizeBlocks: "span" expected a multiple of ${part} that divides ${kp}, got ${span}`);
  const codes = workspace.alloc(rows * kp);
  const scales = workspace.alloc(rows * parts * 4), sums = workspace.alloc(rows * parts * 4);
  engine.split('quantBlockI8', rows, 1, Math.ceil(QUANTIZE_GRAIN / cols), (from, to) => [
    ptr + from * cols * 4, codes + from * kp, scales + from * parts * 4, sums + from * parts * 4,
    to - from, cols, kp, part, span, bits]);
  if (options.halfScales) roundToHalves({ engine, workspace }, scales, rows * parts);
  const xi = rowScales ? workspace.alloc(rows * parts * 2) : 0;
  const factors = rowScales ? workspace.alloc(rows * 4) : 0;
  if (rowScales) engine.kernels.fixScales(scales, xi, factors, rows, parts);
  return { rows, cols, kp, bits, part, codes, scales, sums, xi, factors };
}

/** Rounds f32[count] at `at` to the nearest halves, in place. */
function roundToHalves({ engine, workspace }: Compute, at: number, count: number): void {
  const mark = workspace.mark(), halves = workspace.alloc(count * 2);
  engine.kernels.encodeF16(at, halves, count);
  engine.kernels.decodeF16(halves, at, count);
  workspace.release(mark);
}

/** out f32[block.rows, np] ← q · W̃ᵀ. One token is split over rows of W, several over tokens. */
function multiply(
  { engine, workspace }: Compute, block: TokenBlock, q: BlockQuantized, w: BlockWeights, out: number,
): void {
  const np = paddedRows(w.rows), { kp, part } = q, { product, from, ptr, tokenBytes, planes } = block;
  const isFixed = w.rowScales > 0, popcount = isFixed ? 'gemmPopcountFixedI8' : 'gemmPopcountBlockI8';
  const name = product === 'lookup' ? lookupName(w.kind, isFixed ? 'Fixed' : 'Block') : popcount;
  const rest = [
    kp, part, ...(isFixed ? [] : [w.block / part]), ...(product === 'lookup' ? [] : [planes, BITS[w.kind]])];
  const call = (at: number, m: number, row: number, rows: number): number[] => {
    const scale = (at * kp) / part;
    const scales = isFixed ? [q.xi + scale * 2, q.sums + scale * 4, q.factors + at * 4]
      : [q.scales + scale * 4, q.sums + scale * 4];
    return [
      ptr + (at - from) * tokenBytes, ...scales,
      w.tiles + (row * kp * BITS[w.kind]) / 8, w.scales + (row * kp * 2) / w.block,
      ...(isFixed ? [w.rowScales + row * 4] : []),
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
    const fits = w.rowScales ? w.block === q.part && q.xi > 0 : w.block % q.part === 0;
    if (w.cols !== q.cols || paddedTo(w.cols, w.block) !== q.kp || !fits)
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

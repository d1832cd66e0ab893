/**
 * The BitLinear product: quantized activations × packed weights → f32.
 *
 *   y = (W̃ · x̃) · β·γ/Q   (+ η·β·ΣW̃ for shifted activations)
 *
 * Two families compute the same integers from the same tiles; `engine.variants` says which runs.
 * @module
 */
import { BITS, TILE_ROWS, paddedCols, paddedRows } from '../quant/layout.ts';
import type { Product } from '../wasm/variants.ts';
import type { BitWeights } from './bit-weights.ts';
import type { Compute, Matrix } from './matrix.ts';
import { checkShape } from './matrix.ts';
import type { TokenBlock } from './token-blocks.ts';
import { eachPiece, lookupName, tokenBlock } from './token-blocks.ts';

/** i8[rows, paddedCols(cols)] activations with their scales. Addresses are byte offsets. */
export interface Quantized {
  readonly rows: number;
  readonly cols: number;
  readonly bits: number;
  readonly codes: number;
  /** f32[rows]: γ/Q. */
  readonly scales: number;
  /** f32[rows]: η of shifted activations; 0 if not shifted. */
  readonly shifts: number;
  /** i32[rows]: Σ codes. */
  readonly sums: number;
}

/** How activations are quantized. */
export interface ActivationQuantization {
  /** 1 … 8. */
  readonly bits: number;
  /** Shift by the minimum to [0, Q]: the paper's variant for inputs of a non-linearity. */
  readonly shifted: boolean;
}

/** Activations quantized, and weights of one token's product, that are worth a thread's while. */
const QUANTIZE_GRAIN = 16_384;
const ROW_GRAIN = 500_000;

export interface BitGemmOptions {
  /** Force a family. Default: the engine's choice. */
  readonly product?: Product;
}

/**
 * Quantizes x by row, into the workspace.
 *
 * @param scale for all of x, in place of each row's absmax; see `elastic.ts`
 */
export function quantize(
  { engine, workspace }: Compute, x: Matrix, { bits, shifted }: ActivationQuantization, scale?: number,
): Quantized {
  const { ptr, rows, cols } = x;
  const kp = paddedCols(cols);
  const codes = workspace.alloc(rows * kp), scales = workspace.alloc(rows * 4);
  const sums = workspace.alloc(rows * 4);
  const shifts = shifted && bits > 1 ? workspace.alloc(rows * 4) : 0;
  const name = scale !== undefined ? 'quantElasticI8'
    : bits === 1 ? 'quantSignI8' : shifts ? 'quantShiftedI8' : 'quantAbsmaxI8';
  engine.split(name, rows, 1, Math.ceil(QUANTIZE_GRAIN / cols), (from, to) => [
    ptr + from * cols * 4, codes + from * kp, scales + from * 4,
    ...(shifts ? [shifts + from * 4] : []), sums + from * 4, to - from, cols, kp,
    ...(bits === 1 ? [] : [bits]), ...(scale === undefined ? [] : [scale])]);
  return { rows, cols, bits, codes, scales, shifts, sums };
}

/** out[rows, cols] ← the real numbers that the codes stand for. */
export function dequantize({ engine }: Compute, q: Quantized, out: Matrix): void {
  const { rows, cols, codes, scales, shifts } = q;
  checkShape('dequantize', 'out', out, rows, cols);
  const kp = paddedCols(cols);
  engine.split('dequantI8', rows, 1, Math.ceil(QUANTIZE_GRAIN / cols), (from, to) => [
    codes + from * kp, scales + from * 4, shifts && shifts + from * 4, out.ptr + from * cols * 4,
    to - from, cols, kp]);
}

/** acc i32[block.rows, np] ← q · W̃ᵀ. One token is split over rows of W, several over tokens. */
function multiply(
  { engine }: Compute, block: TokenBlock, q: Quantized, w: BitWeights, acc: number,
): void {
  const np = paddedRows(w.rows), kp = paddedCols(q.cols);
  const { product, from, ptr, tokenBytes, planes } = block;
  const popcount = w.kind === 'b1' ? 'gemmPopcountI8B1' : 'gemmPopcountI8T2';
  const name = product === 'lookup' ? lookupName(w.kind, '') : popcount;
  const rest = product === 'lookup' ? [kp] : w.kind === 'b1' ? [q.cols, kp, planes] : [kp, planes];
  const call = (at: number, m: number, row: number, rows: number): number[] => {
    const tiles = w.tiles + (row * kp * BITS[w.kind]) / 8, out = acc + ((at - from) * np + row) * 4;
    return [ptr + (at - from) * tokenBytes, q.sums + at * 4, tiles, out, m, rows, ...rest];
  };
  if (block.rows > 1) eachPiece(engine, name, block, (at, m) => call(at, m, 0, np));
  else engine.split(name, np, TILE_ROWS, Math.ceil(ROW_GRAIN / kp), (row, to) =>
    call(from, 1, row, to - row));
}

/**
 * outs[p] ← q · weights[p]ᵀ in real numbers, for matrices that share their input.
 *
 * @param outs f32[q.rows, weights[p].rows]
 */
export function bitGemm(
  compute: Compute, q: Quantized, weights: readonly BitWeights[], outs: readonly Matrix[],
  options: BitGemmOptions = {},
): void {
  const { engine, workspace } = compute;
  const { kind } = weights[0];
  const { product = engine.variants.productFor(kind, q.bits) } = options;
  weights.forEach((w, p) => {
    checkShape('bitGemm', 'outs', outs[p], q.rows, w.rows);
    if (w.cols !== q.cols)
      throw new RangeError(`bitGemm: "weights" expected ${q.cols} columns, got ${w.cols}`);
  });
  for (let from = 0; from < q.rows; ) {
    const mark = workspace.mark();
    const codes = { ...q, kp: paddedCols(q.cols) };
    const block = tokenBlock(compute, codes, product, kind === 'b1', from);
    weights.forEach((w, p) => {
      const np = paddedRows(w.rows);
      const inner = workspace.mark();
      const acc = workspace.alloc(block.rows * np * 4);
      multiply(compute, block, q, w, acc);
      eachPiece(engine, 'rescaleI32', block, (at, m) => [
        acc + (at - from) * np * 4, q.scales + at * 4, q.shifts && q.shifts + at * 4, w.scales,
        w.sums, outs[p].ptr + at * w.rows * 4, m, w.rows, np, 0]);
      workspace.release(inner);
    });
    from += block.rows;
    workspace.release(mark);
  }
}

/**
 * The BitLinear product: quantized activations × packed weights → f32.
 *
 *   y = (W̃ · x̃) · β·γ/Q   (+ η·β·ΣW̃ for shifted activations)
 *
 * Two families compute the same integers. Lookup cost does not depend on the activation bits,
 * popcount cost is proportional to them: popcount runs at 1 and 2 bits of b1, lookup elsewhere.
 * @module
 */
import type { BitKind } from '../quant/layout.ts';
import { BITS, TILE_ROWS, paddedCols, paddedRows, rowBytes } from '../quant/layout.ts';
import type { Engine } from '../wasm/engine.ts';
import type { BitWeights } from './bit-weights.ts';
import type { Compute, Matrix } from './matrix.ts';
import { checkShape } from './matrix.ts';

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

/** Tokens whose tables are built at a time: 16 · 8 bytes a column, which stays in L2. */
const TOKEN_BLOCK = 16;
/** Token blocks that every thread gets at a time. */
const PIECES_PER_THREAD = 4;
/** Activations quantized, and weights of one token's product, that are worth a thread's while. */
const QUANTIZE_GRAIN = 16_384;
const ROW_GRAIN = 500_000;

export type Product = 'lookup' | 'popcount';

export interface BitGemmOptions {
  /** Force a family; the weights must have its layout. Default: the recorded rule. */
  readonly product?: Product;
}

/** Which family computes a product: the recorded rule. */
export const productFor = (kind: BitKind, bits: number): Product =>
  kind === 'b1' && bits <= 2 ? 'popcount' : 'lookup';

/** Quantizes x by row, into the workspace. */
export function quantize(
  { engine, workspace }: Compute, x: Matrix, { bits, shifted }: ActivationQuantization,
): Quantized {
  const { ptr, rows, cols } = x;
  const kp = paddedCols(cols);
  const codes = workspace.alloc(rows * kp), scales = workspace.alloc(rows * 4);
  const sums = workspace.alloc(rows * 4);
  const shifts = shifted && bits > 1 ? workspace.alloc(rows * 4) : 0;
  const name = bits === 1 ? 'quantSignI8' : shifts ? 'quantShiftedI8' : 'quantAbsmaxI8';
  engine.split(name, rows, 1, Math.ceil(QUANTIZE_GRAIN / cols), (from, to) => [
    ptr + from * cols * 4, codes + from * kp, scales + from * 4,
    ...(shifts ? [shifts + from * 4] : []), sums + from * 4, to - from, cols, kp,
    ...(bits === 1 ? [] : [bits])]);
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

/** Some tokens of the activations, with the tables or planes that their product reads. */
interface Block {
  readonly product: Product;
  readonly from: number;
  readonly rows: number;
  /** Address of the tables or planes, and their bytes per token. */
  readonly ptr: number;
  readonly tokenBytes: number;
}

/** Tokens `from` … of q, at most as many as all threads take at once. */
function prepare({ engine, workspace }: Compute, q: Quantized, product: Product, from: number): Block {
  const pieces = engine.info.threads > 1 ? engine.info.threads * PIECES_PER_THREAD : 1;
  const rows = Math.min(TOKEN_BLOCK * pieces, q.rows - from), kp = paddedCols(q.cols);
  const bytes = rowBytes('b1', q.cols);
  const tokenBytes = product === 'lookup' ? kp * 8 : q.bits * bytes;
  const ptr = workspace.alloc(rows * tokenBytes);
  const block = { product, from, rows, ptr, tokenBytes };
  eachPiece(engine, product === 'lookup' ? 'tablesI8' : 'planesI8', block, (at, m) => {
    const to = ptr + (at - from) * tokenBytes, codes = q.codes + at * kp;
    return product === 'lookup'
      ? [codes, to, m, kp] : [codes, to, m, q.cols, kp, bytes / 16, q.bits];
  });
  return block;
}

/** Calls a kernel for every TOKEN_BLOCK tokens of a block. */
function eachPiece(
  engine: Engine, name: Parameters<Engine['each']>[0], { from, rows }: Block,
  call: (at: number, m: number) => number[],
): void {
  engine.each(name, Math.ceil(rows / TOKEN_BLOCK), (piece) => {
    const at = from + piece * TOKEN_BLOCK;
    return call(at, Math.min(TOKEN_BLOCK, from + rows - at));
  });
}

/** acc i32[block.rows, np] ← q · W̃ᵀ. One token is split over rows of W, several over tokens. */
function multiply(
  { engine }: Compute, block: Block, q: Quantized, w: BitWeights, acc: number,
): void {
  const np = paddedRows(w.rows), kp = paddedCols(q.cols), bytes = rowBytes('b1', q.cols);
  const { product, from, ptr, tokenBytes } = block;
  const name = product === 'popcount' ? 'gemmPopcountI8B1'
    : w.kind === 'b1' ? 'gemmLookupI8B1' : 'gemmLookupI8T2';
  const call = (at: number, m: number, row: number, rows: number): number[] => {
    const operand = ptr + (at - from) * tokenBytes, sums = q.sums + at * 4;
    const out = acc + ((at - from) * np + row) * 4;
    return product === 'lookup'
      ? [operand, sums, w.tiles + (row * kp * BITS[w.kind]) / 8, out, m, rows, kp]
      : [operand, sums, w.codes + row * bytes, out, m, rows, q.cols, bytes / 16, q.bits];
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
  const { product = productFor(weights[0].kind, q.bits) } = options;
  weights.forEach((w, p) => {
    checkShape('bitGemm', 'outs', outs[p], q.rows, w.rows);
    if (w.cols !== q.cols)
      throw new RangeError(`bitGemm: "weights" expected ${q.cols} columns, got ${w.cols}`);
  });
  for (let from = 0; from < q.rows; ) {
    const mark = workspace.mark();
    const block = prepare(compute, q, product, from);
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

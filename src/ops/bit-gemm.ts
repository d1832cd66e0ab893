/**
 * The BitLinear product: quantized activations × packed weights → f32.
 *
 *   y = (W̃ · x̃) · β·γ/Q   (+ η·β·ΣW̃ for shifted activations)
 *
 * Two families compute the same integers. Lookup cost does not depend on the activation bits,
 * popcount cost is proportional to them: popcount runs at 1 and 2 bits of b1, lookup elsewhere.
 * @module
 */
import { paddedCols, paddedRows, rowBytes } from '../quant/layout.ts';
import type { BitKind } from '../quant/layout.ts';
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

export type Product = 'lookup' | 'popcount';

/** Which family computes a product: the recorded rule. */
export const productFor = (kind: BitKind, bits: number): Product =>
  kind === 'b1' && bits <= 2 ? 'popcount' : 'lookup';

/** Quantizes x by row, into the workspace. */
export function quantize(
  { engine: { kernels }, workspace }: Compute, x: Matrix, { bits, shifted }: ActivationQuantization,
): Quantized {
  const { rows, cols } = x;
  const kp = paddedCols(cols);
  const codes = workspace.alloc(rows * kp), scales = workspace.alloc(rows * 4);
  const sums = workspace.alloc(rows * 4);
  const shifts = shifted && bits > 1 ? workspace.alloc(rows * 4) : 0;
  if (bits === 1) kernels.quantSignI8(x.ptr, codes, scales, sums, rows, cols, kp);
  else if (shifts) kernels.quantShiftedI8(x.ptr, codes, scales, shifts, sums, rows, cols, kp, bits);
  else kernels.quantAbsmaxI8(x.ptr, codes, scales, sums, rows, cols, kp, bits);
  return { rows, cols, bits, codes, scales, shifts, sums };
}

/** out[rows, cols] ← the real numbers that the codes stand for. */
export function dequantize({ engine: { kernels } }: Compute, q: Quantized, out: Matrix): void {
  checkShape('dequantize', 'out', out, q.rows, q.cols);
  kernels.dequantI8(q.codes, q.scales, q.shifts, out.ptr, q.rows, q.cols, paddedCols(q.cols));
}

/** i32[rows, np] ← q · W̃ᵀ for tokens `from` … `from + rows` of q, through tables or planes. */
interface Block {
  readonly product: Product;
  /** Tables or planes of these tokens. */
  readonly ptr: number;
  readonly from: number;
  readonly rows: number;
}

function prepare(
  { engine: { kernels }, workspace }: Compute, q: Quantized, product: Product, from: number,
): Block {
  const rows = Math.min(TOKEN_BLOCK, q.rows - from), kp = paddedCols(q.cols);
  const codes = q.codes + from * kp;
  if (product === 'lookup') {
    const ptr = workspace.alloc(rows * kp * 8);
    kernels.tablesI8(codes, ptr, rows, kp);
    return { product, ptr, from, rows };
  }
  const bytes = rowBytes('b1', q.cols);
  const ptr = workspace.alloc(rows * q.bits * bytes);
  kernels.planesI8(codes, ptr, rows, q.cols, kp, bytes / 16, q.bits);
  return { product, ptr, from, rows };
}

function multiply(
  { engine: { kernels } }: Compute, block: Block, q: Quantized, w: BitWeights, acc: number,
): void {
  const sums = q.sums + block.from * 4, np = paddedRows(w.rows);
  if (block.product === 'lookup') {
    const run = w.kind === 'b1' ? kernels.gemmLookupI8B1 : kernels.gemmLookupI8T2;
    run(block.ptr, sums, w.tiles, acc, block.rows, np, paddedCols(q.cols));
  } else {
    const kv = rowBytes('b1', q.cols) / 16;
    kernels.gemmPopcountI8B1(
      block.ptr, sums, w.codes, acc, block.rows, np, q.cols, kv, q.bits);
  }
}

/**
 * outs[p] ← q · weights[p]ᵀ in real numbers, or adds it, for matrices that share their input.
 *
 * @param outs f32[q.rows, weights[p].rows]
 */
export function bitGemm(
  compute: Compute, q: Quantized, weights: readonly BitWeights[], outs: readonly Matrix[],
  accumulate = false,
): void {
  const { engine: { kernels }, workspace } = compute;
  weights.forEach((w, p) => {
    checkShape('bitGemm', 'outs', outs[p], q.rows, w.rows);
    if (w.cols !== q.cols)
      throw new RangeError(`bitGemm: "weights" expected ${q.cols} columns, got ${w.cols}`);
  });
  const product = productFor(weights[0].kind, q.bits);
  for (let from = 0; from < q.rows; from += TOKEN_BLOCK) {
    const mark = workspace.mark();
    const block = prepare(compute, q, product, from);
    weights.forEach((w, p) => {
      const np = paddedRows(w.rows);
      const inner = workspace.mark();
      const acc = workspace.alloc(block.rows * np * 4);
      multiply(compute, block, q, w, acc);
      kernels.rescaleI32(
        acc, q.scales + from * 4, q.shifts && q.shifts + from * 4, w.scales, w.sums,
        outs[p].ptr + from * w.rows * 4, block.rows, w.rows, np, accumulate);
      workspace.release(inner);
    });
    workspace.release(mark);
  }
}

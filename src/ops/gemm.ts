/**
 * Float products in the three orientations that training needs, and with a packed right side.
 *
 * Every element is one running sum over k, so a row's bits do not depend on the other rows.
 * @module
 */
import type { Engine } from '../wasm/engine.ts';
import type { Compute, Matrix } from './matrix.ts';
import { checkShape } from './matrix.ts';

/** Floats of the kernel's scratch: a packed block of A and one ragged tile. */
const SCRATCH_BYTES = (64 * 256 + 32) * 4;
const PANEL = 8;
/** Floats packed, and multiply-adds, that are worth a thread's while: about 10 µs. */
const PACK_GRAIN = 16_384;
const MULTIPLY_GRAIN = 200_000;
/** Fewer rows than a tile of `gemmPanelsF32` has go to `gemvPanelsF32`, in tiles of 24 columns. */
const GEMV_ROWS = 3;
const GEMV_COLS = 24;

/** A right operand in panels of 8 columns, ready for `gemmPanels`. */
export interface Panels {
  readonly ptr: number;
  readonly k: number;
  readonly n: number;
}

/** Bytes of the panels of a [k, n] operand. */
export const panelBytes = (k: number, n: number): number => Math.ceil(n / PANEL) * PANEL * k * 4;

/** Packs Wᵀ of f32[N, K] weights into memory of `panelBytes(K, N)` at `ptr`. */
export function packWeights({ engine }: Compute, w: Matrix, ptr: number): Panels {
  packPanels(engine, w, 1, w.cols, { ptr, k: w.cols, n: w.rows });
  return { ptr, k: w.cols, n: w.rows };
}

/** out[M, N] ← a[M, K] · panels, or adds it. */
export function gemmPanels(
  compute: Compute, a: Matrix, panels: Panels, out: Matrix, accumulate = false,
): void {
  checkShape('gemmPanels', 'a', a, a.rows, panels.k);
  checkShape('gemmPanels', 'out', out, a.rows, panels.n);
  if (a.rows <= GEMV_ROWS && !accumulate) multiplyFew(compute, a, panels, out);
  else multiply(compute, a.ptr, a.cols, 1, panels, out, accumulate);
}

/** out[M, N] ← a[M, K] · b[K, N], or adds it. */
export function gemmNN(
  compute: Compute, a: Matrix, b: Matrix, out: Matrix, accumulate = false,
): void {
  checkShape('gemmNN', 'b', b, a.cols, out.cols);
  checkShape('gemmNN', 'out', out, a.rows, b.cols);
  withPanels(compute, b, b.cols, 1, b.rows, b.cols, (panels) =>
    multiply(compute, a.ptr, a.cols, 1, panels, out, accumulate));
}

/** out[M, N] ← a[M, K] · b[N, K]ᵀ, or adds it. */
export function gemmNT(
  compute: Compute, a: Matrix, b: Matrix, out: Matrix, accumulate = false,
): void {
  checkShape('gemmNT', 'b', b, out.cols, a.cols);
  checkShape('gemmNT', 'out', out, a.rows, b.rows);
  withPanels(compute, b, 1, b.cols, b.cols, b.rows, (panels) =>
    multiply(compute, a.ptr, a.cols, 1, panels, out, accumulate));
}

/** out[M, N] ← a[K, M]ᵀ · b[K, N], or adds it. */
export function gemmTN(
  compute: Compute, a: Matrix, b: Matrix, out: Matrix, accumulate = false,
): void {
  gemmTNs(compute, [a], b, [out], accumulate);
}

/** The same for several left sides, which share `b`: it is packed once. */
export function gemmTNs(
  compute: Compute, as: readonly Matrix[], b: Matrix, outs: readonly Matrix[], accumulate = false,
): void {
  as.forEach((a, i) => {
    checkShape('gemmTN', 'b', b, a.rows, outs[i].cols);
    checkShape('gemmTN', 'out', outs[i], a.cols, b.cols);
  });
  withPanels(compute, b, b.cols, 1, b.rows, b.cols, (panels) =>
    as.forEach((a, i) => multiply(compute, a.ptr, 1, a.cols, panels, outs[i], accumulate)));
}

function packPanels(
  engine: Engine, { ptr: b }: Matrix, rowStride: number, colStride: number, { ptr, k, n }: Panels,
): void {
  engine.split('packPanelsF32', n, PANEL, Math.ceil(PACK_GRAIN / k), (from, to) =>
    [b + from * colStride * 4, rowStride, colStride, ptr + from * k * 4, k, to - from]);
}

function withPanels(
  { engine, workspace }: Compute, b: Matrix, rowStride: number, colStride: number,
  k: number, n: number, use: (panels: Panels) => void,
): void {
  const mark = workspace.mark();
  const ptr = workspace.alloc(panelBytes(k, n));
  packPanels(engine, b, rowStride, colStride, { ptr, k, n });
  use({ ptr, k, n });
  workspace.release(mark);
}

function multiply(
  { engine, workspace }: Compute, a: number, rowStride: number, colStride: number,
  { ptr, k, n }: Panels, out: Matrix, accumulate: boolean,
): void {
  const mark = workspace.mark();
  engine.split('gemmPanelsF32', out.rows, 4, Math.ceil(MULTIPLY_GRAIN / (n * k)), (from, to) => [
    a + from * rowStride * 4, rowStride, colStride, ptr, out.ptr + from * n * 4,
    workspace.alloc(SCRATCH_BYTES), to - from, n, k, Number(accumulate)]);
  workspace.release(mark);
}

/** One to three tokens: split over columns, where `multiply` splits over rows. The same bits. */
function multiplyFew({ engine }: Compute, a: Matrix, { ptr, k, n }: Panels, out: Matrix): void {
  const grain = Math.ceil(MULTIPLY_GRAIN / (a.rows * k));
  engine.split('gemvPanelsF32', n, GEMV_COLS, grain, (from, to) => [
    a.ptr, ptr + from * k * 4, out.ptr + from * 4, a.rows, to - from, k, n]);
}

/**
 * Rotary positions and causal attention with grouped queries.
 * @module
 */
import type { Compute, Matrix } from './matrix.ts';
import { checkShape, newMatrix, newZeros, rowsOf } from './matrix.ts';

/** Head counts and head size. */
export interface Heads {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Rotates the heads of x[rows, heads · headDim] in place; direction −1 undoes it. */
export function rotate(
  { engine: { kernels } }: Compute, x: Matrix, table: number, positions: number, headDim: number,
  direction: 1 | -1,
): void {
  kernels.ropeF32(
    x.ptr, table, positions, x.rows, x.cols / headDim, headDim / 2, x.cols, direction);
}

const padded = (keys: number): number => Math.ceil(keys / 4) * 4;

/**
 * Attention of `batch` sequences of equal length, no cache.
 *
 * @param q f32[batch · T, heads · headDim]; k v f32[batch · T, kvHeads · headDim]
 * @param keep whether to keep the probabilities for backward
 * @returns the result and, if kept, the address of f32[batch, heads, T, padded T]; else 0
 */
export function attend(
  compute: Compute, q: Matrix, k: Matrix, v: Matrix, batch: number, shape: Heads, keep: boolean,
): { out: Matrix; probabilities: number } {
  const { engine, workspace } = compute;
  const { heads, kvHeads, headDim } = shape;
  const t = q.rows / batch, s = padded(t);
  checkShape('attend', 'k', k, q.rows, kvHeads * headDim);
  const out = newMatrix(compute, q.rows, q.cols);
  const rowBytes = heads * t * s * 4;
  const stride = keep ? rowBytes : s * 4;
  const probabilities = workspace.alloc(batch * stride);
  engine.each('attentionF32', batch, (b) => {
    const [qb, kb, vb, ob] = [q, k, v, out].map((m) => rowsOf(m, b * t, (b + 1) * t).ptr);
    return [
      qb, kb, vb, ob, probabilities + b * stride, t, 0, heads, kvHeads, headDim, q.cols, k.cols,
      Number(keep)];
  });
  return { out, probabilities: keep ? probabilities : 0 };
}

/** Attention of one sequence whose keys and values, old and new, are in a cache. */
export function attendCached(
  compute: Compute, q: Matrix, k: number, v: number, offset: number, shape: Heads,
): Matrix {
  const { engine: { kernels }, workspace } = compute;
  const { heads, kvHeads, headDim } = shape;
  const out = newMatrix(compute, q.rows, q.cols);
  const mark = workspace.mark();
  const scores = workspace.alloc(padded(offset + q.rows) * 4);
  kernels.attentionF32(
    q.ptr, k, v, out.ptr, scores, q.rows, offset, heads, kvHeads, headDim, q.cols,
    kvHeads * headDim, false);
  workspace.release(mark);
  return out;
}

/** dq, dk, dv in the workspace. */
export function attendBackward(
  compute: Compute, dout: Matrix, q: Matrix, k: Matrix, v: Matrix, probabilities: number,
  batch: number, { heads, kvHeads, headDim }: Heads,
): { dq: Matrix; dk: Matrix; dv: Matrix } {
  const { engine, workspace } = compute;
  const t = q.rows / batch, s = padded(t);
  checkShape('attendBackward', 'dout', dout, q.rows, q.cols);
  const dq = newMatrix(compute, q.rows, q.cols);
  const dk = newZeros(compute, k.rows, k.cols), dv = newZeros(compute, v.rows, v.cols);
  const scratch = workspace.alloc(batch * s * 4);
  engine.each('attentionBackwardF32', batch, (b) => {
    const at = (m: Matrix): number => rowsOf(m, b * t, (b + 1) * t).ptr;
    return [
      at(dout), at(q), at(k), at(v), probabilities + b * heads * t * s * 4, scratch + b * s * 4,
      at(dq), at(dk), at(dv), t, heads, kvHeads, headDim, q.cols, k.cols];
  });
  return { dq, dk, dv };
}

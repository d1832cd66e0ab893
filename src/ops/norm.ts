/**
 * LayerNorm and RMSNorm by row, forward and backward.
 * @module
 */
import type { Compute, Matrix } from './matrix.ts';
import { gatherBackward } from './embedding.ts';
import { checkShape, newMatrix, newZeros } from './matrix.ts';

/** Values that are worth a thread's while. */
const GRAIN = 16_384;
/** Rows whose gain gradients are summed together: fixed, so the sum does not depend on threads. */
const BLOCK_ROWS = 96;

export type NormType = 'layernorm' | 'rmsnorm';

/** What backward needs of a forward pass. */
export interface NormSaved {
  readonly x: Matrix;
  /** f32[rows, 2]: mean and 1/√(var + ε). */
  readonly stats: number;
}

/** y = norm(x) · gain, in the workspace. `gain` is f32[1, cols]. */
export function normalize(
  compute: Compute, type: NormType, x: Matrix, gain: Matrix, eps: number,
): { y: Matrix; saved: NormSaved } {
  checkShape('normalize', 'gain', gain, 1, x.cols);
  const { engine, workspace } = compute;
  const y = newMatrix(compute, x.rows, x.cols);
  const stats = workspace.alloc(x.rows * 8);
  const { ptr, rows, cols } = x, centre = Number(type === 'layernorm');
  engine.split('normF32', rows, 1, Math.ceil(GRAIN / cols), (from, to) => [
    ptr + from * cols * 4, gain.ptr, y.ptr + from * cols * 4, stats + from * 8, to - from, cols,
    eps, centre]);
  return { y, saved: { x, stats } };
}

/** dx in the workspace, or added to `onto` where it is given; dgain += its gradient. */
export function normalizeBackward(
  compute: Compute, type: NormType, dy: Matrix, gain: Matrix, dgain: Matrix, saved: NormSaved,
  onto?: Matrix,
): Matrix {
  const { x: { ptr: x, rows, cols }, stats } = saved;
  checkShape('normalizeBackward', 'dy', dy, rows, cols);
  if (onto) checkShape('normalizeBackward', 'onto', onto, rows, cols);
  const dx = onto ?? newMatrix(compute, rows, cols);
  const mark = compute.workspace.mark();
  const blocks = Math.ceil(rows / BLOCK_ROWS);
  const partial = newZeros(compute, blocks, cols);
  const centre = Number(type === 'layernorm');
  const at = (matrix: number, row: number): number => matrix + row * cols * 4;
  compute.engine.each('normBackwardF32', blocks, (block) => {
    const row = block * BLOCK_ROWS;
    return [
      at(dy.ptr, row), at(x, row), gain.ptr, stats + row * 8, at(dx.ptr, row), at(partial.ptr, block),
      Math.min(BLOCK_ROWS, rows - row), cols, centre, Number(onto !== undefined)];
  });
  const firstRow = newZeros(compute, 1, blocks).ptr; // as i32: every block is added to row 0
  gatherBackward(compute, partial, firstRow, dgain);
  compute.workspace.release(mark);
  return dx;
}

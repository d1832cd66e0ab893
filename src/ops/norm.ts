/**
 * LayerNorm and RMSNorm by row, forward and backward.
 * @module
 */
import type { Compute, Matrix } from './matrix.ts';
import { checkShape, newMatrix } from './matrix.ts';

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
  const { engine: { kernels }, workspace } = compute;
  const y = newMatrix(compute, x.rows, x.cols);
  const stats = workspace.alloc(x.rows * 8);
  kernels.normF32(x.ptr, gain.ptr, y.ptr, stats, x.rows, x.cols, eps, type === 'layernorm');
  return { y, saved: { x, stats } };
}

/** dx in the workspace; dgain += its gradient. */
export function normalizeBackward(
  compute: Compute, type: NormType, dy: Matrix, gain: Matrix, dgain: Matrix, saved: NormSaved,
): Matrix {
  const { x, stats } = saved;
  checkShape('normalizeBackward', 'dy', dy, x.rows, x.cols);
  const dx = newMatrix(compute, x.rows, x.cols);
  compute.engine.kernels.normBackwardF32(
    dy.ptr, x.ptr, gain.ptr, stats, dx.ptr, dgain.ptr, x.rows, x.cols, type === 'layernorm');
  return dx;
}

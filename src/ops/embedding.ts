/**
 * Embedding rows: gather and its backward.
 * @module
 */
import type { Compute, Matrix } from './matrix.ts';
import { checkShape } from './matrix.ts';

/** out[i] ← table[ids[i]], or adds it. `ids` is the address of i32[out.rows], checked before. */
export function gather(
  { engine: { kernels } }: Compute, table: Matrix, ids: number, out: Matrix, add = false,
): void {
  checkShape('gather', 'out', out, out.rows, table.cols);
  kernels.gatherF32(table.ptr, ids, out.ptr, out.rows, out.cols, add);
}

/** dtable[ids[i]] += dout[i]. */
export function gatherBackward(
  { engine: { kernels } }: Compute, dout: Matrix, ids: number, dtable: Matrix,
): void {
  checkShape('gatherBackward', 'dout', dout, dout.rows, dtable.cols);
  kernels.scatterAddF32(dout.ptr, ids, dtable.ptr, dout.rows, dout.cols);
}

/**
 * Embedding rows: gather and its backward.
 * @module
 */
import type { Compute, Matrix } from './matrix.ts';
import { checkShape } from './matrix.ts';

/** Values that are worth a thread's while. */
const GRAIN = 16_384;
/** A thread's columns are whole cache lines. */
const COLUMN_ALIGN = 16;

/** out[i] ← table[ids[i]], or adds it. `ids` is the address of i32[out.rows], checked before. */
export function gather(
  { engine }: Compute, table: Matrix, ids: number, out: Matrix, add = false,
): void {
  checkShape('gather', 'out', out, out.rows, table.cols);
  const { ptr, rows, cols } = out;
  engine.split('gatherF32', rows, 1, Math.ceil(GRAIN / cols), (from, to) => [
    table.ptr, ids + from * 4, ptr + from * cols * 4, to - from, cols, Number(add)]);
}

/** dtable[ids[i]] += dout[i]. */
export function gatherBackward(
  { engine }: Compute, dout: Matrix, ids: number, dtable: Matrix,
): void {
  checkShape('gatherBackward', 'dout', dout, dout.rows, dtable.cols);
  const { rows, cols } = dout;
  engine.split('scatterAddF32', cols, COLUMN_ALIGN, Math.ceil(GRAIN / rows), (from, to) => [
    dout.ptr + from * 4, ids, dtable.ptr + from * 4, rows, to - from, cols]);
}

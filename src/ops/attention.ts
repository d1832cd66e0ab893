/**
 * Causal attention with grouped queries.
 * @module
 */
import type { Heads, Piece } from './attention-pieces.ts';
import { ROW_BLOCK, piecesOf } from './attention-pieces.ts';
import type { Compute, Matrix } from './matrix.ts';
import { checkShape, newMatrix } from './matrix.ts';

/** A row of scores has room for whole vectors. */
const padded = (keys: number): number => Math.ceil(keys / 4) * 4;

/** Bytes of the scores that a call has at a time, for `queries` queries that see `keys` keys. */
export const scratchBytes = (queries: number, keys: number, { heads, kvHeads }: Heads): number =>
  Math.min(ROW_BLOCK, (queries * heads) / kvHeads) * padded(keys) * 4;

/** Address of column `col` of row `row`. */
const at = ({ ptr, cols }: Matrix, row: number, col: number): number =>
  ptr + (row * cols + col) * 4;

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
  const { heads, kvHeads, headDim: d } = shape;
  const t = q.rows / batch;
  checkShape('attend', 'k', k, q.rows, kvHeads * d);
  const out = newMatrix(compute, q.rows, q.cols);
  const headBytes = t * padded(t) * 4;
  const probabilities = keep ? workspace.alloc(batch * heads * headBytes) : 0;
  const mark = workspace.mark();
  const work = { batch, queries: t, keys: t, splitQueries: !keep };
  const pieces = piecesOf(engine, work, shape);
  engine.each('attentionF32', pieces.length, (i) => {
    const p = pieces[i], first = p.sequence * t, row = first + p.from;
    const scores = keep ? probabilities + (p.sequence * heads + p.head) * headBytes
      : workspace.alloc(scratchBytes(p.to - p.from, p.to, shape));
    return [
      at(q, row, p.head * d), at(k, first, p.kvHead * d), at(v, first, p.kvHead * d),
      at(out, row, p.head * d), scores, p.to - p.from, p.from, p.heads, p.kvHeads, d,
      q.cols, k.cols, d, q.cols, Number(keep)];
  });
  workspace.release(mark);
  return { out, probabilities };
}

/** dq, dk, dv in the workspace. */
export function attendBackward(
  compute: Compute, dout: Matrix, q: Matrix, k: Matrix, v: Matrix, probabilities: number,
  batch: number, shape: Heads,
): { dq: Matrix; dk: Matrix; dv: Matrix } {
  const { engine, workspace } = compute;
  const { heads, headDim: d } = shape;
  const t = q.rows / batch, headBytes = t * padded(t) * 4;
  checkShape('attendBackward', 'dout', dout, q.rows, q.cols);
  const dq = newMatrix(compute, q.rows, q.cols);
  const dk = newMatrix(compute, k.rows, k.cols), dv = newMatrix(compute, v.rows, v.cols);
  const mark = workspace.mark();
  const pieces = piecesOf(engine, { batch, queries: t, keys: t, splitQueries: false }, shape);
  engine.each('attentionBackwardF32', pieces.length, (i) => {
    const p: Piece = pieces[i], row = p.sequence * t;
    const query = (m: Matrix): number => at(m, row, p.head * d);
    const key = (m: Matrix): number => at(m, row, p.kvHead * d);
    return [
      query(dout), query(q), key(k), key(v),
      probabilities + (p.sequence * heads + p.head) * headBytes,
      workspace.alloc(Math.min(ROW_BLOCK, t) * padded(t) * 4),
      query(dq), key(dk), key(dv), t, p.heads, p.kvHeads, d, q.cols, k.cols, dout.cols];
  });
  workspace.release(mark);
  return { dq, dk, dv };
}

/**
 * Matrices in linear memory, and the place where operations find their scratch.
 * @module
 */
import type { Engine } from '../wasm/engine.ts';
import type { Workspace } from '../wasm/workspace.ts';

/** f32[rows, cols], row-major, at byte offset `ptr`, 16-byte aligned. */
export interface Matrix {
  readonly ptr: number;
  readonly rows: number;
  readonly cols: number;
}

/** What an operation needs besides its operands. */
export interface Compute {
  readonly engine: Engine;
  /** Scratch and results; the caller of a pass gives it back. */
  readonly workspace: Workspace;
}

/** A matrix in the workspace; its contents are whatever was there. */
export function newMatrix({ workspace }: Compute, rows: number, cols: number): Matrix {
  return { ptr: workspace.alloc(rows * cols * 4), rows, cols };
}

/** A matrix of zeros in the workspace. */
export function newZeros(compute: Compute, rows: number, cols: number): Matrix {
  const matrix = newMatrix(compute, rows, cols);
  viewOf(compute, matrix).fill(0);
  return matrix;
}

/** The values of a matrix. Valid until memory grows: use it at once. */
export function viewOf({ engine }: Compute, { ptr, rows, cols }: Matrix): Float32Array {
  return engine.f32(ptr, rows * cols);
}

/** Rows `from` … `to` of a matrix, the same memory. */
export function rowsOf(matrix: Matrix, from: number, to: number): Matrix {
  return { ptr: matrix.ptr + from * matrix.cols * 4, rows: to - from, cols: matrix.cols };
}

/** Throws unless `matrix` is f32[rows, cols]: wrong shapes would write over a neighbour. */
export function checkShape(
  fn: string, name: string, matrix: Matrix, rows: number, cols: number,
): void {
  if (matrix.rows !== rows || matrix.cols !== cols)
    throw new RangeError(
      `${fn}: "${name}" expected [${rows}, ${cols}], got [${matrix.rows}, ${matrix.cols}]`);
}

/** to[:, toCol … toCol + cols) ← from[:, fromCol … fromCol + cols) */
export function copyColumns(
  { engine: { kernels } }: Compute, from: Matrix, fromCol: number, to: Matrix, toCol: number,
  cols: number,
): void {
  kernels.copyRowsF32(
    from.ptr + fromCol * 4, from.cols, to.ptr + toCol * 4, to.cols, from.rows, cols);
}

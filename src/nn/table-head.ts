/**
 * The head of a model that is only run, over a packed table: y = x · tableᵀ.
 *
 * The table belongs to the weights; tied embeddings gather from the same one.
 * @module
 */
import type { Matrix } from '../ops/matrix.ts';
import { newMatrix } from '../ops/matrix.ts';
import type { Table } from '../ops/table.ts';
import { multiplyTable } from '../ops/table.ts';
import type { Pass } from './pass.ts';
import type { Projection } from './projection.ts';

export class TableHead implements Projection {
  readonly table: Table;

  constructor(table: Table) {
    this.table = table;
  }

  /** Nothing: a packed table does not change. */
  prepare(): void {}

  forward(x: Matrix, pass: Pass): Matrix[] {
    const out = newMatrix(pass, x.rows, this.table.rows);
    multiplyTable(pass, x, this.table, out);
    return [out];
  }

  /** @throws {RangeError} Always: a packed table is not trained. */
  backward(): Matrix {
    throw new RangeError(`backward: a table of ${this.table.kind} is not trained`);
  }

  /** Nothing: the table belongs to the weights. */
  dispose(): void {}
}

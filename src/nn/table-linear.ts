/**
 * Linear layers of a model that is only run, over packed tables: y = x · tableᵀ. The head is one.
 *
 * The tables belong to the weights; tied embeddings gather from the same one.
 * @module
 */
import type { Matrix } from '../ops/matrix.ts';
import { newMatrix } from '../ops/matrix.ts';
import type { Table } from '../ops/table.ts';
import { multiplyTable } from '../ops/table.ts';
import type { Pass } from './pass.ts';
import type { Projection } from './projection.ts';

export class TableLinear implements Projection {
  readonly tables: readonly Table[];

  constructor(tables: readonly Table[]) {
    this.tables = tables;
  }

  /** Nothing: a packed table does not change. */
  prepare(): void {}

  forward(x: Matrix, pass: Pass): Matrix[] {
    return this.tables.map((table) => {
      const out = newMatrix(pass, x.rows, table.rows);
      multiplyTable(pass, x, table, out);
      return out;
    });
  }

  /** @throws {RangeError} Always: a packed table is not trained. */
  backward(): Matrix {
    throw new RangeError(`backward: a table of ${this.tables[0].kind} is not trained`);
  }

  /** Nothing: the tables belong to the weights. */
  dispose(): void {}
}

/**
 * Token embeddings, plus learned positions where the model has them. Floats in training, as in the
 * paper; in a model that is only run, also a packed table.
 *
 *   x[i] = tokens[ids[i]] + positions[pos[i]]
 * @module
 */
import { gather, gatherBackward } from '../ops/embedding.ts';
import type { Matrix } from '../ops/matrix.ts';
import { newMatrix } from '../ops/matrix.ts';
import type { Table } from '../ops/table.ts';
import { gatherTable } from '../ops/table.ts';
import type { Parameter, Pass } from './pass.ts';
import { gradOf, savedBy } from './pass.ts';

export class Embedding {
  readonly tokens: Parameter | Table;
  readonly positions?: Parameter;
  #ids?: number;

  /** @param tokens [V, C] @param positions f32[maxPositions, C] */
  constructor(tokens: Parameter | Table, positions?: Parameter) {
    this.tokens = tokens;
    this.positions = positions;
  }

  /** f32[rows, C] for the i32[rows] at `ids`, each already checked against V. */
  forward(ids: number, rows: number, pass: Pass): Matrix {
    const { tokens } = this, packed = 'kind' in tokens;
    const out = newMatrix(pass, rows, packed ? tokens.cols : tokens.value.cols);
    if (packed) gatherTable(pass, tokens, ids, out);
    else gather(pass, tokens.value, ids, out);
    if (this.positions) gather(pass, this.positions.value, pass.positions, out, true);
    if (pass.training) this.#ids = ids;
    return out;
  }

  backward(dx: Matrix, pass: Pass): void {
    const { tokens } = this, ids = savedBy('Embedding', this.#ids);
    if ('kind' in tokens)
      throw new RangeError(`backward: a table of ${tokens.kind} is not trained`);
    gatherBackward(pass, dx, ids, gradOf(tokens));
    if (this.positions) gatherBackward(pass, dx, pass.positions, gradOf(this.positions));
  }
}

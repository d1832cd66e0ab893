/**
 * Token embeddings, plus learned positions where the model has them. Floats in training, as in the
 * paper; in a model that is only run, also a packed table.
 *
 *   x[i] = tokens[ids[i]] + positions[pos[i]]
 * @module
 */
import { gather, gatherBackward } from '../ops/embedding.ts';
import type { Compute, Matrix } from '../ops/matrix.ts';
import { newMatrix } from '../ops/matrix.ts';
import type { Table } from '../ops/table.ts';
import { gatherTable } from '../ops/table.ts';
import type { Parameter, Pass } from './pass.ts';
import { gradOf, savedBy } from './pass.ts';

/** A table in a form of its own. */
export interface Gathered {
  readonly cols: number;
  /** out[i] ← row ids[i] as f32; `ids` is the address of i32[out.rows], checked before. */
  gather(compute: Compute, ids: number, out: Matrix): void;
}

export class Embedding {
  readonly tokens: Parameter | Table | Gathered;
  readonly positions?: Parameter;
  #ids?: number;

  /** @param tokens [V, C] @param positions f32[maxPositions, C] */
  constructor(tokens: Parameter | Table | Gathered, positions?: Parameter) {
    this.tokens = tokens;
    this.positions = positions;
  }

  /** f32[rows, C] for the i32[rows] at `ids`, each already checked against V. */
  forward(ids: number, rows: number, pass: Pass): Matrix {
    const out = newMatrix(pass, rows, this.#cols());
    this.#gather(ids, out, pass);
    if (this.positions) gather(pass, this.positions.value, pass.positions, out, true);
    if (pass.training) this.#ids = ids;
    return out;
  }

  #cols(): number {
    const { tokens } = this;
    return 'value' in tokens ? tokens.value.cols : tokens.cols;
  }

  #gather(ids: number, out: Matrix, pass: Pass): void {
    const { tokens } = this;
    if ('gather' in tokens) tokens.gather(pass, ids, out);
    else if ('kind' in tokens) gatherTable(pass, tokens, ids, out);
    else gather(pass, tokens.value, ids, out);
  }

  backward(dx: Matrix, pass: Pass): void {
    const { tokens } = this, ids = savedBy('Embedding', this.#ids);
    if (!('value' in tokens))
      throw new RangeError('backward: a packed table is not trained');
    gatherBackward(pass, dx, ids, gradOf(tokens));
    if (this.positions) gatherBackward(pass, dx, pass.positions, gradOf(this.positions));
  }
}

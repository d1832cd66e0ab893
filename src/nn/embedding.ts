/**
 * Token embeddings, plus learned positions where the model has them. High precision, as in the
 * paper: sampling needs it.
 *
 *   x[i] = tokens[ids[i]] + positions[pos[i]]
 * @module
 */
import { gather, gatherBackward } from '../ops/embedding.ts';
import type { Matrix } from '../ops/matrix.ts';
import { newMatrix } from '../ops/matrix.ts';
import type { Parameter, Pass } from './pass.ts';
import { gradOf, savedBy } from './pass.ts';

export class Embedding {
  readonly tokens: Parameter;
  readonly positions?: Parameter;
  #ids?: number;

  /** @param tokens f32[V, C] @param positions f32[maxPositions, C] */
  constructor(tokens: Parameter, positions?: Parameter) {
    this.tokens = tokens;
    this.positions = positions;
  }

  /** f32[rows, C] for the i32[rows] at `ids`, each already checked against V. */
  forward(ids: number, rows: number, pass: Pass): Matrix {
    const out = newMatrix(pass, rows, this.tokens.value.cols);
    gather(pass, this.tokens.value, ids, out);
    if (this.positions) gather(pass, this.positions.value, pass.positions, out, true);
    if (pass.training) this.#ids = ids;
    return out;
  }

  backward(dx: Matrix, pass: Pass): void {
    gatherBackward(pass, dx, savedBy('Embedding', this.#ids), gradOf(this.tokens));
    if (this.positions) gatherBackward(pass, dx, pass.positions, gradOf(this.positions));
  }
}

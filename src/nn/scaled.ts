/**
 * A projection whose products are multiplied by a number: files keep weights as −1, 0, +1 and the scale of
 * each matrix beside it.
 *
 *   y[p] ← s[p] · W[p] · x
 *
 * @module
 */
import { scaleRows } from '../ops/activation.ts';
import type { Compute, Matrix } from '../ops/matrix.ts';
import type { Pass } from './pass.ts';
import type { Projection } from './projection.ts';

export class Scaled implements Projection {
  readonly #inner: Projection;
  readonly #scales: readonly number[];

  /** @param scales of each part; 1 leaves it as it is */
  constructor(inner: Projection, scales: readonly number[]) {
    this.#inner = inner;
    this.#scales = scales;
  }

  prepare(compute: Compute): void {
    this.#inner.prepare(compute);
  }

  forward(x: Matrix, pass: Pass): Matrix[] {
    const outs = this.#inner.forward(x, pass);
    outs.forEach((out, part) => this.#scales[part] !== 1 && scaleRows(pass, out, this.#scales[part]));
    return outs;
  }

  /** @throws {RangeError} Always: what is trained has its scale in its weights. */
  backward(): Matrix {
    throw new RangeError('backward: a matrix with a scale beside it is not trained');
  }

  dispose(): void {
    this.#inner.dispose();
  }
}

/**
 * A projection whose products are multiplied by a number: files keep weights as −1, 0, +1 and the scale of
 * each matrix beside it.
 *
 *   y[p] ← s[p] · W[p] · x
 *
 * @module
 */
import { scaleRows } from '../ops/activation.ts';
import type { Projection } from './projection.ts';

/**
 * @param inner is disposed with the result
 * @param scales of each part; 1 leaves it as it is
 */
export const scaledProjection = (inner: Projection, scales: readonly number[]): Projection => ({
  prepare: (compute) => inner.prepare(compute),
  forward(x, pass) {
    const outs = inner.forward(x, pass);
    outs.forEach((out, part) => scales[part] !== 1 && scaleRows(pass, out, scales[part]));
    return outs;
  },
  /** @throws {RangeError} Always: what is trained has its scale in its weights. */
  backward() {
    throw new RangeError('backward: a scale beside a matrix is not trained');
  },
  dispose: () => inner.dispose(),
});

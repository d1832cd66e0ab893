/**
 * First values of the weights.
 *
 *   matrices  about normal, standard deviation 0.02; those that write to the residual stream
 *             0.02 / √(2·layers)        norms  1
 *   scales    of inputs 0: the first batch sets them (`ops/elastic.ts`)
 *
 * Source  Radford et al. 2019, GPT-2.
 * @module
 */
import type { TrainedWeights } from '../model/weights.ts';
import type { Rng } from '../rng.ts';

const DEVIATION = 0.02;

/** Fills `values` in the order of the tensors. */
export function initialize(weights: TrainedWeights, layers: number, rng: Rng): void {
  const { engine, specs } = weights;
  for (const { name, rows, cols, role, residual } of specs) {
    const view = engine.f32(weights.parameter(name).value.ptr, rows * cols);
    const deviation = residual ? DEVIATION / Math.sqrt(2 * layers) : DEVIATION;
    if (role === 'norm') view.fill(1);
    else if (role !== 'scale') for (let i = 0; i < view.length; i++) view[i] = rng.nextNormal() * deviation;
  }
}

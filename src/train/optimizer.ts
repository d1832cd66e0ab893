/**
 * One optimizer step over all parameters: gradient norm, clipping, AdamW, and the watch for
 * numbers that are not finite.
 * @module
 */
import { TrainingError } from '../errors.ts';
import type { TrainedWeights } from '../model/weights.ts';
import type { TrainingOptions } from './options.ts';
import type { Rates } from './schedule.ts';

/** Weights that are worth a thread's while. */
const GRAIN = 16_384;

/**
 * Norm of all gradients together.
 *
 * @throws {TrainingError} NON_FINITE naming step and tensor, if one is NaN or infinite.
 */
export function gradientNorm(weights: TrainedWeights, step: number): number {
  const { engine: { kernels }, gradients, count } = weights;
  const norm = Math.sqrt(kernels.sumSquaresF32(gradients, count));
  if (!Number.isFinite(norm)) throw nonFinite(weights, step);
  return norm;
}

/** The error for a loss or gradient that is not finite: where it is seen first. */
export function nonFinite(weights: TrainedWeights, step: number): TrainingError {
  const { engine: { kernels }, specs } = weights;
  for (const kind of ['value', 'grad'] as const) {
    for (const { name, rows, cols } of specs) {
      const { ptr } = weights.parameter(name)[kind]!;
      const index = kernels.firstNonFiniteF32(ptr, rows * cols);
      if (index === rows * cols) continue;
      const field = kind === 'value' ? name : `gradient of ${name}`;
      return new TrainingError('NON_FINITE',
        `step ${step}: ${field} is not finite at index ${index}; try a smaller learning rate`,
        { step, field, offset: index });
    }
  }
  return new TrainingError('NON_FINITE',
    `step ${step}: the loss or the norm of the gradients is not finite; ` +
    'try a smaller learning rate', { step, field: 'loss' });
}

/**
 * AdamW over matrices with weight decay and over norms without; then gradients are zero again.
 *
 * @param step 0 for the first
 * @param norm of all gradients
 */
export function applyStep(
  weights: TrainedWeights, step: number, norm: number, rates: Rates, o: TrainingOptions,
): void {
  const { engine, values, gradients, firstMoments, secondMoments } = weights;
  const { count, decayCount } = weights;
  const scale = o.clipNorm > 0 && norm > o.clipNorm ? o.clipNorm / norm : 1;
  const { kernels } = engine;
  const correction1 = 1 - kernels.pow(o.beta1, step + 1);
  const correction2 = 1 - kernels.pow(o.beta2, step + 1);
  const update = (from: number, to: number, decay: number): void => {
    engine.split('adamwF32', to - from, 4, GRAIN, (first, end) => {
      const at = (from + first) * 4;
      return [
        values + at, gradients + at, firstMoments + at, secondMoments + at, end - first,
        rates.learningRate, o.beta1, o.beta2, o.epsilon, decay, scale, correction1, correction2];
    });
  };
  update(0, decayCount, rates.weightDecay);
  update(decayCount, count, 0);
}

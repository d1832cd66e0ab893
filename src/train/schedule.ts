/**
 * Learning rate and weight decay of a step.
 *
 *   warm-up      peak · (step + 1) / warmupSteps
 *   polynomial   end + (peak − end) · (1 − progress)^power,  end = peak · finalShare
 *   two-stage    the same line from the first peak until half-way, then the lower line from the
 *                second peak, with weight decay off: a drop in the middle, where most of a 1-bit
 *                model's loss is won
 *
 * Source  Wang et al. 2023, BitNet, Table 6 (arXiv 2310.11453); Ma et al. 2024, The Era of 1-bit
 *         LLMs: Training Tips, Code and FAQ.
 * @module
 */
import type { TrainingOptions } from './options.ts';

export interface Rates {
  readonly learningRate: number;
  readonly weightDecay: number;
}

/**
 * Rates of step 0 … steps − 1.
 *
 * @param pow own power function: engines' `Math.pow` differ
 */
export function ratesAt(
  step: number, o: TrainingOptions, pow: (x: number, y: number) => number,
): Rates {
  const { warmupSteps, steps, schedule, weightDecay } = o;
  if (step < warmupSteps)
    return { learningRate: (o.learningRate * (step + 1)) / warmupSteps, weightDecay };
  const second = schedule === 'two-stage' && step >= steps / 2;
  const peak = second ? o.secondLearningRate : o.learningRate;
  const end = o.learningRate * o.finalShare;
  const left = 1 - (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  return {
    learningRate: end + (peak - end) * (o.power === 1 ? left : pow(left, o.power)),
    weightDecay: second ? 0 : weightDecay,
  };
}

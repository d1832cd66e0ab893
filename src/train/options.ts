/**
 * What a training run is told, its defaults per preset, and their checks.
 *
 * BitNet's latent weights must move far to flip a sign, so its learning rate is large: the paper's
 * "simplest and best" remedy. Each preset has its own default; see `LEARNING_RATES`.
 * @module
 */
import { checkInteger, checkNumber, show } from '../check.ts';
import { TrainingError } from '../errors.ts';
import type { BitNetConfig } from '../model/config.ts';

export type ScheduleKind = 'polynomial' | 'two-stage';

export interface TrainingOptions {
  /** Optimizer steps. */
  readonly steps: number;
  /** Sequences per micro-batch. */
  readonly batch: number;
  /** Micro-batches whose gradients are averaged into one step. */
  readonly accumulation: number;
  /** Peak learning rate. */
  readonly learningRate: number;
  /** Peak of the second stage of `two-stage`: the line jumps down to it half-way. */
  readonly secondLearningRate: number;
  /** Where the decay ends, as a share of the peak. */
  readonly finalShare: number;
  readonly schedule: ScheduleKind;
  /** Exponent of the polynomial decay; 1 is a line. */
  readonly power: number;
  readonly warmupSteps: number;
  /** On matrices, not on norms; switched off in the second stage. */
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Largest norm of all gradients together; 0 does not clip. */
  readonly clipNorm: number;
  /** Integer in [0, 2^53): weights, and the order of the data. */
  readonly seed: number;
}

/** Peak rates at width 128, tuned on small models; see the README's table. */
const LEARNING_RATES: Readonly<Record<BitNetConfig['weights'], number>> = {
  b1: 3e-3, t2: 3e-3, f32: 3e-3,
};

/** Width at which `LEARNING_RATES` were tuned. The rate falls as 1/√(width/128) above it. */
const TUNED_WIDTH = 128;

/**
 * Defaults for a model, with single fields replaced where wished.
 *
 * @throws {TrainingError} BAD_CONFIG naming the field.
 */
export function trainingOptions(
  config: BitNetConfig, overrides: Partial<TrainingOptions> = {},
): TrainingOptions {
  const steps = overrides.steps ?? 2000;
  const learningRate = overrides.learningRate ??
    LEARNING_RATES[config.weights] / Math.sqrt(Math.max(1, config.hiddenSize / TUNED_WIDTH));
  const options: TrainingOptions = {
    steps, batch: 12, accumulation: 1, learningRate, secondLearningRate: learningRate * (2 / 3),
    finalShare: 0.02, schedule: config.weights === 't2' ? 'two-stage' : 'polynomial', power: 1,
    warmupSteps: Math.min(100, Math.ceil(steps / 10)),
    weightDecay: config.weights === 'f32' ? 0.1 : 0.01,
    beta1: 0.9, beta2: config.weights === 'b1' ? 0.98 : 0.95, epsilon: 1e-8,
    clipNorm: 1, seed: 0,
    ...withoutUndefined(overrides),
  };
  checkOptions(options);
  return options;
}

/** A copy without the fields that are undefined: those count as not given. */
export const withoutUndefined = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;

/** Ranges of the numbers, inclusive: a moment's decay of 1 would never let go of its first value. */
const RANGES: readonly (readonly [keyof TrainingOptions, number, number])[] = [
  ['learningRate', 0, 1e3], ['secondLearningRate', 0, 1e3], ['finalShare', 0, 1],
  ['beta1', 0, 1 - 1e-6], ['beta2', 0, 1 - 1e-6], ['epsilon', 1e-30, 1],
  ['power', 0, 1e6], ['weightDecay', 0, 1e6], ['clipNorm', 0, 1e6],
];
const INTEGERS: readonly (readonly [keyof TrainingOptions, number, number])[] = [
  ['steps', 1, 1e9], ['batch', 1, 1e9], ['accumulation', 1, 1e9], ['warmupSteps', 0, 1e9],
  ['seed', 0, Number.MAX_SAFE_INTEGER],
];

function checkOptions(o: TrainingOptions): void {
  for (const [field, min, max] of INTEGERS)
    asBadConfig(field, () => checkInteger('train', field, o[field], min, max));
  for (const [field, min, max] of RANGES)
    asBadConfig(field, () => checkNumber('train', field, o[field], min, max));
  if (o.schedule !== 'polynomial' && o.schedule !== 'two-stage')
    throw new TrainingError('BAD_CONFIG',
      `train: "schedule" expected polynomial or two-stage, got ${show(o.schedule)}`,
      { field: 'schedule', actual: o.schedule });
}

function asBadConfig(field: string, check: () => void): void {
  try {
    check();
  } catch (cause) {
    throw new TrainingError('BAD_CONFIG', (cause as Error).message, { field, cause });
  }
}

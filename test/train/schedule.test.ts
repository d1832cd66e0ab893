// Schedules: warm-up, the polynomial line, and the two stages.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { presetConfig } from '../../src/model/config.ts';
import type { TrainingOptions } from '../../src/train/options.ts';
import { trainingOptions } from '../../src/train/options.ts';
import type { Rates } from '../../src/train/schedule.ts';
import { ratesAt } from '../../src/train/schedule.ts';
import { close } from '../helpers/close.ts';

const CONFIG = presetConfig(
  'bitnet', { vocabSize: 16, layers: 1, heads: 1, width: 8, context: 8 });
const F64 = { name: 'f64 rounding', absolute: 0, relative: 1e-12 };

const options = (overrides: Partial<TrainingOptions>): TrainingOptions => trainingOptions(CONFIG, {
  steps: 100, warmupSteps: 10, learningRate: 1e-2, finalShare: 0.1, schedule: 'polynomial',
  weightDecay: 0.05, ...overrides,
});

const at = (step: number, overrides: Partial<TrainingOptions> = {}): Rates =>
  ratesAt(step, options(overrides), Math.pow);
const rates = (steps: number[], overrides: Partial<TrainingOptions> = {}): number[] =>
  steps.map((step) => at(step, overrides).learningRate);

const test = suite('ratesAt');

test('rises in a line to the peak during warm-up', () => {
  close(rates([0, 1, 4, 9]), [1e-3, 2e-3, 5e-3, 1e-2], F64);
});

test('begins at the peak without warm-up', () => {
  close(rates([0], { warmupSteps: 0 }), [1e-2], F64);
});

test('falls in a line from the peak towards the final share', () => {
  // end + (peak − end) · left, left = 1 − (step − 10)/90
  close(rates([10, 55, 99]), [1e-2, 5.5e-3, 1e-3 + 9e-3 / 90], F64);
});

test('would reach the final share one step after the last', () => {
  close(rates([100]), [1e-3], F64);
  close(rates([100], { finalShare: 0 }), [0], F64);
});

test('falls as a power where one is given', () => {
  close(rates([10, 55], { power: 2 }), [1e-2, 1e-3 + 9e-3 / 4], F64);
  close(rates([55], { power: 0.5 }), [1e-3 + 9e-3 * Math.SQRT1_2], F64);
});

test('never rises after warm-up and never leaves 0 … peak', () => {
  for (const schedule of ['polynomial', 'two-stage'] as const) {
    const all = rates(Array.from({ length: 90 }, (_, i) => i + 10), { schedule });
    for (let i = 1; i < all.length; i++) assert.ok(all[i] < all[i - 1], `step ${i + 10}`);
    assert.ok(all.every((rate) => rate > 0 && rate <= 1e-2 * (1 + 1e-15)));
  }
});

test('drops to the second line half-way in two stages', () => {
  const two = { schedule: 'two-stage', secondLearningRate: 6e-3 } as const;
  const left = (step: number): number => 1 - (step - 10) / 90;
  close(rates([10, 49], two), [1e-2, 1e-3 + 9e-3 * left(49)], F64);
  close(rates([50, 99], two), [1e-3 + 5e-3 * left(50), 1e-3 + 5e-3 * left(99)], F64);
  close(rates([100], two), [1e-3], F64); // both lines end at the same rate
});

test('switches weight decay off in the second stage alone', () => {
  const decay = (step: number, schedule: TrainingOptions['schedule']): number =>
    at(step, { schedule }).weightDecay;
  assert.equal([0, 49, 50, 99].map((step) => decay(step, 'two-stage')), [0.05, 0.05, 0, 0]);
  assert.equal([0, 49, 50, 99].map((step) => decay(step, 'polynomial')), [0.05, 0.05, 0.05, 0.05]);
});

test('begins the second stage at the larger half of an odd number of steps', () => {
  const two = { schedule: 'two-stage', steps: 5, warmupSteps: 0 } as const;
  assert.equal([0, 1, 2, 3, 4].map((step) => at(step, two).weightDecay), [0.05, 0.05, 0.05, 0, 0]);
});

test('keeps to warm-up where it is longer than the run', () => {
  close(rates([0, 4], { steps: 5, warmupSteps: 10 }), [1e-3, 5e-3], F64);
});

test('is finite for a run of one step', () => {
  for (const warmupSteps of [0, 1])
    close(rates([0], { steps: 1, warmupSteps }), [1e-2], F64);
});

test.run();

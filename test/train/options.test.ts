// Training options: defaults of each preset and the refusal of impossible ones.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TrainingError } from '../../src/errors.ts';
import type { BitNetConfig, Preset } from '../../src/model/config.ts';
import { presetConfig } from '../../src/model/config.ts';
import type { TrainingOptions } from '../../src/train/options.ts';
import { trainingOptions } from '../../src/train/options.ts';

const config = (preset: Preset, width = 128): BitNetConfig =>
  presetConfig(preset, { vocabSize: 65, layers: 1, heads: 4, width, context: 16 });

const COMMON = {
  steps: 2000, batch: 12, accumulation: 1, finalShare: 0.02, power: 1, warmupSteps: 100,
  beta1: 0.9, epsilon: 1e-8, seed: 0,
};

const DEFAULTS: Record<Preset, TrainingOptions> = {
  'bitnet': {
    ...COMMON, learningRate: 3e-3, secondLearningRate: 3e-3 * (2 / 3), schedule: 'polynomial',
    weightDecay: 0.01, beta2: 0.98, clipNorm: 1,
  },
  'bitnet-b1.58': {
    ...COMMON, learningRate: 3e-3, secondLearningRate: 3e-3 * (2 / 3), schedule: 'two-stage',
    weightDecay: 0.01, beta2: 0.95, clipNorm: 1,
  },
  'transformer': {
    ...COMMON, learningRate: 3e-3, secondLearningRate: 3e-3 * (2 / 3), schedule: 'polynomial',
    weightDecay: 0.1, beta2: 0.95, clipNorm: 1,
  },
};

const test = suite('trainingOptions');

for (const preset of Object.keys(DEFAULTS) as Preset[])
  test(`has defaults of its own for ${preset}`, () => {
    assert.equal(trainingOptions(config(preset)), DEFAULTS[preset]);
  });

test('lowers the learning rate with the root of the width, and never raises it', () => {
  const rate = (width: number): number => trainingOptions(config('bitnet', width)).learningRate;
  assert.is(rate(512), rate(128) / 2);
  assert.is(rate(32), rate(128));
});

test('warms up for a tenth of a short run', () => {
  for (const [steps, warmup] of [[1, 1], [50, 5], [55, 6], [1000, 100], [9000, 100]])
    assert.is(trainingOptions(config('bitnet'), { steps }).warmupSteps, warmup);
});

test('derives the second rate from a rate that is given', () => {
  const { secondLearningRate } = trainingOptions(config('bitnet-b1.58'), { learningRate: 3 });
  assert.is(secondLearningRate, 2);
});

test('takes single fields and reads undefined as not given', () => {
  const overrides = { seed: 7, batch: undefined, clipNorm: 2, learningRate: undefined };
  assert.equal(
    trainingOptions(config('bitnet'), overrides), { ...DEFAULTS.bitnet, seed: 7, clipNorm: 2 });
});

test('accepts the ends of each range', () => {
  for (const overrides of [
    { steps: 1 }, { batch: 1 }, { accumulation: 1 }, { warmupSteps: 0 }, { seed: 2 ** 53 - 1 },
    { learningRate: 0 }, { finalShare: 0 }, { finalShare: 1 }, { beta1: 0 }, { weightDecay: 0 },
    { clipNorm: 0 }, { power: 0 },
  ])
    assert.equal(
      { ...trainingOptions(config('bitnet'), overrides), ...overrides },
      trainingOptions(config('bitnet'), overrides));
});

const BAD: Partial<Record<keyof TrainingOptions, unknown[]>> = {
  steps: [0, -1, 1.5, NaN, Infinity, '10'],
  batch: [0, 2.5, NaN, null],
  accumulation: [0, -1, NaN],
  warmupSteps: [-1, 0.5, NaN],
  seed: [-1, 0.5, 2 ** 53, NaN],
  learningRate: [-1e-3, NaN, Infinity, '1e-3'],
  secondLearningRate: [-1, NaN],
  finalShare: [-0.1, 1.1, NaN],
  beta1: [-0.1, 1.1, NaN],
  beta2: [-0.1, 1.1, NaN],
  power: [-1, NaN, Infinity],
  weightDecay: [-0.1, NaN],
  clipNorm: [-1, NaN],
  epsilon: [-1e-8, 0, NaN], // 0 / (√0 + 0) where a row never has a gradient
  schedule: ['cosine', 3],
};

for (const [field, values] of Object.entries(BAD))
  test(`refuses ${field} ${values!.join(', ')} with BAD_CONFIG naming it`, () => {
    for (const value of values!)
      try {
        trainingOptions(config('bitnet'), { [field]: value } as Partial<TrainingOptions>);
        assert.unreachable(`${field} ${value}`);
      } catch (error) {
        assert.instance(error, TrainingError, String(error));
        assert.is((error as TrainingError).code, 'BAD_CONFIG');
        assert.ok((error as TrainingError).message.includes(`"${field}"`), String(error));
      }
  });

test.run();

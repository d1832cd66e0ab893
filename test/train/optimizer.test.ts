// The optimizer step: norm, clipping, decay of matrices alone, and the watch for numbers that are
// not finite; then tiny models that learn one batch by heart.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TrainingError } from '../../src/errors.ts';
import type { BitNetConfig, Preset } from '../../src/model/config.ts';
import { presetConfig } from '../../src/model/config.ts';
import { FINAL_NORM, HEAD } from '../../src/model/tensors.ts';
import { TrainedWeights } from '../../src/model/weights.ts';
import type { AdamState } from '../../src/ref/optim.ts';
import { adamw, sumSquares } from '../../src/ref/optim.ts';
import { applyStep, gradientNorm, nonFinite } from '../../src/train/optimizer.ts';
import type { TrainingOptions } from '../../src/train/options.ts';
import { trainingOptions } from '../../src/train/options.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { embeddedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';
import { close, sameBits } from '../helpers/close.ts';
import type { Tolerance } from '../helpers/close.ts';
import { randomF32 } from '../helpers/random.ts';

/** AdamW in f32: a step of lr 0.01 and one rounding of w. */
const STEP: Tolerance = { name: 'f32 step of AdamW', absolute: 1e-7, relative: 3e-7 };

const tiny = (preset: Preset, overrides: Partial<BitNetConfig> = {}): BitNetConfig =>
  presetConfig(preset, { vocabSize: 11, layers: 1, heads: 2, width: 16, context: 8 }, overrides);

const CONFIG = tiny('transformer');
const RATES = { learningRate: 0.01, weightDecay: 0.1 };

/** Weights, gradients and moments of random values. */
function makeWeights(): TrainedWeights {
  const weights = new TrainedWeights(new Engine({ module: embeddedModule() }), CONFIG);
  const { engine, values, gradients, count } = weights;
  engine.f32(values, count).set(randomF32(count, 1));
  engine.f32(gradients, count).set(randomF32(count, 2));
  return weights;
}

const read = ({ engine, count }: TrainedWeights, at: number): Float32Array =>
  engine.f32(at, count).slice();

/** Puts one value into the value or gradient of a tensor. */
function poke(
  weights: TrainedWeights, kind: 'value' | 'grad', name: string, index: number, value: number,
): void {
  const { ptr, rows, cols } = weights.parameter(name)[kind]!;
  weights.engine.f32(ptr, rows * cols)[index] = value;
}

const test = suite('applyStep');

/** The weights after one step, and what the twin makes of the same; norms are not decayed. */
function stepBoth(options: TrainingOptions, scale: number): [Float32Array, Float64Array] {
  const weights = makeWeights(), { count, decayCount } = weights;
  const before = Float64Array.from(read(weights, weights.values));
  const g = read(weights, weights.gradients), zeros = new Float64Array(count);
  const after = (weightDecay: number): Float64Array =>
    adamw({ w: before, m: zeros, v: zeros }, g, 1, {
      ...options, ...RATES, weightDecay, gradScale: scale }).w;
  const expected = after(RATES.weightDecay);
  expected.set(after(0).subarray(decayCount), decayCount);
  applyStep(weights, 0, gradientNorm(weights, 1), RATES, options);
  assert.ok(read(weights, weights.gradients).every((d) => d === 0), 'gradients are cleared');
  return [read(weights, weights.values), expected];
}

test('is AdamW with decay of matrices and not of norms', () => {
  close(...stepBoth(trainingOptions(CONFIG, { clipNorm: 0 }), 1), STEP);
});

test('decays no scale of inputs either', () => {
  const { engine } = makeWeights();
  const [own, plain] = (['elastic', 'absmax'] as const).map((activationQuantization) =>
    new TrainedWeights(engine, tiny('bitnet', { activationQuantization })));
  assert.is(own.decayCount, plain.decayCount);
  assert.is(own.count, plain.count + 4 * 4); // four in its layer, each padded to a vector
});

test('scales gradients down to the clip norm, and leaves smaller ones', () => {
  const g = randomF32(makeWeights().count, 2), norm = Math.sqrt(sumSquares(g));
  // A large epsilon: without it AdamW hides the scale of its first step.
  const clip = (clipNorm: number): TrainingOptions =>
    trainingOptions(CONFIG, { clipNorm, epsilon: 0.1 });
  close(...stepBoth(clip(norm / 4), 0.25), STEP);
  close(...stepBoth(clip(norm * 2), 1), STEP);
});

test('corrects the bias of the moments by the step', () => {
  const weights = makeWeights(), options = trainingOptions(CONFIG, { clipNorm: 0 });
  const w = Float64Array.from(read(weights, weights.values));
  let expected: AdamState = { w, m: new Float64Array(w.length), v: new Float64Array(w.length) };
  for (let step = 0; step < 3; step++) {
    const g = randomF32(weights.count, 5 + step);
    weights.engine.f32(weights.gradients, weights.count).set(g);
    applyStep(weights, step, 1, { learningRate: 0.01, weightDecay: 0 }, options);
    expected = adamw(expected, g, step + 1, {
      ...options, learningRate: 0.01, weightDecay: 0, gradScale: 1 });
  }
  close(read(weights, weights.values), expected.w, { ...STEP, absolute: 3e-7 });
});

test.run();

const norm = suite('gradientNorm');

norm('is the norm of all gradients together', () => {
  const weights = makeWeights();
  const expected = Math.sqrt(sumSquares(read(weights, weights.gradients)));
  close([gradientNorm(weights, 1)], [expected], { ...STEP, name: 'rounding of squares' });
});

for (const bad of [NaN, Infinity, -Infinity])
  norm(`refuses a gradient of ${bad}, naming step, tensor and index`, () => {
    const weights = makeWeights();
    poke(weights, 'grad', HEAD, 5, bad);
    poke(weights, 'grad', FINAL_NORM, 2, bad); // comes later
    try {
      gradientNorm(weights, 42);
      assert.unreachable();
    } catch (error) {
      assert.instance(error, TrainingError);
      const { code, step, field, offset } = error as TrainingError;
      assert.equal({ code, step, field, offset },
        { code: 'NON_FINITE', step: 42, field: `gradient of ${HEAD}`, offset: 5 });
    }
  });

norm('names a weight that is not finite before any gradient', () => {
  const weights = makeWeights();
  poke(weights, 'grad', HEAD, 0, NaN);
  poke(weights, 'value', FINAL_NORM, 3, Infinity);
  const { field, offset, message } = nonFinite(weights, 7);
  assert.equal({ field, offset }, { field: FINAL_NORM, offset: 3 });
  assert.match(message, /step 7.*smaller learning rate/);
});

norm('names the loss where all weights and gradients are finite', () => {
  assert.is(nonFinite(makeWeights(), 7).field, 'loss');
});

norm.run();

const trainer = suite('Trainer');

/** A trainer whose every batch is the same 8 tokens: one window is all there is. */
function learner(config: BitNetConfig, overrides: Partial<TrainingOptions> = {}): Trainer {
  const tokens = Uint32Array.of(3, 1, 4, 1, 5, 9, 2, 6, 5);
  const options = trainingOptions(config, {
    steps: 200, batch: 1, learningRate: 0.02, warmupSteps: 5, ...overrides });
  const engine = new Engine({ module: embeddedModule() });
  return new Trainer(engine, config, { train: tokens, validation: tokens }, options);
}

trainer('changes no weight where a gradient is not finite, and says where', () => {
  const t = learner(CONFIG);
  t.step();
  poke(t.weights, 'grad', FINAL_NORM, 1, NaN);
  const { weights } = t;
  const state = (): Float32Array[] =>
    [weights.values, weights.firstMoments, weights.secondMoments].map((at) => read(weights, at));
  const before = state();
  assert.throws(() => t.step(), (error: TrainingError) =>
    error.code === 'NON_FINITE' && error.step === 2 &&
    error.field === `gradient of ${FINAL_NORM}`);
  state().forEach((array, i) => sameBits(array, before[i]));
  assert.is(t.stepsDone, 1);
  assert.ok(Number.isFinite(t.step().loss), 'the bad gradient is gone at the next step');
});

trainer('names the weight where one is not finite, and stays at its step', () => {
  const t = learner(CONFIG);
  poke(t.weights, 'value', HEAD, 4, Infinity);
  assert.throws(() => t.step(), (error: TrainingError) =>
    error.code === 'NON_FINITE' && error.step === 1 && error.field === HEAD);
  assert.is(t.stepsDone, 0);
});

const LEARNERS: Record<string, BitNetConfig> = {
  'bitnet': tiny('bitnet'),
  'bitnet-b1.58': tiny('bitnet-b1.58'),
  'transformer': tiny('transformer'),
  'bitnet in two groups': tiny('bitnet', { quantizationGroups: 2 }),
  'bitnet-b1.58 in two groups': tiny('bitnet-b1.58', { quantizationGroups: 2 }),
  'bitnet with a shifted MLP input': tiny('bitnet', { shiftedMlpInput: true }),
  'bitnet with 1-bit activations': tiny('bitnet', { activationBits: 1 }),
  'bitnet with elastic activations': tiny('bitnet', { activationQuantization: 'elastic' }),
  'bitnet with norms behind products': tiny('bitnet', { productNorms: true, subNorms: false }),
};

for (const [name, config] of Object.entries(LEARNERS))
  trainer(`learns one batch by heart: ${name}`, () => {
    const t = learner(config);
    const first = t.step().loss;
    let last = first;
    while (!t.done) last = t.step().loss;
    assert.ok(first > 2 && first < 3, `first loss ${first}`); // ln 11 = 2.4
    assert.ok(last < 0.05, `last loss ${last}`);
    assert.ok(t.validate().loss < 0.05);
  });

trainer('averages the micro-batches of a step', () => {
  const once = learner(CONFIG).step();
  const twice = learner(CONFIG, { accumulation: 2 }).step();
  close([twice.loss, twice.gradientNorm], [once.loss, once.gradientNorm],
    { name: 'order of f32 sums', absolute: 0, relative: 1e-5 });
  assert.is(twice.tokens, 2 * once.tokens);
});

trainer.run();

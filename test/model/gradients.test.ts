// Whole models: the gradients of float models against central differences of their own loss, and
// what binarized models promise of theirs.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BitNet } from '../../src/model/bitnet.ts';
import type { BitNetConfig, Preset } from '../../src/model/config.ts';
import { PRESETS, presetConfig } from '../../src/model/config.ts';
import { EMBEDDING, FINAL_NORM, HEAD } from '../../src/model/tensors.ts';
import { TrainedWeights } from '../../src/model/weights.ts';
import { Rng } from '../../src/rng.ts';
import { embeddedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';
import { close, sameBits } from '../helpers/close.ts';
import type { Tolerance } from '../helpers/close.ts';
import { cosine, largestError } from '../helpers/gradients.ts';
import { randomI32 } from '../helpers/random.ts';
import { randomValue } from '../helpers/tiny-model.ts';

const V = 7, T = 5, BATCH = 2;

/** At most so many values of a tensor are moved, evenly spread over it. */
const SAMPLES = 24;
/** Steps of the differences, for weights of deviation 0.3; ReLU has corners within a larger one. */
const STEP = 2 ** -6, STEP_RELU = 2 ** -10;
/** h⁴ terms and the f32 noise of the loss, 5e−8 / 2h, as shares of a tensor's largest gradient. */
const LARGEST_ERROR = 0.01;
const SMALLEST_COSINE = 0.9999;

/** Sums of the same terms in another order. */
const ORDER: Tolerance = { name: 'order of f32 sums', absolute: 1e-6, relative: 1e-5 };

const tiny = (preset: Preset, overrides: Partial<BitNetConfig> = {}): BitNetConfig =>
  presetConfig(preset, { vocabSize: V, layers: 2, heads: 2, width: 8, context: T }, overrides);

const IDS = randomI32(BATCH * T, 1, 0, V - 1), TARGETS = randomI32(BATCH * T, 2, 0, V - 1);

/** A model with weights of deviation 0.3 and gains about 1: no gradient is near 0. */
function makeModel(config: BitNetConfig): { model: BitNet; weights: TrainedWeights } {
  const engine = new Engine({ module: embeddedModule() });
  const weights = new TrainedWeights(engine, config), rng = new Rng(3);
  for (const { name, rows, cols, role } of weights.specs) {
    const values = engine.f32(weights.parameter(name).value.ptr, rows * cols);
    for (let i = 0; i < values.length; i++) values[i] = randomValue(role, rng);
  }
  return { model: new BitNet(config, weights), weights };
}

type Made = ReturnType<typeof makeModel>;

const mean = (losses: Float32Array): number =>
  losses.reduce((sum, loss) => sum + loss, 0) / losses.length;

/** All gradients of the mean loss, in the order of the tensors. */
function gradients(
  { model, weights }: Made, ids: Int32Array, targets: Int32Array,
  batch: number, share = 1,
): Float32Array {
  const { engine, count } = weights;
  model.lossesAndGradients(ids, targets, batch, share / ids.length);
  return engine.f32(weights.gradients, count).slice();
}

/** Differences of the mean loss by some values of a tensor: (4·D(h/2) − D(h)) / 3, error h⁴. */
function lossDifferences(
  { model, weights }: Made, name: string, indices: number[], h: number,
): number[] {
  const { ptr, rows, cols } = weights.parameter(name).value;
  const lossWith = (index: number, value: number): number => {
    weights.engine.f32(ptr, rows * cols)[index] = value;
    model.invalidate();
    return mean(model.losses(IDS, TARGETS, BATCH));
  };
  return indices.map((index) => {
    const value = weights.engine.f32(ptr, rows * cols)[index];
    const [wide, narrow] = [h, h / 2].map((step) =>
      (lossWith(index, value + step) - lossWith(index, value - step)) / (2 * step));
    lossWith(index, value);
    return (4 * narrow - wide) / 3;
  });
}

const FLOAT_MODELS: Record<string, BitNetConfig> = {
  'learned positions': tiny('transformer', { positionEmbedding: 'learned' }),
  'the transformer preset': tiny('transformer'),
  'RMSNorm, gated SiLU and RoPE': tiny('transformer', {
    normType: 'rmsnorm', hiddenAct: 'silu', gatedMlp: true, positionEmbedding: 'rope' }),
  'ReLU²': tiny('transformer', { hiddenAct: 'relu2' }),
  'ReLU': tiny('transformer', { hiddenAct: 'relu', positionEmbedding: 'learned' }),
  'tied embeddings': tiny('transformer', { tieWordEmbeddings: true }),
  'grouped queries': tiny('transformer', { numAttentionHeads: 2, numKeyValueHeads: 1 }),
  'norms inside the projections': tiny('transformer', { subNorms: true }),
  'norms behind the products': tiny('transformer', { productNorms: true }),
  'RMSNorms behind gated products': tiny('transformer', {
    productNorms: true, normType: 'rmsnorm', hiddenAct: 'silu', gatedMlp: true }),
};

/** Fails unless the gradients of a tensor agree with differences of the loss. */
function checkTensor(made: Made, all: Float32Array, name: string): void {
  const { rows, cols } = made.weights.parameter(name).value;
  const size = rows * cols, count = Math.min(SAMPLES, size);
  const indices = Array.from({ length: count }, (_, i) => Math.floor((i * size) / count));
  const h = made.model.config.hiddenAct === 'relu' ? STEP_RELU : STEP;
  const expected = lossDifferences(made, name, indices, h);
  const actual = indices.map((i) => all[made.weights.offsetOf(name) + i]);
  const [alike, error] = [cosine(actual, expected), largestError(actual, expected)];
  assert.ok(alike > SMALLEST_COSINE, `${name}: cosine ${alike}`);
  assert.ok(error < LARGEST_ERROR, `${name}: largest error ${error}`);
}

const smooth = suite('gradients of float models');

for (const [name, config] of Object.entries(FLOAT_MODELS))
  smooth(`agree with differences of the loss: ${name}`, () => {
    const made = makeModel(config), all = gradients(made, IDS, TARGETS, BATCH);
    for (const { name: tensor } of made.weights.specs) checkTensor(made, all, tensor);
  });

smooth.run();

const binarized = suite('gradients of binarized models');

const BINARIZED: Record<string, BitNetConfig> = {
  'bitnet': tiny('bitnet'),
  'bitnet-b1.58': tiny('bitnet-b1.58'),
  'elastic': tiny('bitnet', { activationQuantization: 'elastic', quantizationGroups: 2 }),
  'norms behind products': tiny('bitnet', { subNorms: false, productNorms: true }),
};

for (const [name, config] of Object.entries(BINARIZED))
  binarized(`agree with differences behind the last BitLinear: ${name}`, () => {
    const made = makeModel(config), all = gradients(made, IDS, TARGETS, BATCH);
    for (const tensor of [FINAL_NORM, HEAD]) checkTensor(made, all, tensor);
  });

for (const [name, config] of Object.entries(BINARIZED))
  binarized(`reach every tensor, the latent weights and embeddings among them: ${name}`, () => {
    const made = makeModel(config), all = gradients(made, IDS, TARGETS, BATCH);
    for (const { name, rows, cols } of made.weights.specs) {
      const at = made.weights.offsetOf(name), own = all.slice(at, at + rows * cols);
      assert.ok(own.some((d) => d !== 0) && own.every(Number.isFinite), name);
    }
  });

binarized.run();

const accumulation = suite('gradients of batches');

const CONFIGS: Record<string, BitNetConfig> = {
  ...Object.fromEntries(PRESETS.map((preset) => [preset, tiny(preset)])),
  'two groups': tiny('bitnet', { quantizationGroups: 2 }),
  'elastic': BINARIZED['elastic'],
  'norms behind products': BINARIZED['norms behind products'],
};

for (const [name, config] of Object.entries(CONFIGS)) {
  accumulation(`two micro-batches give the gradient of one of twice the size: ${name}`, () => {
    const whole = gradients(makeModel(config), IDS, TARGETS, BATCH);
    const made = makeModel(config);
    gradients(made, IDS.slice(0, T), TARGETS.slice(0, T), 1, 1 / 2);
    close(gradients(made, IDS.slice(T), TARGETS.slice(T), 1, 1 / 2), whole, ORDER);
  });

  accumulation(`the same batch gives the same bits again: ${name}`, () => {
    const [a, b] = [1, 2].map(() => gradients(makeModel(config), IDS, TARGETS, BATCH));
    sameBits(a, b);
  });
}

accumulation('a sequence has the same losses in a batch as alone, in training or not', () => {
  for (const config of Object.values(CONFIGS)) {
    const { model } = makeModel(config);
    const whole = model.losses(IDS, TARGETS, BATCH);
    sameBits(model.lossesAndGradients(IDS, TARGETS, BATCH, 1), whole);
    for (const b of [0, 1]) {
      const [ids, targets] = [IDS, TARGETS].map((x) => x.slice(b * T, (b + 1) * T));
      sameBits(model.losses(ids, targets, 1), whole.slice(b * T, (b + 1) * T));
    }
  }
});

accumulation('targets of −1 have loss 0 and no gradient', () => {
  const made = makeModel(tiny('bitnet')), none = new Int32Array(BATCH * T).fill(-1);
  assert.ok(gradients(made, IDS, none, BATCH).every((d) => d === 0));
  assert.equal(made.model.losses(IDS, none, BATCH), new Float32Array(BATCH * T));
});

accumulation('tied embeddings get the gradients of the embedding and of the head', () => {
  const tied = makeModel(tiny('transformer', { tieWordEmbeddings: true }));
  const apart = makeModel(tiny('transformer'));
  const { engine } = apart.weights;
  const copy = (name: string, from: string): void => {
    const { ptr, rows, cols } = tied.weights.parameter(from).value;
    const values = tied.weights.engine.f32(ptr, rows * cols);
    engine.f32(apart.weights.parameter(name).value.ptr, rows * cols).set(values);
  };
  for (const { name } of apart.weights.specs) copy(name, name === HEAD ? EMBEDDING : name);
  const of = (made: Made, all: Float32Array, name: string): Float32Array => {
    const at = made.weights.offsetOf(name);
    return all.slice(at, at + V * 8);
  };
  const sum = gradients(apart, IDS, TARGETS, BATCH);
  const head = of(apart, sum, HEAD);
  close(
    of(tied, gradients(tied, IDS, TARGETS, BATCH), EMBEDDING),
    of(apart, sum, EMBEDDING).map((d, i) => d + head[i]), ORDER);
});

accumulation.run();

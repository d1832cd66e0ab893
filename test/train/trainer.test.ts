// Training steps: reproducible bytes, loss that falls, and numbers that stop being finite.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EngineError, TrainingError } from '../../src/errors.ts';
import { PRESETS } from '../../src/model/config.ts';
import { evaluate } from '../../src/model/evaluate.ts';
import { layerName } from '../../src/model/tensors.ts';
import { encodeCheckpoint } from '../../src/train/checkpoint.ts';
import type { Run, RunOptions } from '../../src/train/run.ts';
import { failsWith } from '../helpers/fails.ts';
import {
  modelBytes, newEngine, sameBytes, tinyModel, tinyRun, trainTo,
} from '../helpers/tiny-model.ts';

/** Values, moments and gradients are four arrays of this many bytes. */
const arrayOf = ({ trainer: { weights } }: Run, ptr: number): Uint8Array =>
  weights.engine.u8(ptr, weights.count * 4).slice();

const checkpointOf = ({ trainer, tokenizer }: Run): Uint8Array =>
  encodeCheckpoint(trainer, tokenizer.toJson());

const reproducible = suite('Trainer: same bytes');

const RUNS: Record<string, RunOptions> = {
  ...Object.fromEntries(PRESETS.map((preset) => [preset, { preset }])),
  'elastic': { config: { activationQuantization: 'elastic', subNorms: false } },
  'norms behind products': { config: { productNorms: true, subNorms: false } },
};

for (const [name, options] of Object.entries(RUNS))
  reproducible(`the same seed gives the same model and checkpoint bytes: ${name}`, () => {
    const [a, b] = [1, 2].map(() => tinyRun({ ...options, seed: 7 }));
    for (const run of [a, b]) trainTo(run);
    sameBytes(modelBytes(a), modelBytes(b));
    sameBytes(checkpointOf(a), checkpointOf(b));
  });

reproducible('another seed gives other weights and other data', () => {
  const [a, b] = [1, 2].map((seed) => tinyRun({ seed }));
  assert.not.equal(arrayOf(a, a.trainer.weights.values), arrayOf(b, b.trainer.weights.values));
  assert.not.equal([...a.trainer.rng.state], [...b.trainer.rng.state]);
  assert.not.equal(tinyModel({ seed: 1 }), tinyModel({ seed: 2 }));
});

reproducible('validation and packing between steps change nothing', () => {
  const plain = tinyRun(), watched = tinyRun();
  trainTo(plain);
  while (!watched.trainer.done) {
    watched.trainer.step();
    watched.trainer.validate(100);
    checkpointOf(watched);
    modelBytes(watched);
  }
  sameBytes(checkpointOf(watched), checkpointOf(plain));
});

reproducible('what was in the memory before changes nothing', () => {
  const engine = newEngine();
  const ptr = engine.heap.alloc(3 << 20);
  engine.u8(ptr, 3 << 20).fill(0x7f);
  const other = tinyRun({ seed: 9 }, engine);
  trainTo(other);
  other.trainer.dispose();
  const run = tinyRun({}, engine);
  trainTo(run);
  const fresh = tinyRun();
  trainTo(fresh);
  sameBytes(checkpointOf(run), checkpointOf(fresh));
});

reproducible.run();

const steps = suite('Trainer.step');

for (const [name, options] of Object.entries(RUNS))
  steps(`lowers the loss: ${name}`, () => {
    const run = tinyRun({ ...options, steps: 60, batch: 8 });
    const before = run.trainer.validate().loss;
    trainTo(run);
    const after = run.trainer.validate().loss;
    assert.ok(Math.abs(before - Math.log(run.tokenizer.vocabSize)) < 0.2, `begins at ${before}`);
    assert.ok(after < before - 0.7, `${before} → ${after}`);
  });

steps('reports step, loss, rate, norm and tokens, and counts to the end', () => {
  const run = tinyRun({ steps: 4, accumulation: 3, warmupSteps: 2, learningRate: 0.01 });
  for (let step = 1; step <= 4; step++) {
    assert.is(run.trainer.done, false);
    const report = run.trainer.step();
    assert.is(report.step, step);
    assert.is(run.trainer.stepsDone, step);
    assert.is(report.tokens, 4 * 16 * 3);
    assert.ok(report.loss > 1 && report.loss < 5 && report.gradientNorm > 0);
    if (step <= 2) assert.is(report.learningRate, 0.01 * (step / 2));
  }
  assert.ok(run.trainer.done);
});

steps('with accumulation sees the data of one larger batch', () => {
  // The same 12 windows in one pass and in three: the same loss but for the order of its sum.
  const [whole, parts] = [{ batch: 12 }, { batch: 4, accumulation: 3 }].map((o) => tinyRun(o));
  const a = whole.trainer.step(), b = parts.trainer.step();
  assert.ok(Math.abs(a.loss - b.loss) < 1e-6);
  assert.ok(Math.abs(a.gradientNorm / b.gradientNorm - 1) < 1e-4);
  assert.equal([...whole.trainer.rng.state], [...parts.trainer.rng.state]);
});

steps('sets the scales of elastic inputs from the first batch, and trains them from there', () => {
  const run = tinyRun({ config: { activationQuantization: 'elastic' }, layers: 2 });
  const { weights, model: { engine } } = run.trainer;
  const names = weights.specs.filter(({ role }) => role === 'scale').map(({ name }) => name);
  const scales = (): number[] => names.map((name) => engine.f32(weights.parameter(name).value.ptr, 1)[0]);
  assert.is(names.length, 8);
  assert.ok(scales().every((s) => s === 0));
  assert.ok(run.trainer.validate(32).loss > 0);
  assert.ok(scales().every((s) => s === 0), 'validation sets none');
  run.trainer.step();
  const first = scales();
  assert.ok(first.every((s) => s > 0.01 && s < 1), String(first));
  run.trainer.step();
  assert.ok(scales().every((s, i) => s !== first[i] && Math.abs(s / first[i] - 1) < 0.5));
});

steps('leaves the gradients at zero', () => {
  const run = tinyRun();
  run.trainer.step();
  assert.ok(arrayOf(run, run.trainer.weights.gradients).every((byte) => byte === 0));
});

steps('validates on the tail that it never trains on, or on a part of it', () => {
  const { trainer } = tinyRun();
  const { validation } = trainer.dataset;
  assert.equal(trainer.validate(), evaluate(trainer.model, validation));
  assert.is(trainer.validate(100).tokens, 100);
});

steps('gives its memory back', () => {
  const engine = newEngine();
  for (const preset of PRESETS) {
    const quantizationGroups = preset === 'bitnet' ? 2 : 1;
    const run = tinyRun({ preset, config: { quantizationGroups } }, engine);
    run.trainer.step();
    run.trainer.dispose();
    run.trainer.dispose();
    assert.is(engine.heap.usedBytes, 0, preset);
    failsWith(() => run.trainer.step(), EngineError, 'CLOSED');
  }
});

steps('poisons the engine if a kernel of the optimizer traps', () => {
  for (const kernel of ['sumSquaresF32', 'adamwF32'] as const) {
    const run = tinyRun(), { engine } = run.trainer.model;
    const trapping = { ...engine.kernels, [kernel]: () => {
      throw new WebAssembly.RuntimeError('unreachable');
    } };
    Object.defineProperty(engine, 'kernels', { value: trapping });
    failsWith(() => run.trainer.step(), EngineError, 'INSTANCE_POISONED');
    failsWith(() => run.trainer.validate(), EngineError, 'INSTANCE_POISONED');
  }
});

steps.run();

const finite = suite('Trainer: numbers that are not finite');

/** Trains 3 steps, damages something, and expects the fourth to fail and to change nothing. */
function failsAtFour(
  damage: (run: Run) => void, options: RunOptions = {},
): { error: TrainingError; run: Run } {
  const run = tinyRun(options);
  trainTo(run, 3);
  damage(run);
  const { weights } = run.trainer;
  const arrays = [weights.values, weights.firstMoments, weights.secondMoments];
  const before = arrays.map((ptr) => arrayOf(run, ptr));
  const error = failsWith(() => run.trainer.step(), TrainingError, 'NON_FINITE');
  arrays.forEach((ptr, i) => sameBytes(arrayOf(run, ptr), before[i]));
  assert.is(run.trainer.stepsDone, 3);
  assert.is(error.step, 4);
  assert.match(error.message, /^step 4: /);
  return { error, run };
}

/** Sets one value of a tensor, or of its gradient. */
const poison = (name: string, index: number, value: number, kind: 'value' | 'grad' = 'value') =>
  ({ trainer: { weights } }: Run): void => {
    const { ptr, rows, cols } = weights.parameter(name)[kind]!;
    weights.engine.f32(ptr, rows * cols)[index] = value;
  };

for (const preset of PRESETS)
  for (const value of [NaN, Infinity, -Infinity])
    finite(`names a latent weight that is ${value}: ${preset}`, () => {
      const name = layerName(0, 'mlp.up_proj');
      const { error } = failsAtFour((run) => {
        poison(name, 5, value)(run);
        run.trainer.model.invalidate();
      }, { preset });
      assert.is(error.field, name);
      assert.is(error.offset, 5);
      assert.ok(error.message.includes(name));
    });

for (const value of [NaN, Infinity])
  finite(`names a gradient that is ${value} and leaves the weights as they were`, () => {
    const name = layerName(0, 'self_attn.o_proj');
    const { error } = failsAtFour(poison(name, 7, value, 'grad'));
    assert.is(error.field, `gradient of ${name}`);
    assert.is(error.offset, 7);
  });

finite('are found in embeddings and norms too', () => {
  for (const name of ['model.embed_tokens.weight', 'model.norm.weight'])
    assert.is(failsAtFour(poison(name, 0, NaN, 'grad')).error.field, `gradient of ${name}`);
});

finite('are found in the loss itself, though all else is finite', () => {
  const { error } = failsAtFour(({ trainer: { model } }) => {
    const value = (ids: ArrayLike<number>): Float32Array => new Float32Array(ids.length).fill(NaN);
    Object.defineProperty(model, 'lossesAndGradients', { value });
  });
  assert.is(error.field, 'loss');
});

finite('come of a rate far too large, and stop the run', () => {
  const run = tinyRun({ preset: 'transformer', learningRate: 1e3, weightDecay: 1e6 });
  const error = failsWith(() => trainTo(run), TrainingError, 'NON_FINITE');
  assert.is(error.step, run.trainer.stepsDone + 1);
  const { weights, model: { engine } } = run.trainer;
  const values = engine.f32(weights.values, weights.count);
  assert.ok(values.every(Number.isFinite), 'the weights of the last good step');
});

finite('are not written by an update: its epsilon is above 0', () => {
  // A row of the embedding that no token of a step reads has a gradient of 0: 0 / (√0 + 0).
  failsWith(() => tinyRun({ epsilon: 0 }), TrainingError, 'BAD_CONFIG');
});

finite.run();

const constructor = suite('new Trainer');

constructor('refuses data shorter than a context, and takes one that is just long enough', () => {
  const text = 'ab'.repeat(85); // 170 characters: 153 for training, 17 for validation
  failsWith(() => tinyRun({ text, context: 17 }), TrainingError, 'BAD_DATA');
  const run = tinyRun({ text, context: 16, steps: 1 });
  run.trainer.step();
  assert.is(run.trainer.validate().tokens, 16);
});

constructor('leaves nothing in the engine if its memory is too small, however much that is', () => {
  let refused = 0;
  for (let pages = 17, fits = false; !fits; pages += 2) {
    const engine = newEngine(pages * 65_536);
    try {
      const { trainer } = tinyRun({ layers: 2, width: 64, preset: 'bitnet-b1.58' }, engine);
      fits = true;
      trainer.dispose();
    } catch (error) {
      assert.ok(error instanceof EngineError && error.code === 'OUT_OF_MEMORY');
      refused++;
    }
    assert.is(engine.heap.usedBytes, 0, `with ${pages} pages`);
  }
  assert.ok(refused > 5);
});

constructor.run();

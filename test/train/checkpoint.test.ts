// Checkpoints in memory: a run that was stopped and resumed is the run that was not, bit for bit,
// and a checkpoint that is damaged or of another run is refused before anything changes.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CheckpointError, TrainingError } from '../../src/errors.ts';
import type { NamedTensor } from '../../src/io/safetensors.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import type { Preset } from '../../src/model/config.ts';
import { FINAL_NORM } from '../../src/model/tensors.ts';
import { Rng } from '../../src/rng.ts';
import { encodeCheckpoint, restoreCheckpoint } from '../../src/train/checkpoint.ts';
import type { Run, RunOptions } from '../../src/train/run.ts';
import { failsWith } from '../helpers/fails.ts';
import { TINY_TEXT, modelBytes, sameBytes, tinyRun, trainTo } from '../helpers/tiny-model.ts';

const STEPS = 6;

const save = ({ trainer, tokenizer }: Run): Uint8Array =>
  encodeCheckpoint(trainer, tokenizer.toJson());

const restore = ({ trainer, tokenizer }: Run, bytes: Uint8Array, file?: string): void =>
  restoreCheckpoint(trainer, tokenizer.toJson(), bytes, file);

const start = (options: RunOptions = {}): Run => tinyRun({ steps: STEPS, ...options });

/** The end of a run: its checkpoint and its model. */
function finish(run: Run): { checkpoint: Uint8Array; model: Uint8Array } {
  trainTo(run);
  return { checkpoint: save(run), model: modelBytes(run) };
}

function sameEnd(run: Run, expected: ReturnType<typeof finish>): void {
  const end = finish(run);
  sameBytes(end.checkpoint, expected.checkpoint, 'checkpoints');
  sameBytes(end.model, expected.model, 'models');
}

const resume = suite('a resumed run');

const RUNS: Record<string, RunOptions> = {
  'bitnet': {},
  'bitnet-b1.58, whose rate drops half-way': { preset: 'bitnet-b1.58' },
  'transformer': { preset: 'transformer' },
  'three micro-batches a step': { accumulation: 3, batch: 2 },
  'groups and shifted activations': {
    config: { quantizationGroups: 2, shiftedMlpInput: true, activationBits: 4 } },
  'elastic, whose scales the first step sets': { config: { activationQuantization: 'elastic' } },
  'norms behind products': { config: { productNorms: true, subNorms: false } },
  'bpe': { tokenizer: 'bpe', vocabSize: 280 },
};

for (const [name, options] of Object.entries(RUNS))
  resume(`ends in the same bytes, stopped after any step: ${name}`, () => {
    const whole = start(options), checkpoints: Uint8Array[] = [save(whole)];
    while (!whole.trainer.done) {
      whole.trainer.step();
      checkpoints.push(save(whole));
    }
    const expected = finish(whole);
    assert.is(checkpoints.length, STEPS + 1);
    checkpoints.forEach((bytes, step) => {
      const run = start(options);
      restore(run, bytes);
      assert.is(run.trainer.stepsDone, step);
      sameBytes(save(run), bytes, 'what was restored');
      sameEnd(run, expected);
    });
  });

resume('ends in the same bytes if it is stopped after every step', () => {
  const expected = finish(start());
  let run = start();
  while (!run.trainer.done) {
    run.trainer.step();
    const next = start();
    restore(next, save(run));
    run = next;
  }
  sameEnd(run, expected);
});

resume('ends in the same bytes if it goes back to an earlier step', () => {
  const run = start();
  trainTo(run, 2);
  const early = save(run), expected = finish(run);
  restore(run, early);
  assert.is(run.trainer.done, false);
  sameEnd(run, expected);
});

resume('ends in the same bytes after a failure inside a step', () => {
  const run = start({ accumulation: 2 });
  trainTo(run, 3);
  const good = save(run), expected = finish(run);
  restore(run, good);
  const { weights } = run.trainer;
  weights.engine.f32(weights.gradients, weights.count)[9] = NaN;
  failsWith(() => run.trainer.step(), TrainingError, 'NON_FINITE');
  restore(run, good);
  sameEnd(run, expected);
});

resume('has the validation loss of the run at that step', () => {
  const run = start(), other = start();
  trainTo(run, 3);
  restore(other, save(run));
  assert.equal(other.trainer.validate(), run.trainer.validate());
});

resume.run();

const file = suite('encodeCheckpoint');

file('holds the latent weights, both moments of AdamW, the generator and the settings', () => {
  const run = start();
  run.trainer.step();
  const { metadata, tensors } = decodeSafetensors(save(run), 'file', { requireSeal: true });
  assert.equal([...metadata.keys()].sort(), [
    'config', 'data', 'format', 'options', 'step', 'tokenizer', 'version']);
  const { specs } = run.trainer.weights;
  assert.is(tensors.size, 3 * specs.length + 1);
  for (const { name, rows, cols } of specs) {
    const [w, m, v] = ['', '.m', '.v'].map((suffix) =>
      new Float32Array(tensors.get(name + suffix)!.data.slice().buffer));
    assert.equal([w.length, m.length, v.length], new Array(3).fill(rows * cols));
    assert.ok(v.every((x) => x >= 0), 'second moments are of squares');
    if (rows > 1) assert.ok(m.some((x) => x < 0) && m.some((x) => x > 0), 'first ones are not');
  }
});

file.run();

const damage = suite('a damaged checkpoint');

const GOOD = ((): Uint8Array => {
  const run = start();
  trainTo(run, 3);
  return save(run);
})();

/** A run one step on, into which the tests try to restore; it must not change. */
const target = start();
target.trainer.step();
const untouched = save(target);

function refused(bytes: Uint8Array, codes: readonly string[]): CheckpointError {
  try {
    restore(target, bytes, 'somewhere');
  } catch (error) {
    assert.instance(error, CheckpointError);
    assert.ok(codes.includes((error as CheckpointError).code), String(error));
    assert.is((error as CheckpointError).file, 'somewhere');
    return error as CheckpointError;
  }
  return assert.unreachable('a damaged checkpoint was accepted') as never;
}

damage('is refused at every length, and changes nothing', () => {
  const rng = new Rng(1), lengths = [0, 1, 7, 8, 9, 100, GOOD.length - 1];
  for (let i = 0; i < 60; i++) lengths.push(rng.nextBelow(GOOD.length));
  for (const length of lengths)
    refused(GOOD.subarray(0, length), ['TRUNCATED', 'CORRUPT', 'NOT_A_CHECKPOINT']);
  refused(Uint8Array.from([...GOOD, 0]), ['CORRUPT']);
  sameBytes(save(target), untouched);
});

damage('is refused for every flipped bit, and changes nothing', () => {
  const rng = new Rng(2), header = 8 + new DataView(GOOD.buffer).getUint32(0, true);
  const places = Array.from({ length: 120 }, (_, i) =>
    i % 2 ? rng.nextBelow(header) : rng.nextBelow(GOOD.length));
  const bytes = GOOD.slice();
  for (const at of [0, 1, 7, 8, header - 1, header, GOOD.length - 1, ...places]) {
    const bit = 1 << rng.nextBelow(8);
    bytes[at] ^= bit;
    refused(bytes, ['CORRUPT', 'TRUNCATED', 'NOT_A_CHECKPOINT']);
    bytes[at] ^= bit;
  }
  sameBytes(save(target), untouched);
  restore(start(), bytes); // whole again
});

/** The good checkpoint with its metadata or tensors changed, sealed anew. */
function altered(
  metadata: Record<string, string | undefined>,
  change: (tensor: NamedTensor) => NamedTensor | undefined = (tensor) => tensor, sealed = true,
): Uint8Array {
  const file = decodeSafetensors(GOOD);
  const fields = Object.entries({ ...Object.fromEntries(file.metadata), ...metadata });
  const tensors = [...file.tensors.values()].flatMap((tensor) => change(tensor) ?? []);
  return encodeSafetensors(
    tensors, Object.fromEntries(fields.filter((f): f is [string, string] => f[1] !== undefined)),
    { checksum: sealed });
}

/** A change of one tensor. */
const only = (name: string, change: (tensor: NamedTensor) => NamedTensor | undefined) =>
  (tensor: NamedTensor): NamedTensor | undefined =>
    (tensor.name === name ? change(tensor) : tensor);

damage('is refused without its seal', () => {
  restore(start(), altered({}));
  refused(altered({}, undefined, false), ['CORRUPT']);
});

damage('is refused if it is another kind of file, or of another version', () => {
  refused(new TextEncoder().encode('PK\x03\x04 something else'), ['NOT_A_CHECKPOINT']);
  refused(modelBytes(start()), ['NOT_A_CHECKPOINT']);
  refused(altered({ format: undefined }), ['NOT_A_CHECKPOINT']);
  const error = refused(altered({ version: '2' }), ['UNSUPPORTED_VERSION']);
  assert.match(error.message, /version 2.*version 1/);
});

damage('is refused if its step is none of the run', () => {
  for (const step of ['-1', String(STEPS + 1), '1.5', 'x', 'NaN', undefined])
    refused(altered({ step }), ['CORRUPT']);
  sameBytes(save(target), untouched);
});

damage('is refused if a tensor is missing or has another shape, and changes nothing', () => {
  for (const suffix of ['', '.m', '.v']) {
    const name = FINAL_NORM + suffix;
    refused(altered({}, only(name, () => undefined)), ['CORRUPT']);
    refused(altered({}, only(name, (t) => ({ ...t, shape: [8], data: t.data.slice(0, 32) }))),
      ['CORRUPT']);
    assert.is(refused(altered({}, only(name, (t) => ({ ...t, dtype: 'U32' }))), ['CORRUPT']).field,
      name);
  }
  const noise = (data: Uint8Array) =>
    only('rng', (tensor) => ({ ...tensor, shape: [data.length / 4], data }));
  for (const data of [new Uint8Array(16), new Uint8Array(12).fill(1), new Uint8Array(20).fill(1)])
    refused(altered({}, noise(data)), ['CORRUPT']);
  refused(altered({}, only('rng', () => undefined)), ['CORRUPT']);
  sameBytes(save(target), untouched);
});

damage('reads a view into a larger buffer, as Node hands out', () => {
  const pool = Buffer.alloc(GOOD.length + 100);
  pool.set(GOOD, 36);
  const run = start();
  restore(run, pool.subarray(36, 36 + GOOD.length));
  sameBytes(save(run), GOOD);
});

damage.run();

const mismatch = suite('a checkpoint of another run');

/** Fails unless a run with `options` refuses the good checkpoint, naming field and values. */
function names(options: RunOptions, field: string, text: RegExp): void {
  const run = start(options), before = save(run);
  const error = failsWith(() => restore(run, GOOD), CheckpointError, 'MISMATCH');
  assert.is(error.field, field);
  assert.match(error.message, text);
  sameBytes(save(run), before);
}

mismatch('is refused by a model of another shape', () => {
  names({ layers: 2 }, 'config', /numHiddenLayers 1 there, numHiddenLayers 2 now/);
  names({ preset: 'transformer' as Preset }, 'config', /weights b1 there, weights f32 now/);
  names({ config: { activationBits: 4 } }, 'config', /activationBits 8 there, activationBits 4/);
});

mismatch('is refused with other options', () => {
  names({ steps: STEPS + 1 }, 'options', /steps 6 there, steps 7 now/);
  names({ batch: 3 }, 'options', /batch 4 there, batch 3 now/);
  names({ accumulation: 2 }, 'options', /accumulation 1 there, accumulation 2 now/);
  names({ learningRate: 0.5 }, 'options', /learningRate \S+ there, learningRate 0.5 now/);
  names({ seed: 1 }, 'options', /seed 0 there, seed 1 now/);
});

mismatch('is refused with other text', () => {
  names({ text: TINY_TEXT.replace('a', 'e') }, 'data', /another data: [0-9a-f]{8}-\d+-\d+ there/);
  names({ text: TINY_TEXT.slice(0, -1) }, 'data', /another data/);
  const bpe = { tokenizer: 'bpe', vocabSize: 280 } as const;
  const run = start(bpe), other = start({ ...bpe, text: [...TINY_TEXT].reverse().join('') });
  const error = failsWith(() => restore(other, save(run)), CheckpointError, 'MISMATCH');
  assert.is(error.field, 'tokenizer');
  assert.not.match(error.message, /\[object/);
});

mismatch.run();

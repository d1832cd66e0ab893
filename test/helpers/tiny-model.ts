/**
 * Models small enough to be trained inside a test: one layer of width 32 on 20,000 characters.
 * @module
 */
import * as assert from 'uvu/assert';
import { generateStories } from '../../src/corpus/stories.ts';
import { BitNet } from '../../src/model/bitnet.ts';
import type { BitNetConfig } from '../../src/model/config.ts';
import { encodeModel } from '../../src/model/file.ts';
import type { Role } from '../../src/model/tensors.ts';
import { TrainedWeights } from '../../src/model/weights.ts';
import { Rng } from '../../src/rng.ts';
import type { Run, RunOptions, TextRunOptions } from '../../src/train/run.ts';
import { prepareRun } from '../../src/train/run.ts';
import { embeddedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';
import { bitsOf } from './close.ts';

/** What every tiny run learns from. Plain ASCII, about 50 different characters. */
export const TINY_TEXT = generateStories({ seed: 1, characters: 20_000 });

/** A run of a quarter of a second. */
export const TINY: TextRunOptions = {
  text: TINY_TEXT, tokenizer: 'chars', layers: 1, heads: 2, width: 32, context: 16, batch: 4,
  steps: 8,
};

export const newEngine = (maxMemory?: number): Engine =>
  new Engine({ module: embeddedModule(), maxMemory });

/** A tiny run that is ready to start, in an engine of its own unless one is given. */
export const tinyRun = (options: RunOptions = {}, engine: Engine = newEngine()): Run =>
  prepareRun(engine, { ...TINY, ...options, text: options.text ?? TINY.text });

/** Steps until `step` steps are done, or to the end. */
export function trainTo({ trainer }: Run, step = Infinity): void {
  while (!trainer.done && trainer.stepsDone < step) trainer.step();
}

/** The model file of a run as it is now. */
export const modelBytes = ({ trainer, tokenizer }: Run): Uint8Array =>
  encodeModel(trainer.model, trainer.weights, tokenizer.toJson());

/** The file of a tiny model after a few steps. */
export function tinyModel(options: RunOptions = {}): Uint8Array {
  const run = tinyRun({ steps: 3, ...options });
  trainTo(run);
  return modelBytes(run);
}

/** A random value for a role: none near 0; a scale of inputs that clips some. */
export const randomValue = (role: Role, rng: Rng): number =>
  (role === 'scale' ? 0.02 : role === 'norm' ? 1 + 0.2 * rng.nextNormal() : 0.3 * rng.nextNormal());

/** A model with random weights, none of them near 0. */
export function randomModel(
  config: BitNetConfig, engine: Engine = newEngine(), seed = 3,
): { model: BitNet; weights: TrainedWeights } {
  const weights = new TrainedWeights(engine, config), rng = new Rng(seed);
  for (const { name, rows, cols, role } of weights.specs) {
    const values = engine.f32(weights.parameter(name).value.ptr, rows * cols);
    for (let i = 0; i < values.length; i++) values[i] = randomValue(role, rng);
  }
  return { model: new BitNet(config, weights), weights };
}

/** Fails unless both are the same bytes; says where they differ, not what they are. */
export function sameBytes(actual: Uint8Array, expected: Uint8Array, label = 'bytes'): void {
  assert.is(actual.length, expected.length, `length of ${label}`);
  for (let i = 0; i < expected.length; i++)
    if (actual[i] !== expected[i])
      assert.unreachable(`${label} differ at ${i}: ${actual[i]}, expected ${expected[i]}`);
}

/** Whether both have the same bits. */
export function equalBits(a: Float32Array, b: Float32Array): boolean {
  const x = bitsOf(a), y = bitsOf(b);
  return x.length === y.length && x.every((bits, i) => bits === y[i]);
}

/**
 * What every engine trains: one network from the same first weights, on the same batches, with the same
 * AdamW. Written into a folder, which the engines read; whoever computes the same has the same losses.
 *
 *   lesson.json    sizes, options of AdamW, and [name, offset, rows, cols] of every tensor
 *   weights.bin    f32, all tensors
 *   windows.bin    i32[steps, batch, context + 1]: ids, each of which the next follows
 *
 * The network is the preset `transformer` with learned positions, which cost the other engines less than
 * rotary ones: pre-norm, LayerNorm without bias, GELU (tanh), no bias anywhere, head of its own.
 * @module
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BitNetConfig, Preset } from '../../../src/model/config.ts';
import { presetConfig } from '../../../src/model/config.ts';
import { drawBatch } from '../../../src/train/data.ts';
import type { TrainingOptions } from '../../../src/train/options.ts';
import { trainingOptions } from '../../../src/train/options.ts';
import { Trainer } from '../../../src/train/trainer.ts';
import type { Engine } from '../../../src/wasm/engine.ts';
import { BATCH, SIZE, trainingTokens } from '../../training.ts';

/** Steps whose losses are compared. */
export const CHECKED = 8;
/** Batches of the lesson; they come again after so many. */
const WINDOWS = 64;
/** A constant rate, so that nobody has a schedule to follow. */
const CONSTANT = { learningRate: 1e-3, warmupSteps: 0, finalShare: 1, schedule: 'polynomial' } as const;

/** lesson.json. */
export interface Lesson {
  readonly vocabSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly width: number;
  readonly context: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** On matrices, not on norms. */
  readonly weightDecay: number;
  /** Largest norm of all gradients together. */
  readonly clipNorm: number;
  readonly tensors: readonly (readonly [name: string, at: number, rows: number, cols: number])[];
}

/** A trainer of a preset at the size of the lesson. */
export function trainerOf(
  engine: Engine, preset: Preset, overrides: Partial<BitNetConfig> = {},
): Trainer {
  const config = presetConfig(preset, SIZE, overrides), tokens = trainingTokens();
  const options = trainingOptions(config, { steps: 1e6, batch: BATCH, ...CONSTANT });
  return new Trainer(engine, config, { train: tokens, validation: tokens }, options);
}

const lessonOf = ({ weights, options }: Trainer): Lesson => {
  const { batch, learningRate, beta1, beta2, epsilon, weightDecay, clipNorm }: TrainingOptions = options;
  return {
    ...SIZE, batch, learningRate, beta1, beta2, epsilon, weightDecay, clipNorm,
    tensors: weights.specs.map(({ name, rows, cols }) => [name, weights.offsetOf(name), rows, cols]),
  };
};

/** Writes the lesson to a new folder and trains it a few steps here: the losses that others must have. */
export function writeLesson(engine: Engine): { folder: string; losses: number[] } {
  const folder = mkdtempSync(join(tmpdir(), 'onebit-lesson-'));
  const trainer = trainerOf(engine, 'transformer', { positionEmbedding: 'learned' });
  const { weights, dataset, rng } = trainer, first = rng.state;
  writeFileSync(join(folder, 'lesson.json'), JSON.stringify(lessonOf(trainer)));
  writeFileSync(join(folder, 'weights.bin'), engine.f32(weights.values, weights.count).slice());
  const rows = Array.from({ length: WINDOWS }, () => windowsOf(dataset.train, rng)).flat();
  writeFileSync(join(folder, 'windows.bin'), Int32Array.from(rows));
  rng.state = first;
  const losses = Array.from({ length: CHECKED }, () => trainer.step().loss);
  trainer.dispose();
  return { folder, losses };
}

/** Ids of one batch, each row with the id that follows its last. */
function windowsOf(tokens: Uint32Array, rng: Trainer['rng']): number[] {
  const { ids, targets } = drawBatch(tokens, BATCH, SIZE.context, rng);
  return Array.from({ length: BATCH }, (_, b) => {
    const row = [...ids.subarray(b * SIZE.context, (b + 1) * SIZE.context)];
    return [...row, targets[(b + 1) * SIZE.context - 1]];
  }).flat();
}

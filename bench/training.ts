/**
 * Training steps at the size of nanoGPT's CPU configuration: 4 layers, 4 heads, width 128,
 * context 64, batch 12, 65 characters.
 * @module
 */
import { PRESETS, presetConfig } from '../src/model/config.ts';
import { trainingOptions } from '../src/train/options.ts';
import { Trainer } from '../src/train/trainer.ts';
import type { Engine } from '../src/wasm/engine.ts';
import type { Case } from './case.ts';

/** The size of the network. */
export const SIZE = { vocabSize: 65, layers: 4, heads: 4, width: 128, context: 64 };
/** Sequences a step. */
export const BATCH = 12;
/** More steps than any timing needs. */
const STEPS = 1_000_000;

/** Ids to train on: any, but not all alike. */
export const trainingTokens = (): Uint32Array =>
  Uint32Array.from({ length: 20_000 }, (_, i) => (i * i + (i >> 3)) % SIZE.vocabSize);

export function trainingCases(engine: Engine): Case[] {
  const tokens = trainingTokens();
  return PRESETS.map((preset) => {
    const config = presetConfig(preset, SIZE);
    const options = trainingOptions(config, { steps: STEPS, batch: BATCH });
    const trainer = new Trainer(engine, config, { train: tokens, validation: tokens }, options);
    const run = (): void => {
      if (!(trainer.step().loss > 0)) throw new Error(`${preset}: the loss is not positive`);
    };
    return {
      kernel: 'training step', shape: `${preset}, ${BATCH} × ${SIZE.context} tokens`, variant: '',
      unit: 'tokens/s', work: BATCH * SIZE.context, run,
    };
  });
}

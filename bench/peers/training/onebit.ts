/**
 * onebit itself: a preset, or the lesson's network.
 * @module
 */
import { allowRelaxedSimd } from '../../../src/cli/relaxed-simd.ts';
import { createEngine } from '../../../src/index.ts';
import type { Preset } from '../../../src/model/config.ts';
import { trainerOf } from './lesson.ts';
import { serve } from './serve.ts';

await serve(async ({ threads, preset }) => {
  allowRelaxedSimd(); // as the onebit command does
  const engine = createEngine({ threads });
  const trainer = trainerOf(engine, preset as Preset);
  return {
    engine: `onebit ${preset}, ${engine.info.build}`,
    step: () => trainer.step().loss,
  };
});

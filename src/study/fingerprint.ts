/**
 * A name for what the code computes: the checksum of a few training steps of tiny models.
 *
 * Finished runs are kept under it. A change of the code that changes any number of training gives
 * another name, and the runs are done again; a change of words in a comment does not.
 * @module
 */
import { crc32 } from '../io/crc32.ts';
import { PRESETS, presetConfig } from '../model/config.ts';
import { encodeCheckpoint } from '../train/checkpoint.ts';
import { trainingOptions } from '../train/options.ts';
import { Trainer } from '../train/trainer.ts';
import type { Engine } from '../wasm/engine.ts';
import { storyData } from './story-data.ts';

/** Changed by hand when a record of a run gets other fields. */
const RECORD_VERSION = 1;
const STEPS = 3;

/** Eight hexadecimal digits. Takes some tenths of a second. */
export function fingerprint(engine: Engine): string {
  const { tokenizer, dataset } = storyData(300, 20_000);
  let checksum = RECORD_VERSION;
  for (const preset of PRESETS) {
    const size = { vocabSize: tokenizer.vocabSize, layers: 1, heads: 2, width: 32, context: 32 };
    const config = presetConfig(preset, size);
    const trainer = new Trainer(engine, config, dataset, trainingOptions(config, { steps: STEPS, batch: 2 }));
    while (!trainer.done) trainer.step();
    checksum = crc32(encodeCheckpoint(trainer, tokenizer.toJson()), checksum);
    trainer.dispose();
  }
  return checksum.toString(16).padStart(8, '0');
}

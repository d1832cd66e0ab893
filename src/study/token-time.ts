/**
 * The time that our own kernels take for one token, measured: the column that no count gives.
 *
 * Models of random weights do: what is multiplied takes no longer or shorter for its values.
 * @module
 */
import { checkInteger } from '../check.ts';
import { BitNet } from '../model/bitnet.ts';
import type { BitNetConfig, ModelSize, Preset } from '../model/config.ts';
import { PRESETS, presetConfig } from '../model/config.ts';
import { parameterCount } from '../model/tensors.ts';
import { TrainedWeights } from '../model/weights.ts';
import { Rng } from '../rng.ts';
import { initialize } from '../train/initialize.ts';
import type { Engine } from '../wasm/engine.ts';
import { readRecord, runKey, writeRecord } from './store.ts';
import type { StudyContext } from './study.ts';
import type { Table } from './table.ts';
import { tokenWork } from './token-work.ts';

/**
 * Median time of decoding a token, in the unit of the clock.
 *
 * @param tokens decoded from an empty cache, at most the model's context
 * @param now a clock: `() => performance.now()`
 */
export function tokenTime(model: BitNet, tokens: number, now: () => number): number {
  checkInteger('tokenTime', 'tokens', tokens, 1, model.config.maxPositionEmbeddings);
  const cache = model.createCache(tokens);
  try {
    const times = Array.from({ length: tokens }, () => {
      const start = now();
      model.logits([0], { cache, last: true });
      return now() - start;
    });
    return times.sort((a, b) => a - b)[tokens >> 1];
  } finally {
    cache.dispose();
  }
}

/** A default run on the stories; and a model whose weights outweigh vocabulary and caches. */
const SIZES: readonly ModelSize[] = [
  { vocabSize: 1024, layers: 2, heads: 4, width: 128, context: 128 },
  { vocabSize: 1024, layers: 6, heads: 6, width: 384, context: 128 },
];

/** The table of times from the store of a study, or measured: what was reported is reported again. */
export async function measuredTimes({ engine, store, fingerprint, clock }: StudyContext): Promise<Table[]> {
  if (!clock) return [];
  const { build, threads } = engine.info;
  const key = runKey('token-time', [SIZES, build, threads], fingerprint);
  const table = await readRecord<Table>(store, key) ?? timeTable(engine, clock);
  await writeRecord(store, key, table);
  return [table];
}

/** Time for a token on this machine, in ms of `now`, beside the bytes that it reads. */
export function timeTable(engine: Engine, now: () => number, sizes = SIZES): Table {
  const { build, threads } = engine.info;
  return {
    name: 'token-time',
    title: `Time of our kernels for one token, measured on this machine (${build}, threads: ${threads})`,
    columns: [
      { title: 'model' }, { title: 'weights' }, { title: 'weights read', unit: 'B' },
      { title: 'time', unit: 'ms', decimals: 3 }, { title: 'float time over it', decimals: 2 }],
    rows: sizes.flatMap((size) => {
      const float = measured(engine, 'transformer', size, now);
      return PRESETS_FLOAT_FIRST.map((preset) => {
        const { config, time } = preset === 'transformer' ? float : measured(engine, preset, size, now);
        return [
          `${preset}, ${size.layers} layers of ${size.width}`, parameterCount(config),
          tokenWork(config, size.context >> 1).weightBytes, time, float.time / time];
      });
    }),
  };
}

const PRESETS_FLOAT_FIRST: readonly Preset[] =
  ['transformer', ...PRESETS.filter((preset) => preset !== 'transformer')];

function measured(
  engine: Engine, preset: Preset, size: ModelSize, now: () => number,
): { config: BitNetConfig; time: number } {
  const config = presetConfig(preset, size, { tieWordEmbeddings: true });
  const weights = new TrainedWeights(engine, config);
  initialize(weights, size.layers, new Rng(0));
  const model = new BitNet(config, weights);
  try {
    model.prepare();
    return { config, time: tokenTime(model, size.context, now) };
  } finally {
    model.dispose();
  }
}

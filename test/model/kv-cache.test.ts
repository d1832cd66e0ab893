// The element types of the cache: how far logits move, memory, and bits that do not depend on how
// the sequence was cut into calls.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BitNet } from '../../src/model/bitnet.ts';
import { PRESETS, presetConfig } from '../../src/model/config.ts';
import type { KvCacheType } from '../../src/ops/cached-attention.ts';
import { KV_CACHE_TYPES } from '../../src/ops/cached-attention.ts';
import { generate } from '../../src/sample/generate.ts';
import { sameBits } from '../helpers/close.ts';
import { randomI32 } from '../helpers/random.ts';
import { throwsA } from '../helpers/throws.ts';
import { randomModel, tinyRun, trainTo } from '../helpers/tiny-model.ts';

const V = 13, T = 40;

/** Heads of 12 and 20: no multiples of 8 or 16; 5 heads, of which 2 or 1 are key heads. */
const MODELS = [[24, 2, 1], [80, 4, 2]].flatMap(([width, heads, kvHeads]) =>
  PRESETS.map((preset) => randomModel(presetConfig(
    preset, { vocabSize: V, layers: 2, heads, width, context: T }, { numKeyValueHeads: kvHeads })).model));

const IDS = randomI32(T, 1, 0, V - 1);

const cuts = suite('a cache of f16 or i8');

for (const type of ['f16', 'i8'] as const)
  cuts(`gives the same bits in any chunks: ${type}`, () => {
    for (const model of MODELS) {
      const run = (ends: readonly number[]): Float32Array => {
        const cache = model.createCache(T, type), all = new Float32Array(T * V);
        let at = 0;
        for (const end of ends) {
          all.set(model.logits(IDS.subarray(at, end), { cache }), at * V);
          at = end;
        }
        cache.dispose();
        return all;
      };
      const whole = run([T]);
      for (const ends of [[1, T], [5, 6, 17, T], [32, 33, T], [...IDS.keys()].map((i) => i + 1)])
        sameBits(run(ends), whole, `cut at ${ends.join(', ')}`);
    }
  });

cuts('takes a half, and a quarter with 4 bytes a position and head, of the memory of f32', () => {
  const model = MODELS[3], [f32, f16, i8] = KV_CACHE_TYPES.map((type) => {
    const before = model.engine.heap.usedBytes, cache = model.createCache(T, type);
    const { bytes } = cache;
    assert.is(model.engine.heap.usedBytes - before, bytes);
    cache.dispose();
    assert.is(model.engine.heap.usedBytes, before);
    return bytes;
  });
  assert.is(f32, 2 * 2 * T * 40 * 4);
  assert.is(f16, f32 / 2);
  assert.is(i8, f32 / 4 + 2 * 2 * T * 2 * 4);
});

cuts('refuses other types', () => {
  throwsA(() => MODELS[0].createCache(4, 'f8' as KvCacheType), RangeError,
    'createCache: "type" expected f32, f16, i8, got "f8"');
});

cuts.run();

const accuracy = suite('logits through a cache');

/** Largest and root mean square difference from the f32 cache, relative to the deviation of logits. */
function difference(model: BitNet, ids: ArrayLike<number>, type: KvCacheType): [number, number] {
  const exact = model.logits(ids), cache = model.createCache(ids.length, type);
  const found = model.logits(ids, { cache });
  cache.dispose();
  const rms = (x: Float32Array): number => Math.sqrt(x.reduce((s, v) => s + v * v, 0) / x.length);
  const mean = exact.reduce((s, v) => s + v, 0) / exact.length;
  const deviation = rms(exact.map((v) => v - mean)), error = found.map((v, i) => v - exact[i]);
  return [error.reduce((m, v) => Math.max(m, Math.abs(v)), 0) / deviation, rms(error) / deviation];
}

/** Bounds on both, three times what was measured. Activations of 8 bits amplify: a code can flip. */
const BOUNDS: Record<'f16' | 'i8', readonly [number, number]> = { f16: [0.03, 0.003], i8: [0.08, 0.012] };

for (const preset of PRESETS)
  accuracy(`of a trained ${preset} stay near those of f32`, () => {
    const run = tinyRun({ preset, steps: 60, context: 64 });
    trainTo(run);
    const { model, dataset } = run.trainer, ids = dataset.validation.subarray(0, 64);
    assert.equal(difference(model, ids, 'f32'), [0, 0]);
    for (const type of ['f16', 'i8'] as const) {
      const [most, rms] = difference(model, ids, type);
      assert.ok(rms > 0, `${type} rounds`);
      assert.ok(most < BOUNDS[type][0] && rms < BOUNDS[type][1], `${type}: ${most}, ${rms}`);
    }
  });

accuracy('decide what `generate` writes, and its option reaches them', async () => {
  const run = tinyRun({ steps: 60, context: 32 });
  trainTo(run);
  const write = async (kvCacheType?: KvCacheType): Promise<string> => {
    let text = '';
    const options = { seed: 1, maxTokens: 80, kvCacheType };
    for await (const piece of generate(run.trainer.model, run.tokenizer, 'One', options)) text += piece;
    return text;
  };
  assert.is(await write('f32'), await write());
  assert.is.not(await write('i8'), await write());
});

accuracy.run();

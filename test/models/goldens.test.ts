// Logits against those that llama.cpp computes for the same files and ids; see goldens/README.md.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createEngine } from '../../src/index.ts';
import { bytesSource } from '../../src/io/byte-source.ts';
import type { Activations } from '../../src/models/gguf-plan.ts';
import { openGguf } from '../../src/models/open-gguf.ts';
import { models as recorded } from '../goldens/index.json';
import { GOLDEN_IDS as tokens, goldenFile } from './golden-files.ts';

interface Golden {
  readonly n_vocab: number;
  readonly logits_file: string;
  readonly argmax: readonly number[];
  readonly greedy32: readonly number[];
}

const models: Readonly<Record<string, Golden>> = recorded;

/** How far logits may be from llama.cpp's: sums in another order; and, from floats, by quantizing. */
const QUANTIZED = 5e-3, FLOAT = 1e-3;

async function logitsOf(file: string, activations?: Activations): Promise<Float32Array> {
  using engine = createEngine({ threads: 1 });
  const { model } = await openGguf(engine, bytesSource(goldenFile(file)), { activations }, file);
  return model.logits(tokens);
}

const goldenOf = (name: string): Float32Array =>
  new Float32Array(goldenFile(models[name].logits_file).buffer);

function largestDifference(a: Float32Array, b: Float32Array): number {
  assert.is(a.length, b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}

/** The best token of every position. */
const bestTokens = (logits: Float32Array, vocab: number): number[] =>
  Array.from({ length: logits.length / vocab }, (_, i) => {
    const row = logits.subarray(i * vocab, (i + 1) * vocab);
    return row.indexOf(Math.max(...row));
  });

const test = suite('goldens');

for (const [file, activations, name, bound] of [
  ['qwen3-tiny-q1_0.gguf', 'q8_0', 'qwen3-tiny-q1_0', QUANTIZED],
  ['bitnet-tiny-tq2_0.gguf', 'q8_k', 'bitnet-tiny-tq2_0', QUANTIZED],
  ['qwen3-tiny-q1_0.gguf', 'f32', 'qwen3-tiny-f32', FLOAT],
  ['bitnet-tiny-tq2_0.gguf', 'f32', 'bitnet-tiny-f32', FLOAT],
  ['llama-tiny-f32.gguf.gz', undefined, 'llama-tiny-f32', FLOAT],
] as const)
  test(`${file}, ${activations}: every best token is llama.cpp's, logits within ${bound}`, async () => {
    const ours = await logitsOf(file, activations), theirs = goldenOf(name);
    const largest = largestDifference(ours, theirs);
    assert.ok(largest <= bound, `${largest}`);
    assert.equal(bestTokens(ours, models[name].n_vocab), models[name].argmax);
  });

for (const name of ['qwen3-tiny', 'bitnet-tiny'])
  test(`${name}: activations as onebit quantizes them err no more than llama.cpp's`, async () => {
    const file = name === 'qwen3-tiny' ? 'qwen3-tiny-q1_0' : 'bitnet-tiny-tq2_0';
    const exact = goldenOf(`${name}-f32`), ours = await logitsOf(`${file}.gguf`);
    const error = (logits: Float32Array): number =>
      Math.sqrt(logits.reduce((sum, value, i) => sum + (value - exact[i]) ** 2, 0) / logits.length);
    const own = error(ours), theirs = error(goldenOf(file));
    console.log(`${name}: RMS ${own.toFixed(4)}, llama.cpp ${theirs.toFixed(4)}; largest ${
      largestDifference(ours, exact).toFixed(3)}, ${largestDifference(goldenOf(file), exact).toFixed(3)}`);
    assert.ok(largestDifference(ours, exact) <= 0.18, `${largestDifference(ours, exact)}`);
  });

test('greedy continuation over a cache of floats is llama.cpp\'s', async () => {
  using engine = createEngine({ threads: 2 });
  for (const [name, activations] of [['qwen3-tiny-q1_0', 'q8_0'], ['bitnet-tiny-tq2_0', 'q8_k']] as const) {
    const { model } = await openGguf(engine, bytesSource(goldenFile(`${name}.gguf`)), { activations });
    const cache = model.createCache(tokens.length + 32), written: number[] = [];
    for (let next = tokens; written.length < 32; next = written.slice(-1)) {
      const logits = model.logits(next, { cache, last: true });
      written.push(logits.indexOf(Math.max(...logits)));
    }
    assert.equal(written, models[name].greedy32, name);
    model.dispose();
  }
});

test.run();

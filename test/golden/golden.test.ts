/**
 * Golden models: what ten steps of training, a forward pass and 200 sampled tokens gave when it was
 * recorded. A difference of one bit in any kernel, in the order of a sum or in the generator of
 * random numbers shows here, on every runtime.
 *
 * To record anew after a wanted change: run the test with ONEBIT_RECORD=1 and copy what it prints
 * into `recorded.ts`.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { crc32 } from '../../src/io/crc32.ts';
import { PRESETS } from '../../src/model/config.ts';
import { encodeModel } from '../../src/model/file.ts';
import { generate } from '../../src/sample/generate.ts';
import { prepareRun } from '../../src/train/run.ts';
import { withStories } from '../../src/train/story-run.ts';
import { embeddedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';
import type { Recorded } from './recorded.ts';
import { RECORDED } from './recorded.ts';

const STEPS = 10;
const TOKENS = 200;

const digest = (data: Float32Array | Uint8Array | Uint32Array): string =>
  crc32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)).toString(16).padStart(8, '0');

async function measure(preset: (typeof PRESETS)[number]): Promise<Recorded> {
  const run = prepareRun(new Engine({ module: embeddedModule() }), await withStories({
    preset, tokenizer: 'bytes', layers: 2, heads: 2, width: 48, context: 32, batch: 4, steps: STEPS,
    seed: 7,
  }));
  const { trainer, tokenizer } = run;
  const losses = Array.from({ length: STEPS }, () => trainer.step().loss);
  const { model, weights } = trainer;
  const { engine, gradients, count } = weights;
  const { train } = trainer.dataset;
  const ids = train.slice(0, 32), targets = train.slice(1, 33);
  model.lossesAndGradients(ids, targets, 1, 1 / 32);
  const gradientDigest = digest(engine.f32(gradients, count));
  const logits = digest(model.logits(ids));
  return {
    losses, gradients: gradientDigest, logits, text: await write(run),
    file: digest(encodeModel(model, weights, tokenizer.toJson())),
  };
}

/** What the trained model writes after "One", text longer than its context. */
async function write({ trainer, tokenizer }: ReturnType<typeof prepareRun>): Promise<string> {
  let text = '';
  const options = { seed: 3, temperature: 1, topK: 40, topP: 0.95, maxTokens: TOKENS };
  for await (const piece of generate(trainer.model, tokenizer, 'One', options)) text += piece;
  return digest(new TextEncoder().encode(text));
}

const test = suite('golden model');

for (const preset of PRESETS) {
  test(`${preset} gives the recorded losses, gradients, logits, text and file`, async () => {
    const found = await measure(preset);
    if (globalThis.process?.env.ONEBIT_RECORD) console.log(`\nRECORD '${preset}': ${JSON.stringify(found)}`);
    else assert.equal(found, RECORDED[preset]);
  });
}

test.run();

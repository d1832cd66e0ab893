/** What training reaches: a defect that costs quality but breaks no rule shows only here. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { generateStories, storyEntropy, unknownWords } from '../../src/corpus/stories.ts';
import { createEngine, evaluate, load, train } from '../../src/index.ts';
import type { Preset } from '../../src/index.ts';

/** Steps of the default run on stories, a third of what `npm start` does. */
const STEPS = 500;

/** Nats per token that each preset is below after STEPS steps, with a margin of 0.1. */
const REACHED: Readonly<Record<Preset, number>> = {
  'bitnet': 1.9, 'bitnet-b1.58': 1.8, 'transformer': 1.6,
};

const quality = suite('training on the stories');

for (const [preset, bound] of Object.entries(REACHED) as [Preset, number][]) {
  quality(`brings ${preset} below ${bound} nats a token in ${STEPS} steps`, async () => {
    const engine = createEngine();
    const { model, validation } = await train({ engine, preset, steps: STEPS });
    assert.ok(validation.loss < bound, `${validation.loss} nats`);
    assert.ok(validation.loss > storyEntropy().natsPerCharacter, 'below the entropy is impossible');
    model.dispose();
    engine.dispose();
  });
}

quality('of the default run comes within 0.08 nats of the entropy, and it writes words', async () => {
  const { model, validation } = await train();
  const perCharacter = model.evaluate(generateStories({ seed: 99, characters: 100_000 })).natsPerByte;
  assert.ok(perCharacter < storyEntropy().natsPerCharacter + 0.08, `${perCharacter} nats`);
  assert.ok(validation.loss < 1.1, `${validation.loss} nats a token`);
  for (const seed of [1, 2, 3]) {
    let text = 'Once upon a time,';
    const options = { maxTokens: 220, temperature: 0.7, minP: 0.1, stop: '\n', seed };
    for await (const piece of model.generate(text, options)) text += piece;
    assert.equal(unknownWords(text), [], text);
  }
  model.dispose();
});

quality('packs a model whose loss is the trainer\'s own, bit for bit', async () => {
  const engine = createEngine();
  const { bytes, model, validation } = await train({ engine, steps: 20 });
  const again = await load(bytes);
  const ids = Uint32Array.from({ length: 5000 }, (_, i) => (i * 7) % model.tokenizer.vocabSize);
  assert.is(evaluate(again.model, ids).loss, evaluate(model.model, ids, { batch: 3 }).loss);
  assert.ok(validation.loss > 0);
  again.dispose();
  engine.dispose();
});

quality.run();

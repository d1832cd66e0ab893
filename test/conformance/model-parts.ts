/**
 * Text, tokenizers, models: training, files, logits, sampling, from end to end.
 * @module
 */
import { generateStories, storyEntropy } from '../../src/corpus/stories.ts';
import type { Preset } from '../../src/model/config.ts';
import { PRESETS } from '../../src/model/config.ts';
import { encodeModel } from '../../src/model/file.ts';
import type { GenerateOptions } from '../../src/sample/generate.ts';
import { openLanguageModel } from '../../src/sample/language-model.ts';
import { createTokenizer, tokenizerFromJson } from '../../src/tokenizer/tokenizer.ts';
import { prepareRun } from '../../src/train/run.ts';
import type { Bench, Part } from './part.ts';

const TEXT = { seed: 5, characters: 30_000 };
/** What no story contains: other scripts, emoji of several code points, white space, controls. */
const FOREIGN = 'Naïve café – 数学 ½ ≠ 0.5\r\n\tthe 👩‍👩‍👧‍👦 said “hello”…  1234567 \u0000 ﬁ İ ß';

const stories: Part = {
  name: 'stories',
  run({ digest }) {
    const { natsPerStory, charactersPerStory, natsPerCharacter } = storyEntropy();
    digest.text(generateStories(TEXT)).numbers([natsPerStory, charactersPerStory, natsPerCharacter]);
  },
};

const tokenizers: Part = {
  name: 'tokenizers',
  run({ digest }) {
    const text = generateStories(TEXT);
    for (const [kind, vocabSize] of [['bpe', 700], ['chars', 0], ['bytes', 0]] as const) {
      const tokenizer = createTokenizer(kind, kind === 'chars' ? text + FOREIGN : text, { vocabSize });
      const json = tokenizer.toJson();
      digest.text(json);
      for (const sample of [text, FOREIGN]) {
        const ids = tokenizerFromJson(json).encode(sample);
        digest.bytes(ids).text(tokenizer.decode(ids));
      }
    }
  },
};

const SAMPLING: readonly GenerateOptions[] = [
  { temperature: 0 }, { temperature: 1, seed: 1 }, { temperature: 0.7, topK: 20, seed: 2 },
  { temperature: 1.3, topP: 0.9, seed: 3 }, { temperature: 1, minP: 0.05, seed: 4 },
  { temperature: 0.9, repetitionPenalty: 1.2, topK: 40, topP: 0.95, seed: 5, kvCacheType: 'i8' },
  { temperature: 1, seed: 6, kvCacheType: 'f16' },
];

const STEPS = 50;
const TOKENS = 64;

/** 50 steps of training, then file, logits and text of the packed model. */
const model = (preset: Preset): Part => ({
  name: preset,
  async run({ engine, digest }: Bench) {
    const { trainer, tokenizer } = prepareRun(engine, {
      text: generateStories(TEXT), preset, tokenizer: 'bpe', vocabSize: 320, layers: 2, heads: 4,
      width: 64, context: 48, batch: 6, steps: STEPS, seed: 11,
    });
    while (!trainer.done) {
      const { loss, gradientNorm, learningRate } = trainer.step();
      digest.numbers([loss, gradientNorm, learningRate]);
      if (trainer.stepsDone % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    digest.numbers([trainer.validate().loss]);
    const bytes = encodeModel(trainer.model, trainer.weights, tokenizer.toJson());
    digest.bytes(bytes);
    for (const embeddings of ['f16', 'i8'] as const)
      digest.bytes(encodeModel(
        trainer.model, trainer.weights, tokenizer.toJson(), { embeddings }));
    trainer.dispose();
    const packed = openLanguageModel(engine, bytes);
    digest.floats(packed.model.logits(packed.tokenizer.encode('One cold morning, Tom lost')));
    for (const options of SAMPLING)
      for await (const piece of packed.generate('Once', { ...options, maxTokens: TOKENS }))
        digest.text(piece);
    packed.dispose();
  },
});

export const modelParts: readonly Part[] = [stories, tokenizers, ...PRESETS.map(model)];

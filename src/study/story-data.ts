/**
 * The text of the studies, as tokens: built-in stories, split for training and validation.
 * @module
 */
import { generateStories } from '../corpus/stories.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { createTokenizer } from '../tokenizer/tokenizer.ts';
import type { Dataset } from '../train/data.ts';
import { splitText } from '../train/data.ts';

export interface StoryData {
  readonly tokenizer: Tokenizer;
  readonly dataset: Dataset;
}

/** Seed of the text, the same for all runs: seeds of runs vary weights and order. */
const TEXT_SEED = 1;
/** Characters that the vocabulary is learned from: more changes no merge that matters. */
const VOCABULARY_CHARACTERS = 400_000;

/** The last text made: all runs of a study use the same. */
let last: { key: string; data: StoryData } | undefined;

/**
 * The stories as tokens. Kept until other ones are asked for.
 *
 * @param vocabSize tokens of the BPE vocabulary, at least 257
 * @param characters of text, about
 */
export function storyData(vocabSize: number, characters: number): StoryData {
  const key = `${vocabSize} ${characters}`;
  if (last?.key === key) return last.data;
  const text = splitText(generateStories({ seed: TEXT_SEED, characters }));
  const tokenizer = createTokenizer('bpe', text.train.slice(0, VOCABULARY_CHARACTERS), { vocabSize });
  const dataset = {
    train: tokenizer.encode(text.train), validation: tokenizer.encode(text.validation),
  };
  last = { key, data: { tokenizer, dataset } };
  return last.data;
}

/**
 * A training run on the built-in stories: their text and the sizes that suit it.
 *
 * The word lists are as large as half the library, so they are imported only when a run without a
 * text asks for them.
 * @module
 */
import type { RunOptions, TextRunOptions } from './run.ts';
import { withoutUndefined } from './options.ts';

/** What `RunOptions` default to on the stories. */
const DEFAULTS = {
  tokenizer: 'bpe', vocabSize: 1024, layers: 2, heads: 4, width: 128, context: 128, batch: 4,
  steps: 1500,
} as const;
/** With few layers, two tables of embeddings would be most of the file. */
const CONFIG = { tieWordEmbeddings: true } as const;

/** Characters of text: more than a default run reads once. */
const CHARACTERS = 4_000_000;
/** Its seed. The text is the same whatever the seed of the run. */
const SEED = 1;

/**
 * The options as they are if they have a text; otherwise with the built-in stories as their text
 * and defaults made for these.
 *
 * @example
 * prepareRun(engine, await withStories({ steps: 300 })).tokenizer.kind; // 'bpe'
 */
export async function withStories(options: RunOptions = {}): Promise<TextRunOptions> {
  if (options.text !== undefined) return options as TextRunOptions;
  const { generateStories } = await import('../corpus/stories.ts');
  return {
    ...DEFAULTS, ...withoutUndefined(options), config: { ...CONFIG, ...options.config },
    text: generateStories({ seed: SEED, characters: CHARACTERS }),
  };
}

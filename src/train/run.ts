/**
 * A training run from text to trainer: split, tokenizer, configuration, options.
 *
 * Without a text, the run is about the built-in stories and its default sizes are made for them;
 * with one, they are nanoGPT's for a CPU: characters, 4 layers of width 128, context 64, batch 12.
 * @module
 */
import { generateStories } from '../corpus/stories.ts';
import { TrainingError } from '../errors.ts';
import type { BitNetConfig, ModelSize, Preset } from '../model/config.ts';
import { presetConfig } from '../model/config.ts';
import type { Tokenizer, TokenizerKind } from '../tokenizer/tokenizer.ts';
import { createTokenizer } from '../tokenizer/tokenizer.ts';
import type { Engine } from '../wasm/engine.ts';
import { splitText } from './data.ts';
import type { TrainingOptions } from './options.ts';
import { trainingOptions, withoutUndefined } from './options.ts';
import { Trainer } from './trainer.ts';

/** Everything that can be chosen. All is optional. */
export interface RunOptions extends Partial<TrainingOptions> {
  /** What to train on; its last tenth is kept for validation. Default: the built-in stories. */
  readonly text?: string;
  /** Default `bitnet`. */
  readonly preset?: Preset;
  readonly tokenizer?: TokenizerKind;
  /** Tokens of a `bpe` tokenizer. */
  readonly vocabSize?: number;
  readonly layers?: number;
  readonly heads?: number;
  readonly width?: number;
  /** Longest sequence, in tokens. */
  readonly context?: number;
  /** Single fields of the configuration to replace. */
  readonly config?: Partial<BitNetConfig>;
}

/** Sizes that `RunOptions` default to. */
const OWN_TEXT = {
  tokenizer: 'chars', vocabSize: 1024, layers: 4, heads: 4, width: 128, context: 64, batch: 12,
  steps: 2000,
} as const;
const STORIES = {
  tokenizer: 'bpe', vocabSize: 1024, layers: 2, heads: 4, width: 128, context: 128, batch: 4,
  steps: 1500,
} as const;
/** With few layers, two tables of embeddings would be most of the file. */
const STORIES_CONFIG = { tieWordEmbeddings: true } as const;

/** Characters of built-in text: more than a default run reads once. */
const STORY_CHARACTERS = 4_000_000;
/** Its seed. The text is the same whatever the seed of the run. */
const STORY_SEED = 1;

/** A run that is ready to start. */
export interface Run {
  readonly trainer: Trainer;
  readonly tokenizer: Tokenizer;
  /** Whether the text is the built-in one, whose entropy is known. */
  readonly builtIn: boolean;
}

/**
 * @throws {TrainingError} BAD_DATA if the text is empty or too short; BAD_CONFIG
 * @throws {TokenizerError} If the tokenizer cannot be made from the text.
 * @throws {EngineError} OUT_OF_MEMORY
 */
export function prepareRun(engine: Engine, options: RunOptions = {}): Run {
  const { text: given, preset = 'bitnet', config: overrides, ...chosen } = options;
  const builtIn = given === undefined;
  if (given === '') throw new TrainingError('BAD_DATA', 'the text is empty');
  const text = given ?? generateStories({ seed: STORY_SEED, characters: STORY_CHARACTERS });
  const { tokenizer: kind, vocabSize, layers, heads, width, context, ...training } =
    { ...(builtIn ? STORIES : OWN_TEXT), ...withoutUndefined(chosen) };
  const { train, validation } = splitText(text);
  const tokenizer = createTokenizer(kind, kind === 'chars' ? text : train, { vocabSize });
  const size = { vocabSize: tokenizer.vocabSize, layers, heads, width, context };
  const config = makeConfig(preset, size, { ...(builtIn && STORIES_CONFIG), ...overrides });
  const dataset = { train: tokenizer.encode(train), validation: tokenizer.encode(validation) };
  const trainer = new Trainer(engine, config, dataset, trainingOptions(config, training));
  return { trainer, tokenizer, builtIn };
}

function makeConfig(
  preset: Preset, size: ModelSize, overrides?: Partial<BitNetConfig>,
): BitNetConfig {
  try {
    return presetConfig(preset, size, overrides);
  } catch (cause) {
    throw new TrainingError('BAD_CONFIG', (cause as Error).message, { cause });
  }
}

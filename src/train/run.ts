/**
 * A training run from text to trainer: split, tokenizer, configuration, options.
 *
 * Default sizes are nanoGPT's for a CPU: characters, 4 layers of width 128, context 64, batch 12.
 * Runs on the built-in stories have their own: see `story-run.ts`.
 * @module
 */
import { checkString } from '../check.ts';
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
  /** What to train on; its last tenth is kept for validation. */
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

/** Options that have a text. */
export type TextRunOptions = RunOptions & { readonly text: string };

/** What `RunOptions` default to. */
const DEFAULTS = {
  tokenizer: 'chars', vocabSize: 1024, layers: 4, heads: 4, width: 128, context: 64, batch: 12,
  steps: 2000,
} as const;

/** A run that is ready to start. */
export interface Run {
  readonly trainer: Trainer;
  readonly tokenizer: Tokenizer;
}

/**
 * A run on `options.text`; `withStories` gives options without one the built-in stories.
 *
 * @throws {TypeError} If there is no text.
 * @throws {TrainingError} BAD_DATA if the text is empty or too short; BAD_CONFIG
 * @throws {TokenizerError} If the tokenizer cannot be made from the text.
 * @throws {EngineError} OUT_OF_MEMORY
 */
export function prepareRun(engine: Engine, options: TextRunOptions): Run {
  const { text, preset = 'bitnet', config: overrides, ...chosen } = options;
  checkString('prepareRun', 'text', text);
  if (text === '') throw new TrainingError('BAD_DATA', 'the text is empty');
  const { tokenizer: kind, vocabSize, layers, heads, width, context, ...training } =
    { ...DEFAULTS, ...withoutUndefined(chosen) };
  const { train, validation } = splitText(text);
  const tokenizer = createTokenizer(kind, kind === 'chars' ? text : train, { vocabSize });
  const size = { vocabSize: tokenizer.vocabSize, layers, heads, width, context };
  const config = makeConfig(preset, size, overrides);
  const dataset = { train: tokenizer.encode(train), validation: tokenizer.encode(validation) };
  const trainer = new Trainer(engine, config, dataset, trainingOptions(config, training));
  return { trainer, tokenizer };
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

/**
 * A model and its tokenizer: text in, text out.
 * @module
 */
import { checkString } from '../check.ts';
import { TokenizerError } from '../errors.ts';
import type { BitNet } from '../model/bitnet.ts';
import type { Evaluation } from '../model/evaluate.ts';
import { evaluate } from '../model/evaluate.ts';
import type { BuildOptions, ModelHeader } from '../model/file.ts';
import { buildModel, readModelHeader } from '../model/file.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { tokenizerFromJson } from '../tokenizer/tokenizer.ts';
import type { Engine } from '../wasm/engine.ts';
import type { EmbedOptions } from './embed.ts';
import { embed } from './embed.ts';
import type { GenerateOptions } from './generate.ts';
import { generate } from './generate.ts';
import { PromptCache } from './prompt-cache.ts';
import type { SessionDefaults } from './session.ts';
import { Session } from './session.ts';
import type { TextStream } from './text-stream.ts';

/** Loss on a text, in the units people compare. */
export interface TextEvaluation extends Evaluation {
  /** e^loss, per token. */
  readonly perplexity: number;
  /** Comparable between tokenizers. */
  readonly bitsPerByte: number;
  readonly natsPerByte: number;
}

/** Owns the memory of one model. */
export class LanguageModel {
  readonly model: BitNet;
  readonly tokenizer: Tokenizer;
  /** What earlier prompts left, for later ones. Its memory is the model's. */
  readonly promptCache: PromptCache;
  readonly #ownEngine?: Engine;

  /** @param ownEngine closed with the model: its workers end */
  constructor(model: BitNet, tokenizer: Tokenizer, ownEngine?: Engine) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.promptCache = new PromptCache(model);
    this.#ownEngine = ownEngine;
  }

  /**
   * Streams the text that follows `prompt`, text or token ids; see `generate`. A prompt that begins
   * as an earlier one did costs only what is new in it.
   */
  generate(prompt: string | ArrayLike<number>, options: GenerateOptions = {}): TextStream {
    return generate(this.model, this.tokenizer, prompt, options, this.promptCache);
  }

  /** What sessions of this model have unless they say otherwise. */
  protected sessionDefaults(): SessionDefaults {
    return {};
  }

  /** A text of its own that goes on over several calls, and can be saved. */
  session(): Session {
    return new Session(this.model, this.tokenizer, undefined, this.sessionDefaults());
  }

  /**
   * The session that `Session.save` made bytes of, with the same model, in whatever runtime.
   *
   * @throws {ModelFileError} If the bytes are damaged or something else.
   * @throws {CheckpointError} UNSUPPORTED_VERSION; MISMATCH for another model; CORRUPT
   */
  restore(saved: Uint8Array): Session {
    return new Session(this.model, this.tokenizer, saved, this.sessionDefaults());
  }

  /**
   * The embedding of a text, or of ids: f32[hiddenSize], of length 1 unless `normalize` is false.
   *
   * @throws {RangeError} If the text has no tokens, or an option is unknown; see `embed`.
   * @example
   * const vector = model.embed('A careful little girl', { pooling: 'mean' });
   */
  embed(text: string | ArrayLike<number>, options?: EmbedOptions): Float32Array {
    return embed(this.model, typeof text === 'string' ? this.tokenizer.encode(text) : text, options);
  }

  /** Loss on a text of at least two tokens; see `evaluate`. */
  evaluate(text: string): TextEvaluation {
    checkString('evaluate', 'text', text);
    const ids = this.tokenizer.encode(text);
    return inBytes(this.model, this.tokenizer, ids, evaluate(this.model, ids));
  }

  /** Gives the model's memory back, and closes the engine if it was made for this model. */
  dispose(): void {
    this.promptCache.dispose();
    this.model.dispose();
    this.#ownEngine?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** An evaluation of `ids` with its loss per byte of the text that was predicted. */
export function inBytes(
  { engine: { kernels } }: BitNet, tokenizer: Tokenizer, ids: Uint32Array, evaluation: Evaluation,
): TextEvaluation {
  const sizes = Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.tokenBytes(id).length);
  let bytes = 0;
  for (let i = 1; i <= evaluation.tokens; i++) bytes += sizes[ids[i]];
  const natsPerByte = evaluation.nats / bytes;
  return {
    ...evaluation, perplexity: kernels.exp(evaluation.loss), natsPerByte,
    bitsPerByte: natsPerByte / kernels.log(2),
  };
}

/**
 * The language model in a file's bytes.
 *
 * @param name the file, for messages
 * @param ownEngine whether `dispose` of the model closes the engine
 * @param options how embeddings and head are kept
 * @throws {ModelFileError} If the file is not a whole, valid model; see `readModelHeader`.
 * @throws {TokenizerError} VOCAB_MISMATCH if tokenizer and embedding differ in size.
 */
export function openLanguageModel(
  engine: Engine, bytes: Uint8Array, name?: string, ownEngine = false, options: BuildOptions = {},
): LanguageModel {
  const header: ModelHeader = readModelHeader(bytes, name);
  const tokenizer = tokenizerFromJson(header.tokenizer);
  const { vocabSize } = header.config;
  if (tokenizer.vocabSize !== vocabSize)
    throw new TokenizerError('VOCAB_MISMATCH',
      `the tokenizer has ${tokenizer.vocabSize} tokens, the embedding ${vocabSize} rows`,
      { file: name, expected: vocabSize, actual: tokenizer.vocabSize });
  const model = engine.run(() => buildModel(engine, header, name, options));
  return new LanguageModel(model, tokenizer, ownEngine ? engine : undefined);
}

/**
 * onebit without embedded kernels: the caller passes a compiled `WebAssembly.Module`, as edge
 * runtimes require. `onebit` is this with the kernels embedded.
 *
 * @example
 * import wasm from 'onebit/kernels.wasm';
 * import { createEngine, load } from 'onebit/core';
 * const model = await load(bytes, { engine: createEngine({ module: wasm }) });
 * @module
 */
import { HostTurn } from './host-turn.ts';
import type { Evaluation } from './model/evaluate.ts';
import { encodeModel } from './model/file.ts';
import type { EmbeddingKind } from './model/file-tables.ts';
import type { ModelSource } from './model-source.ts';
import { bytesOf } from './model-source.ts';
import type { LanguageModel } from './sample/language-model.ts';
import { openLanguageModel } from './sample/language-model.ts';
import type { RunOptions } from './train/run.ts';
import { prepareRun } from './train/run.ts';
import { withStories } from './train/story-run.ts';
import type { StepReport } from './train/trainer.ts';
import type { EngineOptions } from './wasm/engine.ts';
import { Engine } from './wasm/engine.ts';

export {
  CheckpointError, ConstraintError, EngineError, ModelFileError, OnebitError, TokenizerError,
  TrainingError,
} from './errors.ts';
export { decodeSafetensors, encodeSafetensors } from './io/safetensors.ts';
export { BitNet } from './model/bitnet.ts';
export type { BitNetConfig, ModelSize, Preset } from './model/config.ts';
export { PRESETS, presetConfig } from './model/config.ts';
export type { EvaluateOptions, Evaluation } from './model/evaluate.ts';
export { evaluate } from './model/evaluate.ts';
export type { BuildOptions, EncodeOptions, ModelHeader, ModelSizes } from './model/file.ts';
export { encodeModel, modelSizes, readModelHeader } from './model/file.ts';
export type { EmbeddingKind } from './model/file-tables.ts';
export { KvCache } from './model/kv-cache.ts';
export type { KvCacheType } from './ops/cached-attention.ts';
export type { ModelSource } from './model-source.ts';
export { quantizeAbsmax } from './quant/absmax.ts';
export { quantizeAbsmean } from './quant/absmean.ts';
export { quantizeSign } from './quant/sign.ts';
export { Rng } from './rng.ts';
export type {
  FinishReason, GenerateOptions, Generation, ResponseFormat, Usage,
} from './sample/generate.ts';
export { TextStream } from './sample/text-stream.ts';
export type { TextEvaluation } from './sample/language-model.ts';
export { LanguageModel } from './sample/language-model.ts';
export type { EmbedOptions, Pooling } from './sample/embed.ts';
export type { SamplingOptions } from './sample/logits.ts';
export { Session } from './sample/session.ts';
export type { TokenLogprob, WrittenLogprob } from './sample/sampler.ts';
export type { Tokenizer, TokenizerKind } from './tokenizer/tokenizer.ts';
export { createTokenizer, tokenizerFromJson } from './tokenizer/tokenizer.ts';
export { encodeCheckpoint, restoreCheckpoint } from './train/checkpoint.ts';
export type { TrainingOptions } from './train/options.ts';
export { trainingOptions } from './train/options.ts';
export type { Run, RunOptions, TextRunOptions } from './train/run.ts';
export { prepareRun } from './train/run.ts';
export { withStories } from './train/story-run.ts';
export type { StepReport } from './train/trainer.ts';
export { Trainer } from './train/trainer.ts';
export type { EngineInfo, EngineOptions } from './wasm/engine.ts';
export { Engine } from './wasm/engine.ts';

/**
 * An engine: an instance of the kernels with a memory of its own.
 *
 * @throws {EngineError} NO_WASM if the module is not ours.
 */
export const createEngine = (options: EngineOptions): Engine => new Engine(options);

export interface LoadOptions {
  engine: Engine;
  /** Close the engine when the model is disposed. Default false. */
  ownEngine?: boolean;
  /**
   * Packs token embeddings and head when they are read: `f16` takes half, `i8` a quarter of the
   * memory of floats (an eighth with the copy that products of floats read). Default: as in the file.
   */
  embeddings?: EmbeddingKind;
  /** Cancels a download. */
  signal?: AbortSignal;
}

/**
 * Loads a packed model; its weights stay packed.
 *
 * @throws {ModelFileError} NOT_FOUND if it cannot be fetched; see `readModelHeader` for bad files.
 * @example
 * const model = await load(await readFile('model.onebit.safetensors'));
 */
export async function load(source: ModelSource, options: LoadOptions): Promise<LanguageModel> {
  const name = typeof source === 'string' ? source : source instanceof URL ? source.href : undefined;
  const { engine, ownEngine, embeddings, signal } = options;
  const bytes = await bytesOf(source, name, signal);
  return openLanguageModel(engine, bytes, name, ownEngine, { embeddings });
}

export interface TrainOptions extends RunOptions {
  engine: Engine;
  /** Close the engine when the trained model is disposed. Default false. */
  ownEngine?: boolean;
  /** Called after every step. */
  onStep?: (report: StepReport) => void;
  /** How the file of the trained model has token embeddings and head. Default `f32`. */
  embeddings?: EmbeddingKind;
  /** Ends training with an `AbortError`. */
  signal?: AbortSignal;
}

export interface Trained {
  /** The packed model, ready to be written to a file. */
  readonly bytes: Uint8Array;
  /** The same, loaded. */
  readonly model: LanguageModel;
  /** Loss on the tenth of the text that was kept for validation. */
  readonly validation: Evaluation;
}

/**
 * Trains a model from nothing and packs it; on the built-in stories if no text is given.
 *
 * The same options give the same bytes in every runtime. For checkpoints use `prepareRun`, `Trainer`
 * and `encodeCheckpoint`.
 *
 * @throws {TrainingError} BAD_CONFIG, BAD_DATA, NON_FINITE
 * @example
 * const { model, validation } = await train({ text, preset: 'bitnet', steps: 500 });
 */
export async function train(options: TrainOptions): Promise<Trained> {
  const { engine, ownEngine, onStep, embeddings, signal, ...run } = options;
  const { trainer, tokenizer } = prepareRun(engine, await withStories(run));
  try {
    const turn = new HostTurn();
    while (!trainer.done) {
      await turn.give(signal);
      const report = trainer.step();
      onStep?.(report);
    }
    const validation = trainer.validate();
    const bytes = encodeModel(
      trainer.model, trainer.weights, tokenizer.toJson(), { embeddings });
    return { bytes, model: openLanguageModel(engine, bytes, undefined, ownEngine), validation };
  } finally {
    trainer.dispose();
  }
}

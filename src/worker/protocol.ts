/**
 * What page and worker say to each other.
 *
 *   page → worker    { id, call, args }   a call; its id is new
 *                    { id, take }         room for that many more items of the call's stream
 *                    { id, cancel }       the caller is no longer interested
 *   worker → page    { id, item }         one item of the stream; never more than were taken
 *                    { id, value }        the end: what the call returns
 *                    { id, error }        the end: what it throws
 *
 * Every call is answered once, a cancelled one too. The credit (`take`) bounds the memory: a page
 * that is slow is not flooded, because the worker waits.
 * @module
 */
import type { BitNetConfig } from '../model/config.ts';
import type { Evaluation } from '../model/evaluate.ts';
import type { ModelSizes } from '../model/file.ts';
import type { EmbeddingKind } from '../model/file-tables.ts';
import type { EmbedOptions } from '../sample/embed.ts';
import type { GenerateOptions, Generation } from '../sample/generate.ts';
import type { Piece } from '../sample/text-stream.ts';
import type { TextEvaluation } from '../sample/language-model.ts';
import type { TokenizerKind } from '../tokenizer/tokenizer.ts';
import type { TrainingOptions } from '../train/options.ts';
import type { RunOptions } from '../train/run.ts';
import type { SignView, WatchOptions } from '../train/sign-watch.ts';
import type { StepReport } from '../train/trainer.ts';
import type { EngineInfo } from '../wasm/engine.ts';
import type { WireError } from './wire-error.ts';

export type ToWorker =
  | { readonly id: number; readonly call: keyof Calls; readonly args: unknown }
  | { readonly id: number; readonly take: number }
  | { readonly id: number; readonly cancel: true };

export type ToPage =
  | { readonly id: number; readonly item: unknown }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WireError };

/** How the engine in the worker is made. */
export interface RemoteEngineOptions {
  /** Threads, the worker's own included. Default: as many as the machine runs. */
  threads?: number;
  /** Upper bound of the memory in bytes. Default: 4 GiB. */
  maxMemory?: number;
}

/** A model in the worker: its handle, and what its file says of it. */
export interface ModelCard {
  readonly model: number;
  readonly config: BitNetConfig;
  readonly sizes: ModelSizes;
  readonly tokenizer: TokenizerKind;
}

/** A run in the worker: its handle, and what is known before the first step. */
export interface RunCard {
  readonly run: number;
  readonly config: BitNetConfig;
  readonly options: TrainingOptions;
  readonly tokenizer: TokenizerKind;
  readonly parameters: number;
  /** Tokens of the training text, and its mean bytes per token. */
  readonly trainTokens: number;
  readonly bytesPerToken: number;
  /** Lowest possible loss in nats per byte, where it is known: of the built-in stories. */
  readonly entropy?: number;
}

/** One item of a run's stream: every step since the last item, and the signs as they are now. */
export interface Progress {
  readonly reports: readonly StepReport[];
  readonly signs?: SignView;
}

/** What a finished run is worth. */
export interface RunResult {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly card: ModelCard;
  readonly validation: Evaluation;
}

/** Every call: its arguments, what it returns, and the items of its stream where it has one. */
export interface Calls {
  open: { args: RemoteEngineOptions; value: EngineInfo };
  close: { args: null; value: null };
  info: { args: null; value: EngineInfo };
  load: {
    args: { source: Uint8Array | Blob | string; name?: string; embeddings?: EmbeddingKind };
    value: ModelCard;
  };
  generate: {
    args: {
      model: number; prompt: string | ArrayLike<number>; options: Omit<GenerateOptions, 'signal'>;
    };
    item: Piece; value: Generation;
  };
  /** A session of a model, new or out of bytes; its handle. */
  session: { args: { model: number; saved?: Uint8Array }; value: number };
  goOn: {
    args: { session: number; text: string; options: Omit<GenerateOptions, 'signal'> };
    item: Piece; value: Generation;
  };
  ids: { args: { session: number }; value: readonly number[] };
  save: { args: { session: number }; value: Uint8Array<ArrayBuffer> };
  leave: { args: { session: number }; value: null };
  /** Positions that the prompt cache keeps, after it was cleared if that is wished. */
  promptCache: { args: { model: number; clear: boolean }; value: number };
  embed: {
    args: { model: number; text: string | ArrayLike<number>; options?: EmbedOptions };
    value: Float32Array<ArrayBuffer>;
  };
  logits: {
    args: { model: number; ids: ArrayLike<number>; last: boolean };
    value: Float32Array<ArrayBuffer>;
  };
  evaluate: { args: { model: number; text: string }; value: TextEvaluation };
  encode: { args: { model: number; text: string }; value: Uint32Array };
  decode: { args: { model: number; ids: ArrayLike<number> }; value: string };
  dispose: { args: { model: number }; value: null };
  prepare: {
    args: { options: RunOptions; watch?: WatchOptions; embeddings?: EmbeddingKind };
    value: RunCard;
  };
  steps: { args: { run: number; interval: number }; item: Progress; value: RunResult };
  pause: { args: { run: number }; value: number };
  resume: { args: { run: number }; value: null };
  export: { args: { run: number }; value: Uint8Array<ArrayBuffer> };
  abandon: { args: { run: number }; value: null };
}

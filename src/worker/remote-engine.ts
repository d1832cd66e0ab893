/**
 * An engine that is in a worker: what `load` and `train` of the main entry do, done there.
 * @module
 */
import { ModelFileError } from '../errors.ts';
import type { EmbeddingKind } from '../model/file-tables.ts';
import type { ModelSource } from '../model-source.ts';
import type { EngineInfo } from '../wasm/engine.ts';
import type { Channel } from './channel.ts';
import type { Calls, ModelCard } from './protocol.ts';
import { RemoteModel } from './remote-model.ts';
import type { RemoteTrained, RemoteTrainOptions } from './remote-run.ts';
import { RemoteRun } from './remote-run.ts';

export interface RemoteLoadOptions {
  /** Cancels a download. */
  signal?: AbortSignal;
  /** Packs token embeddings and head when they are read, as `load` of the main entry. */
  embeddings?: EmbeddingKind;
  /** Hand the bytes over instead of copying them: the caller's array is empty afterwards. */
  transfer?: boolean;
}

export class RemoteEngine {
  /** What the worker's engine ran on when it started. */
  readonly info: EngineInfo;
  readonly #channel: Channel;

  constructor(channel: Channel, info: EngineInfo) {
    this.#channel = channel;
    this.info = info;
  }

  /** What the engine runs on now, `memoryBytes` included. */
  currentInfo(): Promise<EngineInfo> {
    return this.#channel.call('info', null);
  }

  /**
   * Loads a packed model in the worker. A Blob or an address is read there, not in the page.
   *
   * @throws {ModelFileError} As `load` of the main entry.
   */
  async load(source: ModelSource, options: RemoteLoadOptions = {}): Promise<RemoteModel> {
    const { embeddings, signal } = options;
    const { args, transfer } = await onWire(source, options.transfer ?? false);
    const late = ({ model }: ModelCard): void =>
      void this.#channel.call('dispose', { model }).catch(() => undefined);
    const card = await this.#channel.call(
      'load', { ...args, embeddings }, { signal, transfer, late });
    return new RemoteModel(this.#channel, card);
  }

  /**
   * Trains a model from nothing and packs it; the same bytes as `train` of the main entry.
   *
   * @throws {TrainingError} As `train` of the main entry.
   */
  async train(options: RemoteTrainOptions = {}): Promise<RemoteTrained> {
    return (await this.startTraining(options)).result;
  }

  /** Starts to train, and returns when the text is prepared: a run that can be paused and exported. */
  startTraining(options: RemoteTrainOptions = {}): Promise<RemoteRun> {
    return RemoteRun.start(this.#channel, options);
  }

  /** Ends the worker. Everything that is pending fails with `EngineError` CLOSED. */
  dispose(): void {
    this.#channel.close();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A source as it travels: addresses made absolute here, for the worker's base is its script. */
async function onWire(
  source: ModelSource, transfer: boolean,
): Promise<{ args: Calls['load']['args']; transfer: Transferable[] }> {
  if (typeof source === 'string' || source instanceof URL) {
    const href = globalThis.location === undefined
      ? String(source) : new URL(source, globalThis.location.href).href;
    return { args: { source: href, name: String(source) }, transfer: [] };
  }
  if (source instanceof Response) {
    if (!source.ok)
      throw new ModelFileError('NOT_FOUND', `the server answered ${source.status} for ${source.url}`,
        { file: source.url, actual: source.status });
    const bytes = new Uint8Array(await source.arrayBuffer());
    return { args: { source: bytes, name: source.url || undefined }, transfer: [bytes.buffer] };
  }
  if (source instanceof Blob)
    return { args: { source, name: 'name' in source ? String(source.name) : undefined }, transfer: [] };
  const bytes = source instanceof ArrayBuffer ? new Uint8Array(source) : source;
  return { args: { source: bytes }, transfer: transfer ? [bytes.buffer as ArrayBuffer] : [] };
}

/**
 * A model that is in a worker: `LanguageModel`, with promises.
 * @module
 */
import type { BitNetConfig } from '../model/config.ts';
import type { ModelSizes } from '../model/file.ts';
import type { EmbedOptions } from '../sample/embed.ts';
import type { GenerateOptions } from '../sample/generate.ts';
import type { TextEvaluation } from '../sample/language-model.ts';
import { TextStream } from '../sample/text-stream.ts';
import type { TokenizerKind } from '../tokenizer/tokenizer.ts';
import type { Channel } from './channel.ts';
import type { ModelCard } from './protocol.ts';
import { PIECES_AHEAD, RemoteSession } from './remote-session.ts';

export class RemoteModel {
  readonly config: BitNetConfig;
  readonly sizes: ModelSizes;
  readonly tokenizer: TokenizerKind;
  readonly #channel: Channel;
  readonly #model: number;

  constructor(channel: Channel, { model, config, sizes, tokenizer }: ModelCard) {
    this.#channel = channel;
    this.#model = model;
    this.config = config;
    this.sizes = sizes;
    this.tokenizer = tokenizer;
  }

  /**
   * Streams the text that follows `prompt`, as `LanguageModel.generate`: the same pieces, the same
   * `Generation` at the end, the same errors. A reader that stops reading stops the writing.
   */
  generate(
    prompt: string | ArrayLike<number>, { signal, ...options }: GenerateOptions = {},
  ): TextStream {
    const args = { model: this.#model, prompt, options };
    return new TextStream(this.#channel.stream('generate', args, PIECES_AHEAD, signal), signal);
  }

  /** A text of its own that goes on over several calls, and can be saved. */
  async session(): Promise<RemoteSession> {
    return new RemoteSession(this.#channel, await this.#channel.call('session', { model: this.#model }));
  }

  /**
   * The session that `save` made bytes of, with the same model, here or in another runtime.
   *
   * @throws {ModelFileError} If the bytes are damaged or something else.
   * @throws {CheckpointError} UNSUPPORTED_VERSION; MISMATCH for another model; CORRUPT
   */
  async restore(saved: Uint8Array): Promise<RemoteSession> {
    const handle = await this.#channel.call('session', { model: this.#model, saved });
    return new RemoteSession(this.#channel, handle);
  }

  /** What earlier prompts left in the worker, for later ones: positions kept, and an end of them. */
  readonly promptCache = {
    capacity: (): Promise<number> =>
      this.#channel.call('promptCache', { model: this.#model, clear: false }),
    clear: async (): Promise<void> => {
      await this.#channel.call('promptCache', { model: this.#model, clear: true });
    },
  };

  /** The embedding of a text, or of ids: f32[hiddenSize]; as `LanguageModel.embed`. */
  embed(text: string | ArrayLike<number>, options?: EmbedOptions): Promise<Float32Array<ArrayBuffer>> {
    return this.#channel.call('embed', { model: this.#model, text, options });
  }

  /** Logits of a sequence: f32[ids.length, V], or f32[V] of the last token with `last`. */
  logits(ids: ArrayLike<number>, { last = false } = {}): Promise<Float32Array<ArrayBuffer>> {
    return this.#channel.call('logits', { model: this.#model, ids, last });
  }

  /** Loss on a text of at least two tokens. */
  evaluate(text: string): Promise<TextEvaluation> {
    return this.#channel.call('evaluate', { model: this.#model, text });
  }

  /** Ids of a text. */
  encode(text: string): Promise<Uint32Array> {
    return this.#channel.call('encode', { model: this.#model, text });
  }

  /** Text of ids. */
  decode(ids: ArrayLike<number>): Promise<string> {
    return this.#channel.call('decode', { model: this.#model, ids });
  }

  /** Gives the model's memory back to the worker's engine. */
  async dispose(): Promise<void> {
    await this.#channel.call('dispose', { model: this.#model });
  }
}

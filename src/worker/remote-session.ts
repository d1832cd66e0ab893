/**
 * A session that is in a worker: `Session`, with promises.
 * @module
 */
import type { GenerateOptions } from '../sample/generate.ts';
import { TextStream } from '../sample/text-stream.ts';
import type { Channel } from './channel.ts';

/** Pieces of text that may be ahead of the reader: enough to hide the way of a message. */
export const PIECES_AHEAD = 16;

/**
 * A text that goes on over several calls. Made by `RemoteModel.session` and `restore`.
 *
 * @example
 * const session = await model.session();
 * await session.generate('One day', { maxTokens: 20 }).text();
 * const later = await model.restore(await session.save());
 */
export class RemoteSession {
  readonly #channel: Channel;
  readonly #session: number;

  constructor(channel: Channel, session: number) {
    this.#channel = channel;
    this.#session = session;
  }

  /** The text so far, as far as the model sees it. */
  ids(): Promise<readonly number[]> {
    return this.#channel.call('ids', { session: this.#session });
  }

  /** Reads `text`, then writes; as `Session.generate`. */
  generate(text: string, { signal, ...options }: GenerateOptions = {}): TextStream {
    const args = { session: this.#session, text, options };
    return new TextStream(this.#channel.stream('goOn', args, PIECES_AHEAD, signal), signal);
  }

  /** All of the session as bytes, for `restore` of a model here, in a worker or in another runtime. */
  save(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#channel.call('save', { session: this.#session });
  }

  /** Gives its memory back to the worker's engine. */
  async dispose(): Promise<void> {
    await this.#channel.call('leave', { session: this.#session });
  }
}

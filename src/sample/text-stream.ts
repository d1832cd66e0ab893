/**
 * Text while it is written: pieces, and what is known of it so far.
 * @module
 */
import type { WrittenLogprob } from './sampler.ts';

/**
 * Why a text ended: a stop string, a token that ends texts or a format that is complete (`stop`);
 * `maxTokens` (`length`); a signal or a reader that left (`abort`); anything else that was thrown.
 */
export type FinishReason = 'stop' | 'length' | 'abort' | 'error';

/** What a text cost. */
export interface Usage {
  readonly promptTokens: number;
  /** Of these, the tokens that were read before and cost nothing. */
  readonly cachedTokens: number;
  /** Tokens written, those of a stop string included. */
  readonly completionTokens: number;
  readonly totalTokens: number;
  /** With speculation: tokens that were guessed, and those of them that were right. */
  readonly draftedTokens: number;
  readonly acceptedTokens: number;
}

/** What a finished generation says of itself. */
export interface Generation {
  readonly finishReason: FinishReason;
  readonly promptTokens: number;
  /** Ids written, those of a stop string included. */
  readonly ids: readonly number[];
  readonly usage: Usage;
  /** One for each id, if `logprobs` was asked for. */
  readonly logprobs?: readonly WrittenLogprob[];
}

export const NO_USAGE: Usage = {
  promptTokens: 0, cachedTokens: 0, completionTokens: 0, totalTokens: 0, draftedTokens: 0,
  acceptedTokens: 0,
};

/** A piece of text as the writer gives it, with the usage up to it. */
export interface Piece {
  readonly text: string;
  readonly usage: Usage;
}

/**
 * The pieces of a text, in order. They never end inside a character.
 *
 * @example
 * const stream = model.generate('One day');
 * for await (const piece of stream) console.log(piece);
 * stream.finishReason; // 'length'
 * stream.usage.completionTokens; // 256
 */
export class TextStream implements AsyncGenerator<string, Generation, undefined> {
  readonly #pieces: AsyncGenerator<Piece, Generation, undefined>;
  readonly #signal?: AbortSignal;
  #usage = NO_USAGE;
  #finishReason?: FinishReason;
  #generation?: Generation;

  constructor(pieces: AsyncGenerator<Piece, Generation, undefined>, signal?: AbortSignal) {
    this.#pieces = pieces;
    this.#signal = signal;
  }

  /** Up to the last piece that was read. */
  get usage(): Usage {
    return this.#usage;
  }

  /** Undefined while the text is written. */
  get finishReason(): FinishReason | undefined {
    return this.#finishReason;
  }

  /** All that is known of a text that was read to its end; undefined before, and if it was not. */
  get generation(): Generation | undefined {
    return this.#generation;
  }

  /** @throws what ended the writing, if it was not its end */
  async next(): Promise<IteratorResult<string, Generation>> {
    try {
      const { done, value } = await this.#pieces.next();
      if (!done) {
        this.#usage = value.usage;
        return { done, value: value.text };
      }
      if (value) {
        this.#usage = value.usage;
        this.#finishReason = value.finishReason;
        this.#generation = value;
      }
      return { done, value };
    } catch (error) {
      this.#finishReason ??= this.#signal?.aborted ? 'abort' : 'error';
      throw error;
    }
  }

  /** Ends the writing. */
  async return(value?: unknown): Promise<IteratorResult<string, Generation>> {
    this.#finishReason ??= 'abort';
    await this.#pieces.return(undefined as never);
    return { done: true, value: (await value) as Generation };
  }

  /** Ends the writing and throws. */
  async throw(error: unknown): Promise<IteratorResult<string, Generation>> {
    await this.return();
    throw error;
  }

  /** The whole text. */
  async text(): Promise<string> {
    let text = '';
    for await (const piece of this) text += piece;
    return text;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

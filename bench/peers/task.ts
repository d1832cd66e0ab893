/**
 * What every engine is asked, and what it answers: one question is enough for all figures.
 *
 *   prompt tokens/s   prompt length / time to the first token
 *   decode tokens/s   (tokens − 1) / time from the first token to the last
 * @module
 */

/** Continue a prompt greedily; from an empty cache, if not told otherwise. */
export interface Task {
  /** Token ids; or a text, for engines that take nothing else. */
  readonly prompt: readonly number[] | string;
  /** Tokens to write, the end-of-text token like any other. */
  readonly tokens: number;
  /** Ids that must not be written. */
  readonly banned: readonly number[];
  /** Use what was kept of an earlier task with the same prompt, where the engine keeps such things. */
  readonly kept?: boolean;
}

/** Times are in milliseconds since the task was given. */
export interface Answer {
  readonly first: number;
  readonly last: number;
  /** Tokens written and read. */
  readonly count: number;
  readonly promptTokens: number;
  /** What was written; some engines do not tell ids. */
  readonly ids?: readonly number[];
  readonly text?: string;
}

/** Ids by what is wrong with their text. */
export interface Unwanted {
  /**
   * Parts of a character. A model of random weights writes them in any order, and wllama ends at the first
   * byte that is no UTF-8; so they are always banned.
   */
  readonly fragments: readonly number[];
  /** No text: banned where texts are compared. */
  readonly textless: readonly number[];
}

/** What an engine says when its model is there. */
export interface Loaded {
  /** Milliseconds from the file to a model that can be asked. */
  readonly load: number;
  /** Name and version, and how it runs. */
  readonly engine: string;
  /** Ids that no engine may write, if this one knows them. */
  readonly unwanted?: Unwanted;
  /** Heeds `Task.kept`. */
  readonly keeps?: boolean;
}

/** What an engine is started with. */
export interface Setup {
  /** Path of the GGUF file; an address in a page. */
  readonly file: string;
  readonly threads: number;
  /** Tokens of context. */
  readonly context: number;
}

/** An answer by ids: takes `tokens` of a stream and the time. */
export async function timed(
  stream: AsyncIterable<number>, promptTokens: number, tokens: number,
): Promise<Answer> {
  const start = performance.now(), ids: number[] = [];
  let first = 0;
  for await (const id of stream) {
    ids.push(id);
    if (ids.length === 1) first = performance.now() - start;
    if (ids.length === tokens) break;
  }
  return { first, last: performance.now() - start, count: ids.length, promptTokens, ids };
}

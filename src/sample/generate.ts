/**
 * Generation: a prompt goes in, text streams out.
 *
 *   prompt ─▶ ids ─▶ prefill ─▶ [ sample ─▶ decode one token ]… ─▶ UTF-8 ─▶ stop strings ─▶ text
 *
 * When the context is full, the older half of it is forgotten and the newer half read again, so
 * text can be longer than the context.
 * @module
 */
import { checkInteger, checkString, show } from '../check.ts';
import { HostTurn } from '../host-turn.ts';
import type { BitNet } from '../model/bitnet.ts';
import type { KvCache } from '../model/kv-cache.ts';
import type { KvCacheType } from '../ops/cached-attention.ts';
import { Rng } from '../rng.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { Utf8Stream } from '../tokenizer/utf8-stream.ts';
import type { ResolvedSampling, SamplingOptions } from './logits.ts';
import { resolveSampling, sampleToken } from './logits.ts';
import { StopStrings } from './stop-strings.ts';

export interface GenerateOptions extends SamplingOptions {
  /** Tokens to write at most. Default 256. */
  maxTokens?: number;
  /** Text ends before the first of these. Default: none. */
  stop?: string | readonly string[];
  /**
   * Element type of the cached keys and values. Default `f32`. `f16` halves their memory, `i8`
   * takes a little more than a quarter; see `BitNet.createCache` for what each changes.
   */
  kvCacheType?: KvCacheType;
  /** Ends the stream with an `AbortError`. */
  signal?: AbortSignal;
}

/** What a finished generation says of itself. */
export interface Generation {
  readonly finishReason: 'length' | 'stop';
  readonly promptTokens: number;
  /** Ids written, those of a stop string and the token that ends a text included. */
  readonly ids: readonly number[];
}

/**
 * Streams the text that follows `prompt`, piece by piece; returns a `Generation` at the end.
 *
 * The same model, prompt, options and seed give the same text in every runtime. An empty prompt
 * starts after a line break. Pieces never end inside a character. A token that ends texts ends this one.
 *
 * @param prompt text, or ids
 *
 * @throws {TypeError} If the prompt is no string.
 * @throws {RangeError} If an option is out of range.
 * @throws {TokenizerError} UNKNOWN_CHARACTER
 * @throws {EngineError} NON_FINITE_LOGITS, CLOSED, OUT_OF_MEMORY
 * @example
 * for await (const piece of generate(model, tokenizer, 'One day', { maxTokens: 40 }))
 *   console.log(piece);
 */
export async function* generate(
  model: BitNet, tokenizer: Tokenizer, prompt: string | Uint32Array, options: GenerateOptions = {},
): AsyncGenerator<string, Generation, undefined> {
  if (!(prompt instanceof Uint32Array)) checkString('generate', 'prompt', prompt);
  const { maxTokens = 256, signal } = options;
  checkInteger('generate', 'maxTokens', maxTokens, 0);
  const sampling = resolveSampling(options);
  const stops = new StopStrings(stopList(options.stop)), utf8 = new Utf8Stream();
  const turn = new HostTurn();
  const decoder = new Decoder(
    model, promptIds(tokenizer, prompt), sampling, options.kvCacheType);
  try {
    let ended = false;
    while (decoder.written.length < maxTokens && !stops.found && !ended) {
      await turn.give(signal);
      const id = decoder.next();
      ended = tokenizer.stopIds?.has(id) ?? false;
      const piece = ended ? '' : stops.push(utf8.push(tokenizer.tokenBytes(id)));
      if (piece) yield piece;
    }
    const rest = stops.found ? '' : stops.push(utf8.end()) + stops.end();
    if (rest) yield rest;
    const { promptTokens, written } = decoder;
    return { finishReason: stops.found || ended ? 'stop' : 'length', promptTokens, ids: written };
  } finally {
    decoder.dispose();
  }
}

function stopList(stop: string | readonly string[] = []): readonly string[] {
  const list = typeof stop === 'string' ? [stop] : stop;
  for (const text of list)
    if (typeof text !== 'string' || text === '')
      throw new RangeError(`generate: "stop" expected strings that are not empty, got ${show(text)}`);
  return list;
}

/** Ids of the prompt; of a line break, or the first token, where it is empty. */
function promptIds(tokenizer: Tokenizer, prompt: string | Uint32Array): Uint32Array {
  if (typeof prompt !== 'string') return prompt;
  if (prompt !== '') return tokenizer.encode(prompt);
  try {
    return tokenizer.encode('\n');
  } catch {
    return Uint32Array.of(0);
  }
}

/** One sequence being written: its tokens, its cache and its generator. */
class Decoder {
  readonly promptTokens: number;
  readonly written: number[] = [];
  readonly #model: BitNet;
  readonly #ids: number[];
  readonly #cache: KvCache;
  readonly #sampling: ResolvedSampling;
  readonly #rng: Rng;
  /** How many of `#ids` have been read into the cache. */
  #read = 0;

  constructor(
    model: BitNet, prompt: ArrayLike<number>, sampling: ResolvedSampling, kvCacheType?: KvCacheType,
  ) {
    this.#model = model;
    this.#ids = Array.from(prompt);
    this.promptTokens = this.#ids.length;
    this.#sampling = sampling;
    this.#rng = new Rng(sampling.seed);
    this.#cache = model.createCache(undefined, kvCacheType);
  }

  /** Samples the next token and keeps it. */
  next(): number {
    const logits = this.#logits();
    const { exp } = this.#model.engine.kernels;
    const id = sampleToken(logits, this.#sampling, this.#rng, this.#ids, exp);
    this.#ids.push(id);
    this.written.push(id);
    return id;
  }

  /** Logits after the last token, computing only what the cache lacks. */
  #logits(): Float32Array {
    const cache = this.#cache, ids = this.#ids;
    const pending = ids.slice(this.#read);
    if (cache.length + pending.length <= cache.capacity) {
      this.#read = ids.length;
      return this.#model.logits(pending, { cache, last: true });
    }
    cache.truncate(0);
    const kept = Math.max(1, cache.capacity >> 1);
    this.#read = ids.length;
    return this.#model.logits(ids.slice(-kept), { cache, last: true });
  }

  dispose(): void {
    this.#cache.dispose();
  }
}

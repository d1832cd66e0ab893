/**
 * Generation: a prompt goes in, text streams out.
 *
 *   prompt ─▶ ids ─▶ prefill ─▶ [ sample ─▶ decode one token ]… ─▶ UTF-8 ─▶ stop strings ─▶ text
 *
 * When the context is full, the older half of it is forgotten and the newer half read again, so
 * text can be longer than the context.
 * @module
 */
import { checkInteger, checkOneOf, show } from '../check.ts';
import type { Constraint } from '../grammar/constraint.ts';
import type { ResponseFormat } from '../grammar/response-format.ts';
import { HostTurn } from '../host-turn.ts';
import type { BitNet } from '../model/bitnet.ts';
import type { KvCacheType } from '../ops/cached-attention.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { Utf8Stream } from '../tokenizer/utf8-stream.ts';
import { Decoder } from './decoder.ts';
import type { SamplingOptions } from './options.ts';
import { resolveSampling } from './options.ts';
import { PromptCache } from './prompt-cache.ts';
import type { WrittenLogprob } from './sampler.ts';
import { checkLogprobs, logprobsOf, Sampler } from './sampler.ts';
import { StopStrings } from './stop-strings.ts';
import type { Generation, Piece, Usage } from './text-stream.ts';
import { TextStream } from './text-stream.ts';

export type { ResponseFormat } from '../grammar/response-format.ts';
export type { FinishReason, Generation, Usage } from './text-stream.ts';

export interface GenerateOptions extends SamplingOptions {
  /** Tokens to write at most. Default 256. */
  maxTokens?: number;
  /** Text ends before the first of these. Default: none. */
  stop?: string | readonly string[];
  /** Ids that end the text, beside those of the tokenizer. Default: none. */
  stopTokens?: readonly number[];
  /**
   * What the text must be as a whole: JSON that satisfies a schema, any JSON object, or what a regular
   * expression matches. Default: any text.
   */
  responseFormat?: ResponseFormat;
  /** Also reports the logarithm of each token's probability, and as many alternatives. Default: none. */
  logprobs?: number;
  /**
   * `prompt-lookup` guesses tokens from what followed the same words before, and checks several in one
   * step: faster where a text repeats its prompt, and always the same text. Default `none`.
   */
  speculation?: 'none' | 'prompt-lookup';
  /**
   * Element type of the cached keys and values. Default `f32`. `f16` halves their memory, `i8`
   * takes a little more than a quarter; see `BitNet.createCache` for what each changes.
   */
  kvCacheType?: KvCacheType;
  /**
   * Positions that are kept of this text and earlier ones, so that a prompt that begins alike costs
   * only what is new. 0 keeps none. Default: one context, or what fits into 1 GiB.
   */
  maxCachedTokens?: number;
  /** Ends the stream with an `AbortError`. */
  signal?: AbortSignal;
}

/**
 * Streams the text that follows `prompt`, piece by piece; see `TextStream`.
 *
 * The same model, prompt, options and seed give the same text in every runtime, whatever is in the
 * cache. An empty prompt starts after a line break.
 *
 * @param prompt text, or token ids
 * @param caches what was read before. Default: nothing, and nothing is kept
 * @throws {TypeError} If the prompt is neither.
 * @throws {RangeError} If an option is out of range.
 * @throws {TokenizerError} UNKNOWN_CHARACTER, BAD_TOKEN_ID
 * @throws {ConstraintError} BAD_SCHEMA, UNSUPPORTED, UNSATISFIABLE, LIMIT, NO_TOKEN_FITS
 * @throws {EngineError} NON_FINITE_LOGITS, CLOSED, OUT_OF_MEMORY
 * @example
 * for await (const piece of generate(model, tokenizer, 'One day', { maxTokens: 40 }))
 *   console.log(piece);
 */
export function generate(
  model: BitNet, tokenizer: Tokenizer, prompt: string | ArrayLike<number>,
  options: GenerateOptions = {}, caches?: PromptCache,
): TextStream {
  return new TextStream(write(model, tokenizer, prompt, options, caches), options.signal);
}

async function* write(
  model: BitNet, tokenizer: Tokenizer, prompt: string | ArrayLike<number>, options: GenerateOptions,
  caches?: PromptCache,
): AsyncGenerator<Piece, Generation, undefined> {
  const { maxTokens = 256, speculation = 'none', signal, kvCacheType } = options;
  checkOptions(options);
  const sampler = new Sampler(resolveSampling(options), tokenizer, model.engine.kernels);
  const ends = new Set([...(tokenizer.endTokens ?? []), ...(options.stopTokens ?? [])]);
  const constraint = await constraintOf(options.responseFormat, tokenizer, ends);
  const end = new TextEnd(tokenizer, options.stop, ends, constraint);
  signal?.throwIfAborted();
  const decoder = new Decoder(model, promptIds(tokenizer, prompt), caches ?? new PromptCache(model),
    { maxTokens, kvCacheType, speculate: speculation === 'prompt-lookup' });
  const turn = new HostTurn(), logprobs: WrittenLogprob[] = [];
  try {
    while (decoder.writtenTokens < maxTokens && !end.reached) {
      await turn.give(signal);
      const logits = await decoder.logits(turn, signal);
      const id = sampler.next(logits, decoder.ids, decoder.promptTokens, constraint?.allowed());
      if (options.logprobs !== undefined)
        logprobs.push(logprobsOf(logits, id, options.logprobs, tokenizer, model.engine.kernels));
      decoder.push(id);
      const text = end.push(id);
      if (text) yield { text, usage: usageOf(decoder) };
    }
    const text = end.rest();
    if (text) yield { text, usage: usageOf(decoder) };
    return {
      finishReason: end.reached ? 'stop' : 'length', promptTokens: decoder.promptTokens,
      ids: decoder.written, usage: usageOf(decoder),
      ...(options.logprobs !== undefined && { logprobs }),
    };
  } finally {
    decoder.end(caches ? options.maxCachedTokens : 0);
  }
}

function checkOptions(
  { maxTokens, speculation, logprobs, maxCachedTokens, stopTokens }: GenerateOptions,
): void {
  if (maxTokens !== undefined) checkInteger('generate', 'maxTokens', maxTokens, 0);
  if (maxCachedTokens !== undefined) checkInteger('generate', 'maxCachedTokens', maxCachedTokens, 0);
  if (logprobs !== undefined) checkLogprobs(logprobs);
  if (speculation !== undefined)
    checkOneOf('generate', 'speculation', speculation, ['none', 'prompt-lookup']);
  for (const id of stopTokens ?? []) checkInteger('generate', 'stopTokens', id, 0);
}

function usageOf(decoder: Decoder): Usage {
  const { promptTokens, cachedTokens, draftedTokens, acceptedTokens, writtenTokens } = decoder;
  return {
    promptTokens, cachedTokens, completionTokens: writtenTokens,
    totalTokens: promptTokens + writtenTokens, draftedTokens, acceptedTokens,
  };
}

/** Ids of the prompt; of a line break, or the first token, where it is empty. */
function promptIds(tokenizer: Tokenizer, prompt: string | ArrayLike<number>): ArrayLike<number> {
  const isText = typeof prompt === 'string';
  if (!isText && !Array.isArray(prompt) && !ArrayBuffer.isView(prompt))
    throw new TypeError(`generate: "prompt" expected a string or token ids, got ${show(prompt)}`);
  if (prompt.length > 0) return isText ? tokenizer.encode(prompt) : prompt;
  try {
    return tokenizer.encode('\n');
  } catch {
    return Uint32Array.of(0);
  }
}

/** What holds the text to its format. Loaded when it is asked for. */
async function constraintOf(
  format: ResponseFormat | undefined, tokenizer: Tokenizer, ends: Iterable<number>,
): Promise<Constraint | undefined> {
  if (format === undefined) return undefined;
  if (typeof format !== 'object' || format === null)
    throw new TypeError(`generate: "responseFormat" expected an object, got ${show(format)}`);
  const { constrain } = await import('../grammar/response-format.ts');
  return constrain(format, tokenizer, ends);
}

/** From ids to the text that is shown, up to where it ends. */
class TextEnd {
  /** Whether the text is at its end. */
  reached = false;
  readonly #tokenizer: Tokenizer;
  readonly #stops: StopStrings;
  readonly #ends: ReadonlySet<number>;
  readonly #constraint?: Constraint;
  readonly #utf8 = new Utf8Stream();

  constructor(
    tokenizer: Tokenizer, stop: string | readonly string[] | undefined, ends: ReadonlySet<number>,
    constraint?: Constraint,
  ) {
    this.#tokenizer = tokenizer;
    this.#stops = new StopStrings(stopList(stop));
    this.#ends = ends;
    this.#constraint = constraint;
  }

  /** The text that can be shown after one more token. */
  push(id: number): string {
    if (this.#ends.has(id)) {
      this.reached = true;
      return '';
    }
    const text = this.#stops.push(this.#utf8.push(this.#tokenizer.tokenBytes(id)));
    this.#constraint?.push(id);
    this.reached = this.#stops.found || this.#constraint?.complete === true;
    return text;
  }

  /** What was held back, once no more tokens come. */
  rest(): string {
    if (this.#stops.found) return '';
    return this.#stops.push(this.#utf8.end()) + this.#stops.end();
  }
}

function stopList(stop: string | readonly string[] = []): readonly string[] {
  const list = typeof stop === 'string' ? [stop] : stop;
  for (const text of list)
    if (typeof text !== 'string' || text === '')
      throw new RangeError(`generate: "stop" expected strings that are not empty, got ${show(text)}`);
  return list;
}

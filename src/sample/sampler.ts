/**
 * What draws the tokens of one text: options, generator, mirostat's state; and the probabilities of
 * what was drawn.
 * @module
 */
import { checkInteger } from '../check.ts';
import { Rng } from '../rng.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { Exp, Mirostat } from './logits.ts';
import { sampleToken } from './logits.ts';
import type { ResolvedSampling } from './options.ts';
import { rankFirst } from './ranking.ts';

/** A token and the logarithm of its probability. */
export interface TokenLogprob {
  readonly id: number;
  /** Of its bytes; U+FFFD where they end inside a character. */
  readonly text: string;
  /** Natural logarithm, by the model's own distribution: before penalties, temperature and filters. */
  readonly logprob: number;
}

/** A token that was written, with the most probable ones at its place. */
export interface WrittenLogprob extends TokenLogprob {
  readonly top: readonly TokenLogprob[];
}

/** Exponential and logarithm of the kernels: the same bits in every runtime. */
export interface Elementary {
  readonly exp: Exp;
  readonly log: (x: number) => number;
}

/** Most alternatives that may be asked for. */
const MAX_TOP = 100;

/** Draws one text, token by token. */
export class Sampler {
  readonly #options: ResolvedSampling;
  readonly #tokenizer: Tokenizer;
  readonly #math: Elementary;
  readonly #rng: Rng;
  readonly #mirostat: Mirostat;
  readonly #breaks = new Map<number, boolean>();

  constructor(options: ResolvedSampling, tokenizer: Tokenizer, math: Elementary) {
    this.#options = options;
    this.#tokenizer = tokenizer;
    this.#math = math;
    this.#rng = new Rng(options.seed);
    this.#mirostat = { log: (x) => math.log(x), mu: 2 * options.mirostatTau };
  }

  /**
   * The next token; see `sampleToken`.
   *
   * @param allowed bit per token: which may follow
   */
  next(
    logits: Float32Array, ids: ArrayLike<number>, promptTokens: number, allowed?: Uint32Array,
  ): number {
    const context = { ids, promptTokens, allowed, breaks: (id: number) => this.#breaksAt(id) };
    return sampleToken(
      logits, this.#options, this.#rng, context, this.#math.exp, this.#mirostat);
  }

  #breaksAt(id: number): boolean {
    let found = this.#breaks.get(id);
    if (found === undefined) {
      const text = textOf(this.#tokenizer, id);
      found = this.#options.drySequenceBreakers.some((breaker) => text.includes(breaker));
      this.#breaks.set(id, found);
    }
    return found;
  }
}

const textOf = (tokenizer: Tokenizer, id: number): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(tokenizer.tokenBytes(id));

/** @throws {TypeError | RangeError} If `count` is no integer from 0 to 100. */
export function checkLogprobs(count: number): void {
  checkInteger('generate', 'logprobs', count, 0, MAX_TOP);
}

/**
 * log p of a token and of the `count` most probable ones: l − max l − log Σ exp(l − max l).
 *
 * @param logits f32[V] of the model
 */
export function logprobsOf(
  logits: Float32Array, id: number, count: number, tokenizer: Tokenizer, { exp, log }: Elementary,
): WrittenLogprob {
  const first = rankFirst(logits, Math.min(Math.max(count, 1), logits.length)), max = logits[first[0]];
  let total = 0;
  for (const l of logits) total += l - max < -700 ? 0 : exp(l - max);
  const norm = max + log(total);
  const describe = (token: number): TokenLogprob =>
    ({ id: token, text: textOf(tokenizer, token), logprob: logits[token] - norm });
  return { ...describe(id), top: Array.from(first.subarray(0, count), describe) };
}

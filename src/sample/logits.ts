/**
 * From logits to a token: mask, biases and penalties, temperature, filters, then a draw.
 *
 * p_i ∝ exp((l_i − max l) / temperature) over the tokens that the filters keep. Tokens are ranked
 * by a total order (descending logit, then ascending id) and drawn by inverse cdf in that order,
 * with sums in f64 in a fixed order: equal logits, options and generator give equal tokens. The
 * order in which options act is in `options.ts`.
 *
 * Source: mirostat 2, Basu et al. 2021 (arXiv 2007.14966); the rest in `penalties.ts`, `filters.ts`.
 * @module
 */
import { EngineError } from '../errors.ts';
import type { Rng } from '../rng.ts';
import type { Weigh } from './filters.ts';
import { draw, excludeTop, nucleus, sum, sumAll, typical } from './filters.ts';
import type { ResolvedSampling } from './options.ts';
import type { Context } from './penalties.ts';
import { adjust } from './penalties.ts';
import { argmax, MAX_VOCABULARY, rankAll, rankFirst } from './ranking.ts';

export type { ResolvedSampling, SamplingOptions } from './options.ts';
export { resolveSampling } from './options.ts';

/**
 * e^x for x ≤ 0, injected because `Math.exp` differs between engines. It must not increase when x
 * falls; exp(0) is 1.
 */
export type Exp = (x: number) => number;

/** What mirostat carries from token to token. */
export interface Mirostat {
  /** The natural logarithm, injected as `Exp` is. */
  readonly log: (x: number) => number;
  /** Tokens with more surprise than this, in bits, are not drawn; 2 · tau at the start. */
  mu: number;
}

/** Below e^−700 ≈ 10^−304 a weight adds nothing to a sum that holds the best one, e^0. */
const MIN_EXPONENT = -700;

/**
 * Draws the next token from logits.
 *
 * `logits` is not modified; it is copied only if something changes them. −Infinity masks a token: it
 * is never drawn. With temperature 0 `rng` is not advanced, otherwise by exactly one `nextFloat`,
 * or two with XTC. O(V) unless most of a flat distribution must be ranked: then O(V log V).
 *
 * @param logits f32[V]
 * @param recent the text so far, or ids that count as its prompt
 * @param mirostat needed with `options.mirostat`; its `mu` is moved
 * @returns token id in [0, V)
 * @throws {RangeError} If logits are empty or more than 2^21, or a recent id is out of range.
 * @throws {EngineError} NON_FINITE_LOGITS if one is NaN or +Infinity, or all are −Infinity.
 * @example
 * const greedy = resolveSampling({ temperature: 0 });
 * sampleToken(Float32Array.of(1, 3, 3), greedy, new Rng(0), [], kernels.exp); // 1
 */
export function sampleToken(
  logits: Float32Array, options: ResolvedSampling, rng: Rng, recent: ArrayLike<number> | Context,
  exp: Exp, mirostat?: Mirostat,
): number {
  const V = logits.length;
  if (V === 0 || V > MAX_VOCABULARY)
    throw new RangeError(`sampleToken: "logits" expected 1 to ${MAX_VOCABULARY} values, got ${V}`);
  checkLogits(logits);
  const context = 'ids' in recent ? recent : { ids: recent, promptTokens: recent.length };
  const values = adjust(logits, options, context);
  const best = argmax(values), max = values[best];
  if (max === -Infinity)
    throw new EngineError('NON_FINITE_LOGITS', 'no token is left: masks and biases forbid them all');
  const { temperature } = options;
  if (temperature === 0) return best;
  const exponent = (id: number): number => (values[id] - max) / temperature;
  const weigh = (id: number): number => {
    const x = exponent(id);
    return x < MIN_EXPONENT ? 0 : exp(x);
  };
  return options.mirostat === 2 && mirostat
    ? drawByMirostat(values, weigh, options, rng, mirostat)
    : drawFiltered(values, weigh, exponent, options, rng);
}

function drawFiltered(
  values: Float32Array, weigh: Weigh, exponent: Weigh, options: ResolvedSampling, rng: Rng,
): number {
  const { topK, topP, minP, typicalP, xtcProbability, xtcThreshold } = options;
  const V = values.length;
  const excludes = xtcProbability > 0 && rng.nextFloat() < xtcProbability;
  const u = rng.nextFloat();
  const all = topK === 0 || topK >= V;
  let ranking: Iterable<number> = all ? rankAll(values) : rankFirst(values, topK);
  if (all && topP === 1 && minP === 0 && typicalP === 1 && !excludes)
    return draw(ranking, weigh, u * sumAll(V, weigh));

  if (typicalP < 1) ranking = typical(ranking, weigh, exponent, typicalP);
  let goal = Infinity;
  if (topP < 1) goal = topP * (all && typicalP === 1 ? sumAll(V, weigh) : sum(ranking, weigh));
  const { kept, mass } = nucleus(ranking, weigh, goal, minP); // the best one's weight is e^0 = 1
  if (!excludes) return draw(kept, weigh, u * mass);
  const left = excludeTop(kept, weigh, xtcThreshold);
  return draw(left, weigh, u * sum(left, weigh));
}

/**
 * Draws among tokens whose surprise −log2 p is at most mu, then moves mu by eta times the distance
 * of the drawn token's surprise to tau.
 */
function drawByMirostat(
  values: Float32Array, weigh: Weigh, { mirostatTau, mirostatEta }: ResolvedSampling, rng: Rng,
  mirostat: Mirostat,
): number {
  const { log } = mirostat, bit = log(2);
  const u = rng.nextFloat(), total = sumAll(values.length, weigh);
  const surprise = (id: number): number => log(total / weigh(id)) / bit;
  const kept: number[] = [];
  let mass = 0;
  for (const id of rankAll(values)) {
    const weight = weigh(id);
    if (kept.length > 0 && (weight === 0 || surprise(id) > mirostat.mu)) break;
    kept.push(id);
    mass += weight;
  }
  const id = draw(kept, weigh, u * mass);
  mirostat.mu -= mirostatEta * (surprise(id) - mirostatTau);
  return id;
}

function checkLogits(logits: Float32Array): void {
  let masked = 0;
  for (let id = 0; id < logits.length; id++) {
    const l = logits[id];
    if (l < Infinity) masked += l === -Infinity ? 1 : 0; // NaN fails the comparison
    else
      throw new EngineError('NON_FINITE_LOGITS', `the logit of token ${id} is ${l}`, {
        offset: id, actual: l,
      });
  }
  if (masked === logits.length)
    throw new EngineError('NON_FINITE_LOGITS', `all ${masked} logits are -Infinity`);
}

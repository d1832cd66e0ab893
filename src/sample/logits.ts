/**
 * From logits to a token: repetition penalty, temperature, top-k, top-p, min-p, then a draw.
 *
 * p_i ∝ exp((l_i − max l) / temperature) over the tokens that the filters keep. Tokens are ranked
 * by a total order (descending logit, then ascending id) and drawn by inverse cdf in that order,
 * with sums in f64 in a fixed order: equal logits, options and generator give equal tokens.
 *
 * Source: the processors and their order are those of Hugging Face transformers 4; the penalty is
 * Keskar et al. 2019, CTRL (arXiv 1909.05858), top-p Holtzman et al. 2020 (arXiv 1904.09751),
 * min-p Nguyen et al. 2024 (arXiv 2407.01082).
 * @module
 */
import { checkInteger, checkNumber } from '../check.ts';
import { EngineError } from '../errors.ts';
import type { Rng } from '../rng.ts';

/** How the next token is drawn. All fields are optional. */
export interface SamplingOptions {
  /** ≥ 0. 0 takes the largest logit, the lowest id among equals. Default 0.8. */
  temperature?: number;
  /** Keeps the k first in rank. 0, or more than the vocabulary, keeps all. Default 0. */
  topK?: number;
  /** In (0, 1]: keeps the smallest set with at least this probability. Default 1, all. */
  topP?: number;
  /** In [0, 1]: keeps tokens at least this probable relative to the best. Default 0, all. */
  minP?: number;
  /** > 0. Above 1 makes recent tokens less likely. Default 1, off. */
  repetitionPenalty?: number;
  /** Integer in [0, 2^53). Default 0. */
  seed?: number;
}

/** Sampling options, checked, with defaults. */
export type ResolvedSampling = Readonly<Required<SamplingOptions>>;

/**
 * e^x for x ≤ 0, injected because `Math.exp` differs between engines. It must not increase when x
 * falls; exp(0) is 1.
 */
export type Exp = (x: number) => number;

/** Ids must fit in the 21 bits below a 32-bit value in an exact f64 integer. */
const MAX_VOCABULARY = 2 ** 21;
/** Largest finite f32. */
const MAX_F32 = (2 - 2 ** -23) * 2 ** 127;
/** Below e^−700 ≈ 10^−304 a weight adds nothing to a sum that holds the best one, e^0. */
const MIN_EXPONENT = -700;
/** Tokens ranked first; nearly all draws end among them. Each next block is 16 times larger. */
const FIRST_BLOCK = 512;

/**
 * Checks sampling options and fills in defaults.
 *
 * @throws {TypeError} If a field is not a number.
 * @throws {RangeError} If a field is NaN or out of its range; the message names it.
 * @example
 * resolveSampling({ topK: 40 }).temperature; // 0.8
 */
export function resolveSampling(options: SamplingOptions = {}): ResolvedSampling {
  const fn = 'resolveSampling';
  const {
    temperature = 0.8, topK = 0, topP = 1, minP = 0, repetitionPenalty = 1, seed = 0,
  } = options;
  checkNumber(fn, 'temperature', temperature, 0);
  checkInteger(fn, 'topK', topK, 0);
  checkNumber(fn, 'topP', topP, 0, 1);
  if (topP === 0) throw new RangeError(`${fn}: "topP" expected a number above 0, got 0`);
  checkNumber(fn, 'minP', minP, 0, 1);
  checkNumber(fn, 'repetitionPenalty', repetitionPenalty, 0);
  if (repetitionPenalty === 0)
    throw new RangeError(`${fn}: "repetitionPenalty" expected a number above 0, got 0`);
  checkInteger(fn, 'seed', seed, 0);
  return { temperature, topK, topP, minP, repetitionPenalty, seed };
}

/**
 * Draws the next token from logits.
 *
 * `logits` is not modified; it is copied only if there is a penalty. −Infinity masks a token: it
 * is never drawn. With temperature 0 `rng` is not advanced, otherwise by exactly one `nextFloat`.
 * O(V) unless most of a flat distribution must be ranked: then O(V log V).
 *
 * @param logits f32[V]
 * @param recent token ids, each in [0, V); only their set matters, and only with a penalty
 * @returns token id in [0, V)
 * @throws {RangeError} If logits are empty or more than 2^21, or a recent id is out of range.
 * @throws {EngineError} NON_FINITE_LOGITS if one is NaN or +Infinity, or all are −Infinity.
 * @example
 * const greedy = resolveSampling({ temperature: 0 });
 * sampleToken(Float32Array.of(1, 3, 3), greedy, new Rng(0), [], kernels.exp); // 1
 */
export function sampleToken(
  logits: Float32Array, options: ResolvedSampling, rng: Rng, recent: ArrayLike<number>, exp: Exp,
): number {
  const { temperature, topK, topP, minP, repetitionPenalty } = options;
  const V = logits.length;
  if (V === 0 || V > MAX_VOCABULARY)
    throw new RangeError(`sampleToken: "logits" expected 1 to ${MAX_VOCABULARY} values, got ${V}`);
  checkLogits(logits);
  const values = repetitionPenalty === 1 ? logits : penalize(logits, repetitionPenalty, recent);
  const best = argmax(values);
  if (temperature === 0) return best;

  const max = values[best];
  const weigh = (id: number): number => {
    const x = (values[id] - max) / temperature;
    return x < MIN_EXPONENT ? 0 : exp(x);
  };
  const u = rng.nextFloat();
  const all = topK === 0 || topK >= V;
  const ranking = all ? rankAll(values) : rankFirst(values, topK);
  if (all && topP === 1 && minP === 0) return draw(ranking, weigh, u * sumAll(V, weigh));

  let goal = Infinity;
  if (topP < 1) goal = topP * (all ? sumAll(V, weigh) : sum(ranking, weigh));
  const { kept, mass } = nucleus(ranking, weigh, goal, minP * weigh(best));
  return draw(kept, weigh, u * mass);
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

/**
 * f32[V] with the penalty on each distinct recent token: l / p if l > 0, else l · p.
 * From the original logits, so that a token counts once; kept finite, so that only masks are −∞.
 */
function penalize(logits: Float32Array, penalty: number, recent: ArrayLike<number>): Float32Array {
  const values = logits.slice();
  for (let i = 0; i < recent.length; i++) {
    const id = recent[i];
    checkInteger('sampleToken', 'recent', id, 0, logits.length - 1);
    const l = logits[id];
    if (l === -Infinity) continue;
    const scaled = l > 0 ? l / penalty : l * penalty;
    values[id] = Math.min(Math.max(scaled, -MAX_F32), MAX_F32);
  }
  return values;
}

/** Id of the largest value, the lowest among equals. */
function argmax(values: Float32Array): number {
  let best = 0;
  for (let id = 1; id < values.length; id++) if (values[id] > values[best]) best = id;
  return best;
}

/**
 * The first `k` ids in rank: descending value, then ascending id. Masked ones have none.
 *
 * Each token is one exact f64 integer, descending(value) · 2^21 + id, so that the numeric sort of
 * typed arrays ranks them: about 3 times faster than a comparison function for V = 150,000.
 * Collects what exceeds the k-th best so far and cuts back when 2k are held: O(V) on average, and
 * at most O(V log k), against O(V log V) for a full sort.
 */
function rankFirst(values: Float32Array, k: number): Float64Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const keys = new Float64Array(Math.min(2 * k, values.length));
  let held = 0;
  let floor = -Infinity;
  for (let id = 0; id < values.length; id++) {
    if (!(values[id] > floor)) continue; // an equal one comes later in id, so after in rank
    if (held === keys.length) {
      keys.sort();
      held = k;
      floor = values[keys[k - 1] % MAX_VOCABULARY];
      if (!(values[id] > floor)) continue;
    }
    keys[held++] = descending(bits[id]) * MAX_VOCABULARY + id;
  }
  const ids = keys.subarray(0, held).sort().subarray(0, k);
  for (let i = 0; i < ids.length; i++) ids[i] %= MAX_VOCABULARY;
  return ids;
}

/** The bits of an f32 as a u32 that falls as the value rises. −0 counts as 0. */
function descending(bits: number): number {
  if (bits === 0x80000000) return 0x7fffffff;
  return bits >= 0x80000000 ? bits : 0x7fffffff - bits;
}

/** All ids in rank, sorted block by block as they are asked for. */
function* rankAll(values: Float32Array): Generator<number, void, undefined> {
  let given = 0;
  for (let size = FIRST_BLOCK; ; size *= 16) {
    const k = Math.min(size, values.length);
    const ids = rankFirst(values, k);
    for (; given < ids.length; given++) yield ids[given];
    if (ids.length < k || k === values.length) return;
  }
}

/** Sum of all weights, by id. */
function sumAll(V: number, weigh: (id: number) => number): number {
  let total = 0;
  for (let id = 0; id < V; id++) total += weigh(id);
  return total;
}

/** Sum of the weights of `ids`, in their order. */
function sum(ids: Iterable<number>, weigh: (id: number) => number): number {
  let total = 0;
  for (const id of ids) total += weigh(id);
  return total;
}

/**
 * The beginning of a ranking: up to the token that reaches `goal`, and while weights are at least
 * `least`. At least one token. Also the sum of their weights.
 */
function nucleus(
  ranking: Iterable<number>, weigh: (id: number) => number, goal: number, least: number,
): { kept: number[]; mass: number } {
  const kept: number[] = [];
  let mass = 0;
  for (const id of ranking) {
    const weight = weigh(id);
    if (kept.length > 0 && (mass >= goal || weight < least)) break;
    kept.push(id);
    mass += weight;
  }
  return { kept, mass };
}

/** The first id at which the cumulated weight exceeds `target`, or the last that has weight. */
function draw(
  ranking: Iterable<number>, weigh: (id: number) => number, target: number,
): number {
  let drawn = -1;
  let mass = 0;
  for (const id of ranking) {
    const weight = weigh(id);
    if (weight === 0 && drawn >= 0) break; // rounding left the target above the whole mass
    drawn = id;
    mass += weight;
    if (mass > target) break;
  }
  return drawn;
}

/**
 * How the next token is drawn: the options, their ranges and defaults.
 *
 * They act in this order, whatever the order they are given in:
 *
 *   constraint, logitBias ─▶ repetitionPenalty ─▶ frequencyPenalty, presencePenalty ─▶ DRY
 *   ─▶ temperature ─▶ topK ─▶ typicalP ─▶ topP ─▶ minP ─▶ XTC ─▶ draw
 *
 * Each filter sees what the one before it left. Mirostat takes the place of all filters.
 * @module
 */
import { checkInteger, checkNumber, checkOneOf, show } from '../check.ts';

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
  /**
   * In (0, 1]: keeps the tokens whose surprise is nearest to the expected one, up to this
   * probability. Default 1, all.
   */
  typicalP?: number;
  /**
   * In [0, 1]: how often all but the least of the tokens above `xtcThreshold` are removed, so that
   * the obvious is not always said. Takes a second random number for each token. Default 0, never.
   */
  xtcProbability?: number;
  /** In [0, 1]: probability from which a token counts for XTC. Above 0.5 it does nothing. Default 0.1. */
  xtcThreshold?: number;
  /** 2: mirostat version 2, which holds the surprise at `mirostatTau`; no filter acts. Default 0, off. */
  mirostat?: 0 | 2;
  /** ≥ 0, in bits: the surprise that mirostat aims at. Default 5. */
  mirostatTau?: number;
  /** In [0, 1]: how fast mirostat corrects itself. Default 0.1. */
  mirostatEta?: number;
  /** > 0. Above 1 makes tokens of the prompt and the text less likely. Default 1, off. */
  repetitionPenalty?: number;
  /** Taken from a token's logit for each time it was written; the prompt does not count. Default 0. */
  frequencyPenalty?: number;
  /** Taken from the logit of each token that was written; the prompt does not count. Default 0. */
  presencePenalty?: number;
  /** Added to the logits of tokens, by id. −Infinity forbids one. Default: none. */
  logitBias?: Readonly<Record<number, number>>;
  /** ≥ 0: strength of the penalty on tokens that would continue a repetition (DRY). Default 0, off. */
  dryMultiplier?: number;
  /** ≥ 1: the penalty grows by this factor with each token of the repetition. Default 1.75. */
  dryBase?: number;
  /** ≥ 1: repetitions of this many tokens are the first that count. Default 2. */
  dryAllowedLength?: number;
  /** Tokens that contain one of these end a repetition. Default: line break, colon, quote, asterisk. */
  drySequenceBreakers?: readonly string[];
  /** Integer in [0, 2^53). Default 0. */
  seed?: number;
}

/** Sampling options, checked, with defaults. */
export type ResolvedSampling = Readonly<Required<SamplingOptions>>;

const DEFAULTS: ResolvedSampling = {
  temperature: 0.8, topK: 0, topP: 1, minP: 0, typicalP: 1, xtcProbability: 0, xtcThreshold: 0.1,
  mirostat: 0, mirostatTau: 5, mirostatEta: 0.1,
  repetitionPenalty: 1, frequencyPenalty: 0, presencePenalty: 0, logitBias: {},
  dryMultiplier: 0, dryBase: 1.75, dryAllowedLength: 2,
  drySequenceBreakers: ['\n', ':', '"', '*'], seed: 0,
};

/** Numbers: smallest and largest value, and whether the smallest is left out. */
const RANGES: Partial<Record<keyof SamplingOptions, readonly [number, number?, boolean?]>> = {
  temperature: [0], topP: [0, 1, true], minP: [0, 1], typicalP: [0, 1, true],
  xtcProbability: [0, 1], xtcThreshold: [0, 1], mirostatTau: [0], mirostatEta: [0, 1],
  repetitionPenalty: [0, Number.MAX_VALUE, true],
  frequencyPenalty: [-Number.MAX_VALUE], presencePenalty: [-Number.MAX_VALUE],
  dryMultiplier: [0], dryBase: [1],
};

const INTEGERS = { topK: 0, dryAllowedLength: 1, seed: 0 } as const;

/**
 * Checks sampling options and fills in defaults.
 *
 * @throws {TypeError} If a field has the wrong type.
 * @throws {RangeError} If a field is NaN or out of its range; the message names it.
 * @example
 * resolveSampling({ topK: 40 }).temperature; // 0.8
 */
export function resolveSampling(options: SamplingOptions = {}): ResolvedSampling {
  const fn = 'resolveSampling', resolved: Record<string, unknown> = { ...DEFAULTS };
  for (const key of Object.keys(DEFAULTS) as (keyof SamplingOptions)[])
    if (options[key] !== undefined) resolved[key] = options[key];
  for (const [name, [min, max, open]] of Object.entries(RANGES)) {
    checkNumber(fn, name, resolved[name], min, max);
    if (open && resolved[name] === min)
      throw new RangeError(`${fn}: "${name}" expected a number above ${min}, got ${min}`);
  }
  for (const [name, min] of Object.entries(INTEGERS)) checkInteger(fn, name, resolved[name], min);
  checkOneOf(fn, 'mirostat', resolved.mirostat, [0, 2]);
  checkBias(fn, resolved.logitBias);
  checkBreakers(fn, resolved.drySequenceBreakers);
  return resolved as unknown as ResolvedSampling;
}

function checkBias(fn: string, bias: unknown): void {
  if (typeof bias !== 'object' || bias === null)
    throw new TypeError(`${fn}: "logitBias" expected an object of id to number, got ${show(bias)}`);
  for (const [id, value] of Object.entries(bias)) {
    if (value === -Infinity) continue;
    if (!/^\d{1,7}$/.test(id))
      throw new RangeError(`${fn}: "logitBias" expected token ids, got ${show(id)}`);
    checkNumber(fn, `logitBias[${id}]`, value, -Number.MAX_VALUE);
  }
}

function checkBreakers(fn: string, breakers: unknown): void {
  if (!Array.isArray(breakers) || breakers.some((text) => typeof text !== 'string' || text === ''))
    throw new RangeError(
      `${fn}: "drySequenceBreakers" expected strings that are not empty, got ${show(breakers)}`);
}

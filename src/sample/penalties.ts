/**
 * Logits as the text so far changes them: what may follow at all, biases, penalties, DRY.
 *
 *   repetition    l / p if l > 0, else l · p, for each distinct token of prompt and text
 *   frequency     l − f · (times it was written) − p · [it was written]
 *   DRY           l − multiplier · base^(n − allowed), where choosing the token would continue a
 *                 repetition of the last n ≥ allowed tokens
 *
 * Source: repetition, Keskar et al. 2019, CTRL (arXiv 1909.05858); frequency and presence, the API of
 * OpenAI; DRY, P. E. Weidmann 2024 (oobabooga/text-generation-webui, pull request 5677).
 * @module
 */
import { checkInteger } from '../check.ts';
import type { ResolvedSampling } from './options.ts';

/** Largest finite f32. */
const MAX_F32 = (2 - 2 ** -23) * 2 ** 127;
/** Repetitions count at most this long: the penalty is beyond all logits by then. */
const MAX_REPETITION = 64;

/** The text that a token will follow. */
export interface Context {
  /** Ids of prompt and text, each in [0, V). */
  readonly ids: ArrayLike<number>;
  /** How many of `ids`, the first ones, are the prompt. */
  readonly promptTokens: number;
  /** Bit per token, u32[⌈V/32⌉], least significant first: which may follow. Default: all. */
  readonly allowed?: Uint32Array;
  /** Whether a token ends what DRY counts as a repetition. */
  readonly breaks?: (id: number) => boolean;
}

const clamp = (value: number): number => Math.min(Math.max(value, -MAX_F32), MAX_F32);

/**
 * f32[V] after mask, bias and penalties: `logits` itself where none applies, else a copy. Finite
 * logits stay finite, so that only masked ones are −Infinity.
 */
export function adjust(
  logits: Float32Array, options: ResolvedSampling, context: Context,
): Float32Array {
  const { logitBias, repetitionPenalty, frequencyPenalty, presencePenalty, dryMultiplier } = options;
  const biased = Object.entries(logitBias);
  const counts = frequencyPenalty !== 0 || presencePenalty !== 0;
  if (!context.allowed && biased.length === 0 && repetitionPenalty === 1 && !counts && dryMultiplier === 0)
    return logits;
  const values = logits.slice();
  if (context.allowed) mask(values, context.allowed);
  for (const [key, bias] of biased) {
    const id = Number(key);
    if (id < values.length) values[id] = bias === -Infinity ? bias : clamp(values[id] + bias);
  }
  if (repetitionPenalty !== 1) penalize(values, repetitionPenalty, context.ids);
  if (counts) subtract(values, timesWritten(context), (times) =>
    times * frequencyPenalty + presencePenalty);
  if (dryMultiplier !== 0) dry(values, options, context);
  return values;
}

function mask(values: Float32Array, allowed: Uint32Array): void {
  for (let id = 0; id < values.length; id++)
    if (!((allowed[id >> 5] >>> (id & 31)) & 1)) values[id] = -Infinity;
}

/** Each distinct token once. */
function penalize(values: Float32Array, penalty: number, ids: ArrayLike<number>): void {
  const seen = new Set<number>();
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i];
    checkInteger('sampleToken', 'recent', id, 0, values.length - 1);
    const l = values[id];
    if (l === -Infinity || seen.has(id)) continue;
    seen.add(id);
    values[id] = clamp(l > 0 ? l / penalty : l * penalty);
  }
}

/** How often each token was written. */
function timesWritten({ ids, promptTokens }: Context): Map<number, number> {
  const times = new Map<number, number>();
  for (let i = promptTokens; i < ids.length; i++) times.set(ids[i], (times.get(ids[i]) ?? 0) + 1);
  return times;
}

function subtract(
  values: Float32Array, found: ReadonlyMap<number, number>, penaltyOf: (count: number) => number,
): void {
  for (const [id, count] of found)
    if (values[id] !== -Infinity) values[id] = clamp(values[id] - penaltyOf(count));
}

function dry(values: Float32Array, options: ResolvedSampling, context: Context): void {
  const { dryMultiplier, dryBase, dryAllowedLength } = options;
  const repetitions = repetitionLengths(context);
  for (const [id, length] of repetitions) if (length < dryAllowedLength) repetitions.delete(id);
  subtract(values, repetitions, (length) => {
    let penalty = dryMultiplier; // by products: `pow` is not needed, and this is the same everywhere
    for (let n = dryAllowedLength; n < length; n++) penalty *= dryBase;
    return penalty;
  });
}

/**
 * For each token that followed an earlier occurrence of the last token: how many of the last tokens,
 * at most 64, it would repeat along with what preceded it there. The longest counts.
 */
export function repetitionLengths({ ids, breaks = () => false }: Context): Map<number, number> {
  const lengths = new Map<number, number>(), end = ids.length - 1;
  if (end < 1 || breaks(ids[end])) return lengths;
  for (let i = 0; i < end; i++) {
    const next = ids[i + 1];
    if (ids[i] !== ids[end] || breaks(next)) continue;
    let length = 1;
    while (length < MAX_REPETITION && length <= i && ids[i - length] === ids[end - length] &&
      !breaks(ids[i - length])) length++;
    lengths.set(next, Math.max(length, lengths.get(next) ?? 0));
  }
  return lengths;
}

/**
 * Embeddings of texts: one vector out of the hidden states h[t] after the last norm.
 *
 *   last   h[T − 1], what the model would go on from; for models that see what came before, as ours do
 *   mean   Σ_t h[t] / T
 *
 * and then, unless it is switched off, x / √(Σ x²). Sums are in f64, in the order of the tokens and of
 * the columns, so that the bits are the same everywhere.
 * Source  Reimers & Gurevych 2019, Sentence-BERT (arXiv 1908.10084).
 * @module
 */
import { checkOneOf } from '../check.ts';
import type { BitNet } from '../model/bitnet.ts';

/** How the states of a text become one vector. */
export type Pooling = 'last' | 'mean';

export interface EmbedOptions {
  /** Default: as the file of the model says, else `last`. */
  readonly pooling?: Pooling;
  /** Whether the vector gets length 1, so that a dot product is a cosine. Default true. */
  readonly normalize?: boolean;
}

/** Tokens that are read at a time: the memory of a pass has this bound. */
const CHUNK = 512;

/**
 * The embedding of a text: f32[hiddenSize].
 *
 * @param ids at least one, no more than the context
 * @throws {RangeError} If there are no ids, or the pooling is unknown.
 * @throws {TokenizerError} BAD_TOKEN_ID
 * @throws {EngineError} CONTEXT_TOO_LARGE; CLOSED
 */
export function embed(
  model: BitNet, ids: ArrayLike<number>, { pooling = 'last', normalize = true }: EmbedOptions = {},
): Float32Array {
  checkOneOf('embed', 'pooling', pooling, ['last', 'mean']);
  const width = model.config.hiddenSize, mean = new Float64Array(width);
  eachChunk(model, ids, pooling === 'last', (states) => {
    if (pooling === 'last') mean.fill(0);
    states.forEach((value, i) => (mean[i % width] += value));
  });
  const sum = mean.reduce((total, value) => total + value * value, 0);
  const divisor = normalize ? Math.sqrt(sum) || 1 : pooling === 'mean' ? ids.length : 1;
  return Float32Array.from(mean, (value) => value / divisor);
}

/** States of the text, some tokens at a time: the same bits as all at once. */
function eachChunk(
  model: BitNet, ids: ArrayLike<number>, last: boolean, use: (states: Float32Array) => void,
): void {
  if (ids.length <= CHUNK) return use(model.hidden(ids, { last }));
  const all = Array.from(ids), room = Math.min(all.length, model.config.maxPositionEmbeddings);
  const cache = model.createCache(room);
  try {
    for (let at = 0; at < all.length; at += CHUNK)
      use(model.hidden(all.slice(at, at + CHUNK), { cache, last }));
  } finally {
    cache.dispose();
  }
}

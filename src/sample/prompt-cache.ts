/**
 * Keys and values of texts that were read before, so that a prompt with the same beginning costs only
 * what is new in it.
 *
 * A generation takes the cache with the longest common beginning for itself, or a copy of that
 * beginning where most of the cache goes on differently, and gives it back at the end. What is taken
 * is in nobody else's hands, so generations that run side by side never share one. The oldest go when
 * there are more positions than allowed, or no memory for a new one.
 *
 * The last token of a prompt is always read anew: its logits are wanted. So the same prompt again
 * costs one step.
 * @module
 */
import { EngineError } from '../errors.ts';
import type { BitNet } from '../model/bitnet.ts';
import type { KvCache } from '../model/kv-cache.ts';
import type { KvCacheType } from '../ops/cached-attention.ts';

/** Memory that is kept by default, at most. */
const DEFAULT_BYTES = 2 ** 30;

/** A text that has been read: the cache holds exactly its ids. */
interface Entry {
  readonly ids: readonly number[];
  readonly cache: KvCache;
}

export class PromptCache {
  readonly #model: BitNet;
  /** The last used last. */
  #entries: Entry[] = [];
  #open = true;

  constructor(model: BitNet) {
    this.#model = model;
  }

  /** Positions that are kept, used or not. */
  get capacity(): number {
    return this.#entries.reduce((sum, { cache }) => sum + cache.capacity, 0);
  }

  /**
   * A cache with the longest known beginning of `ids`, all but the last token at most. The caller
   * owns it, and gives it back or disposes of it.
   *
   * @param capacity positions of a cache that is made; one that is found may have fewer
   */
  take(ids: readonly number[], capacity: number, type: KvCacheType = 'f32'): KvCache {
    let best: Entry | undefined, common = 0;
    for (const entry of this.#entries.filter(({ cache }) => cache.type === type)) {
      const length = Math.min(commonLength(entry.ids, ids), ids.length - 1);
      if (length > common) [best, common] = [entry, length];
    }
    if (!best) return this.create(capacity, type);
    if (common * 2 >= best.ids.length) {
      this.#entries = this.#entries.filter((entry) => entry !== best);
      best.cache.truncate(common);
      return best.cache;
    }
    const copy = this.create(Math.max(capacity, common), type);
    if (this.#entries.includes(best)) copy.copyFrom(best.cache, common); // else memory was short
    return copy;
  }

  /** A new cache, for which old ones make room if they must. */
  create(capacity: number, type?: KvCacheType): KvCache {
    for (;;) {
      try {
        return this.#model.createCache(capacity, type);
      } catch (error) {
        const short = error instanceof EngineError && error.code === 'OUT_OF_MEMORY';
        if (!short || this.#entries.length === 0) throw error;
        this.#entries.shift()!.cache.dispose();
      }
    }
  }

  /** Takes back a cache that holds `ids`, and lets the oldest go beyond `maxTokens` positions. */
  give(ids: readonly number[], cache: KvCache, maxTokens = this.#defaultTokens(cache)): void {
    if (!this.#open || cache.length === 0 || cache.capacity > maxTokens) return cache.dispose();
    this.#entries.push({ ids: ids.slice(0, cache.length), cache });
    while (this.capacity > maxTokens) this.#entries.shift()!.cache.dispose();
  }

  /** One context, or what fits into 1 GiB. */
  #defaultTokens({ bytes, capacity }: KvCache): number {
    return Math.min(
      this.#model.config.maxPositionEmbeddings, Math.floor(DEFAULT_BYTES / (bytes / capacity)));
  }

  /** Gives all memory back. What is taken now is given back by its owner. */
  clear(): void {
    for (const { cache } of this.#entries) cache.dispose();
    this.#entries = [];
  }

  /** As `clear`, and nothing is kept from now on. */
  dispose(): void {
    this.clear();
    this.#open = false;
  }
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length++;
  return length;
}

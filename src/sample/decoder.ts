/**
 * One sequence being written: its tokens, and logits after the last of them.
 *
 * The cache holds the tokens from `#base` on. When it is full it grows, up to the model's context;
 * then the older half is forgotten and the newer half read again. With speculation it may also hold
 * guesses beyond the last token, whose logits wait in `#rows` until a token contradicts them.
 *
 *   ids       [ prompt …  written … ]
 *   cache             [ #base …      guesses ]
 * @module
 */
import type { HostTurn } from '../host-turn.ts';
import type { BitNet } from '../model/bitnet.ts';
import type { KvCache } from '../model/kv-cache.ts';
import type { KvCacheType } from '../ops/cached-attention.ts';
import type { PromptCache } from './prompt-cache.ts';
import { DraftLength, lookUp } from './prompt-lookup.ts';

/** Tokens of a prompt that are read between two turns of the host. */
const CHUNK = 512;
/** Capacities are multiples of this, so that a prompt finds room in the cache of an earlier one. */
const ROOM = 256;
/** Tokens that room is made for at first, however many are to be written. */
const FIRST_ROOM = 512;

export interface DecoderOptions {
  readonly maxTokens: number;
  readonly kvCacheType?: KvCacheType;
  /** Whether to guess ahead. */
  readonly speculate: boolean;
}

export class Decoder {
  /** Prompt and what was written. */
  readonly ids: number[];
  readonly promptTokens: number;
  /** Tokens of the prompt that were found in the cache. */
  readonly cachedTokens: number;
  /** Tokens that were guessed, and those of them that were then written. */
  draftedTokens = 0;
  acceptedTokens = 0;
  readonly #model: BitNet;
  readonly #caches: PromptCache;
  readonly #options: DecoderOptions;
  readonly #draft = new DraftLength();
  #cache: KvCache;
  #base = 0;
  /** Guesses in the cache that are not yet confirmed, and the logits after each of them. */
  #guesses: number[] = [];
  #rows: Float32Array[] = [];

  constructor(
    model: BitNet, prompt: ArrayLike<number>, caches: PromptCache, options: DecoderOptions,
  ) {
    this.#model = model;
    this.#caches = caches;
    this.#options = options;
    this.ids = Array.from(prompt);
    this.promptTokens = this.ids.length;
    const context = model.config.maxPositionEmbeddings;
    if (this.promptTokens > context) this.#base = this.promptTokens - half(context);
    const known = this.ids.slice(this.#base);
    const room = known.length + Math.min(options.maxTokens, FIRST_ROOM);
    const capacity = Math.min(context, Math.ceil(room / ROOM) * ROOM);
    this.#cache = caches.take(known, capacity, options.kvCacheType);
    this.cachedTokens = this.#cache.length;
  }

  get written(): number[] {
    return this.ids.slice(this.promptTokens);
  }

  get writtenTokens(): number {
    return this.ids.length - this.promptTokens;
  }

  /** Logits after the last token, computing only what the cache lacks: f32[V]. */
  async logits(turn: HostTurn, signal?: AbortSignal): Promise<Float32Array> {
    const row = this.#rows.shift();
    if (row) return row;
    this.#makeRoom();
    for (;;) {
      const pending = this.ids.slice(this.#base + this.#cache.length);
      if (pending.length <= CHUNK) return this.#read(pending);
      this.#model.logits(pending.slice(0, CHUNK), { cache: this.#cache, last: true });
      await turn.give(signal);
    }
  }

  /** Reads the last tokens, and guesses after them where that is wished and only one is new. */
  #read(pending: readonly number[]): Float32Array {
    const cache = this.#cache, guesses = pending.length === 1 ? this.#guess() : [];
    if (guesses.length === 0) return this.#model.logits(pending, { cache, last: true });
    const V = this.#model.config.vocabSize;
    const all = this.#model.logits([...pending, ...guesses], { cache });
    this.#guesses = guesses;
    this.#rows = guesses.map((_, i) => all.subarray((i + 1) * V, (i + 2) * V));
    this.draftedTokens += guesses.length;
    return all.subarray(0, V);
  }

  #guess(): number[] {
    const { speculate, maxTokens } = this.#options;
    if (!speculate) return [];
    const room = this.#cache.capacity - this.#cache.length - 1;
    const count = Math.min(this.#draft.length, room, maxTokens - this.writtenTokens - 1);
    return count > 0 ? lookUp(this.ids, count) : [];
  }

  /** Appends a token. If guesses say otherwise, they are forgotten. */
  push(id: number): void {
    this.ids.push(id);
    if (this.#guesses.length === 0) return;
    if (this.#guesses.shift() === id) {
      this.acceptedTokens++;
      if (this.#guesses.length === 0) this.#draft.grow();
      return;
    }
    this.#draft.shrink();
    this.#guesses = [];
    this.#rows = [];
    this.#cache.truncate(this.ids.length - 1 - this.#base);
  }

  /** Room for the tokens that are pending: a larger cache, or a later beginning. */
  #makeRoom(): void {
    const cache = this.#cache, needed = this.ids.length - this.#base;
    const context = this.#model.config.maxPositionEmbeddings;
    if (needed > context) {
      cache.truncate(0);
      this.#base = this.ids.length - half(context);
    } else if (needed > cache.capacity) {
      const capacity = Math.min(context, Math.ceil(Math.max(needed, 2 * cache.capacity) / ROOM) * ROOM);
      const larger = this.#caches.create(capacity, cache.type);
      larger.copyFrom(cache, cache.length);
      cache.dispose();
      this.#cache = larger;
    }
  }

  /** Gives the cache back, with what it holds. */
  end(maxCachedTokens?: number): void {
    this.#cache.truncate(this.ids.length - this.#base);
    this.#caches.give(this.ids.slice(this.#base), this.#cache, maxCachedTokens);
  }
}

const half = (positions: number): number => Math.max(1, positions >> 1);

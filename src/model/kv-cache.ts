/**
 * Keys and values of one sequence, so that a new token costs one position and not all of them.
 *
 * Per layer, keys and values [kvHeads, capacity, headDim] of the cache's element type; with i8, a
 * scale for each position and head (`ops/cached-attention.ts`).
 * @module
 */
import { checkInteger } from '../check.ts';
import { EngineError } from '../errors.ts';
import type { LayerCache } from '../nn/pass.ts';
import type { KeyValues, KvCacheType } from '../ops/cached-attention.ts';
import { ELEMENT_BYTES } from '../ops/cached-attention.ts';
import type { Engine } from '../wasm/engine.ts';
import type { BitNetConfig } from './config.ts';
import { headDim } from './tensors.ts';

const align = (bytes: number): number => Math.ceil(bytes / 16) * 16;

export class KvCache implements LayerCache {
  readonly capacity: number;
  readonly type: KvCacheType;
  /** Bytes of linear memory. */
  readonly bytes: number;
  readonly #engine: Engine;
  readonly #config: BitNetConfig;
  /** Bytes of the keys of a layer, and of their scales. */
  readonly #codeBytes: number;
  readonly #scaleBytes: number;
  #ptr: number;
  #length = 0;

  /** @param capacity positions, at most the model's `maxPositionEmbeddings` */
  constructor(engine: Engine, config: BitNetConfig, capacity: number, type: KvCacheType = 'f32') {
    this.#engine = engine;
    this.#config = config;
    this.capacity = capacity;
    this.type = type;
    const places = capacity * config.numKeyValueHeads;
    this.#codeBytes = align(places * headDim(config) * ELEMENT_BYTES[type]);
    this.#scaleBytes = type === 'i8' ? align(places * 4) : 0;
    this.bytes = 2 * config.numHiddenLayers * (this.#codeBytes + this.#scaleBytes);
    this.#ptr = engine.heap.alloc(this.bytes);
  }

  get length(): number {
    return this.#length;
  }

  /** @throws {EngineError} CLOSED after `dispose`. */
  layer(index: number): KeyValues {
    if (!this.#ptr) throw new EngineError('CLOSED', 'the cache is closed');
    const codes = this.#codeBytes, scales = this.#scaleBytes;
    const keys = this.#ptr + index * 2 * (codes + scales);
    return {
      type: this.type, capacity: this.capacity, keys, values: keys + codes,
      keyScales: scales && keys + 2 * codes, valueScales: scales && keys + 2 * codes + scales,
    };
  }

  /** Whether the cache was made for a model of this engine and configuration. */
  fits(engine: Engine, config: BitNetConfig): boolean {
    return engine === this.#engine && config === this.#config;
  }

  /** Counts `tokens` positions that a pass has stored. */
  advance(tokens: number): void {
    this.#length += tokens;
  }

  /** Forgets everything after the first `length` positions. */
  truncate(length: number): void {
    checkInteger('truncate', 'length', length, 0);
    this.#length = Math.min(this.#length, length);
  }

  /** Zeroes the memory and gives it back. */
  dispose(): void {
    if (this.#ptr) this.#engine.heap.free(this.#ptr);
    this.#ptr = 0;
    this.#length = 0;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

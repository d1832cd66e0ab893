/**
 * Keys and values of one sequence, so that a new token costs one position and not all of them.
 *
 * f32[capacity, kvHeads · headDim] for keys and for values, per layer.
 * @module
 */
import { checkInteger } from '../check.ts';
import { EngineError } from '../errors.ts';
import type { LayerCache } from '../nn/pass.ts';
import type { Engine } from '../wasm/engine.ts';
import type { BitNetConfig } from './config.ts';
import { headDim } from './tensors.ts';

export class KvCache implements LayerCache {
  readonly capacity: number;
  readonly #engine: Engine;
  readonly #config: BitNetConfig;
  readonly #layerBytes: number;
  readonly #layers: number;
  #ptr: number;
  #length = 0;

  /** @param capacity positions, at most the model's `maxPositionEmbeddings` */
  constructor(engine: Engine, config: BitNetConfig, capacity: number) {
    this.#engine = engine;
    this.#config = config;
    this.capacity = capacity;
    this.#layers = config.numHiddenLayers;
    this.#layerBytes = capacity * config.numKeyValueHeads * headDim(config) * 4;
    this.#ptr = engine.heap.alloc(2 * this.#layers * this.#layerBytes);
  }

  get length(): number {
    return this.#length;
  }

  /** @throws {EngineError} CLOSED after `dispose`. */
  keys(layer: number): number {
    this.#checkOpen();
    return this.#ptr + layer * this.#layerBytes;
  }

  /** @throws {EngineError} CLOSED after `dispose`. */
  values(layer: number): number {
    this.#checkOpen();
    return this.#ptr + (this.#layers + layer) * this.#layerBytes;
  }

  /** Whether the cache was made for a model of this engine and configuration. */
  fits(engine: Engine, config: BitNetConfig): boolean {
    return engine === this.#engine && config === this.#config;
  }

  #checkOpen(): void {
    if (!this.#ptr) throw new EngineError('CLOSED', 'the cache is closed');
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

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

  /**
   * Takes over the first `length` positions of another cache, in place of all that was here.
   *
   * @throws {RangeError} If that one is of another model or type, or has not so many, or this no room.
   */
  copyFrom(other: KvCache, length: number): void {
    checkInteger('copyFrom', 'length', length, 0, Math.min(other.#length, this.capacity));
    if (other.type !== this.type || !other.fits(this.#engine, this.#config))
      throw new RangeError('copyFrom: "other" expected a cache of the same model and type');
    const memory = this.#engine.u8(0, this.#engine.memory.buffer.byteLength);
    const from = other.#runs(length), to = this.#runs(length);
    from.forEach(({ ptr, bytes }, i) => memory.copyWithin(to[i].ptr, ptr, ptr + bytes));
    this.#length = length;
  }

  /** Bytes of all positions: of each layer keys, values and scales, [kvHeads, length, ·] each. */
  encode(): Uint8Array<ArrayBuffer> {
    const runs = this.#runs(this.#length);
    const data = new Uint8Array(runs.reduce((sum, { bytes }) => sum + bytes, 0));
    let at = 0;
    for (const { ptr, bytes } of runs) {
      data.set(this.#engine.u8(ptr, bytes), at);
      at += bytes;
    }
    return data;
  }

  /** How many bytes `encode` gives for `length` positions. */
  encodedBytes(length: number): number {
    return this.#runs(length).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Puts back what `encode` gave for `length` positions. */
  decode(data: Uint8Array, length: number): void {
    checkInteger('decode', 'length', length, 0, this.capacity);
    checkInteger('decode', 'data.length', data.length, this.encodedBytes(length), this.encodedBytes(length));
    let at = 0;
    for (const { ptr, bytes } of this.#runs(length)) {
      this.#engine.u8(ptr, bytes).set(data.subarray(at, at + bytes));
      at += bytes;
    }
    this.#length = length;
  }

  /** The first `length` positions, each head's keys, values and scales a run of bytes. */
  #runs(length: number): { ptr: number; bytes: number }[] {
    const { numHiddenLayers, numKeyValueHeads } = this.#config;
    const row = headDim(this.#config) * ELEMENT_BYTES[this.type], runs = [];
    for (let i = 0; i < numHiddenLayers; i++) {
      const { keys, values, keyScales, valueScales } = this.layer(i);
      const parts = [[keys, row], [values, row], ...(keyScales ? [[keyScales, 4], [valueScales, 4]] : [])];
      for (const [ptr, bytes] of parts)
        for (let head = 0; head < numKeyValueHeads; head++)
          runs.push({ ptr: ptr + head * this.capacity * bytes, bytes: length * bytes });
    }
    return runs;
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

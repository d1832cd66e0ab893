/**
 * Random numbers that are the same everywhere: xoshiro128** on 32-bit integers.
 *
 * Only integer operations and exact scaling by powers of two are used, so a seed gives the same
 * sequence on every engine. The state is four u32 and can be saved and restored.
 *
 * Source: Blackman & Vigna 2021, Scrambled Linear Pseudorandom Number Generators
 * (arXiv 1805.01407); seeding by splitmix as they advise.
 * @module
 */
import { checkInteger } from './check.ts';

const rotl = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

/** A seeded generator. Owns 128 bits of state. */
export class Rng {
  #s: Uint32Array;

  /**
   * @param seed integer in [0, 2^53)
   * @param stream integer in [0, 2^32): sequences with different streams are unrelated
   * @throws {RangeError} If the seed is no integer in that range.
   * @example
   * new Rng(1).nextU32() === new Rng(1).nextU32(); // true
   */
  constructor(seed: number, stream = 0) {
    checkInteger('Rng', 'seed', seed, 0);
    checkInteger('Rng', 'stream', stream, 0, 0xffffffff);
    this.#s = new Uint32Array(4);
    let mixed = (seed >>> 0) ^ Math.imul(Math.floor(seed / 2 ** 32), 0x85ebca6b);
    mixed = (mixed + Math.imul(stream, 0xc2b2ae35)) | 0;
    for (let i = 0; i < 4; i++) {
      mixed = (mixed + 0x9e3779b9) | 0;
      let z = mixed ^ (mixed >>> 16);
      z = Math.imul(z, 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      this.#s[i] = z ^ (z >>> 15);
    }
    if (this.#s.every((word) => word === 0)) this.#s[0] = 1; // the one state that never moves
  }

  /** A copy of the state: u32[4]. */
  get state(): Uint32Array {
    return this.#s.slice();
  }

  /** @throws {RangeError} If it is not four words, not all zero. */
  set state(words: Uint32Array) {
    if (words.length !== 4 || words.every((word) => word === 0))
      throw new RangeError(`Rng: "state" expected 4 words, not all zero, got ${words.length}`);
    this.#s = Uint32Array.from(words);
  }

  /** Uniform on 0 … 2^32 − 1. */
  nextU32(): number {
    const s = this.#s;
    const result = Math.imul(rotl(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 11);
    return result;
  }

  /** Uniform on [0, 1), a multiple of 2^−53. */
  nextFloat(): number {
    const high = this.nextU32() >>> 5; // 27 bits
    const low = this.nextU32() >>> 6; // 26 bits
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** Uniform on 0 … n − 1 without bias (rejection). n is an integer in [1, 2^32]. */
  nextBelow(n: number): number {
    checkInteger('nextBelow', 'n', n, 1, 2 ** 32);
    const limit = 2 ** 32 - (2 ** 32 % n);
    for (;;) {
      const u = this.nextU32();
      if (u < limit) return u % n;
    }
  }

  /**
   * About standard normal: the sum of 12 uniforms minus 6 (Irwin–Hall), |value| ≤ 6.
   * Chosen over Box–Muller because it needs neither log nor cos, whose bits differ by engine.
   */
  nextNormal(): number {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += this.nextU32() / 2 ** 32;
    return sum;
  }
}

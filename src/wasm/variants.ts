/**
 * Which of several kernels that compute the same integers runs.
 *
 *   build     baseline  SIMD128, which every runtime has
 *             relaxed   the lookup products with relaxed swizzles on top, where the runtime has them
 *   product   lookup    cost does not depend on the activation bits
 *             popcount  cost is proportional to them
 *
 * All read the same tiles, so the choice is free at every call. The rule below is recorded from
 * `npm run bench`; an engine can be told to use one family or build throughout.
 * @module
 */
import { show } from '../check.ts';
import type { BitKind } from '../quant/layout.ts';

export type Build = 'baseline' | 'relaxed';
export type Product = 'lookup' | 'popcount';

export const BUILDS: readonly Build[] = ['baseline', 'relaxed'];
export const PRODUCTS: readonly Product[] = ['lookup', 'popcount'];

/**
 * Up to how many activation bits popcount is the faster one.
 *
 * Recorded on an EPYC (Zen 3), one thread, one token, 2048 × 2048, operands included, in Gmac/s:
 *
 *               popcount, by bits         lookup, V8 11.3      lookup, V8 13.6
 *   b1          1: 165, 2: 83, 3: 54      61, relaxed 76       65, relaxed 85
 *   t2          2: 41, 3: 28              32, relaxed 39       35, relaxed 46
 *
 * Ternary products have no XNOR: activations of 1 bit cost as much as those of 2.
 */
const POPCOUNT_BITS: Readonly<Record<Build, Readonly<Record<BitKind, number>>>> = {
  baseline: { b1: 2, t2: 2 },
  relaxed: { b1: 2, t2: 0 },
};

/** The recorded rule: the fastest family for weights of a kind and activations of 1 … 8 bits. */
export const fastestProduct = (build: Build, kind: BitKind, bits: number): Product =>
  bits <= POPCOUNT_BITS[build][kind] ? 'popcount' : 'lookup';

/** Throws unless `value` is one of `allowed`. */
function checkOneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value as string))
    throw new RangeError(`createEngine: "${name}" expected ${allowed.join(' or ')}, got ${show(value)}`);
}

/** What an engine's caller may force. */
export interface ForcedVariants {
  /** Default: relaxed where the runtime has it and it passes the self-test. */
  readonly build?: Build;
  /** Default: the recorded rule, by kind of weights and activation bits. */
  readonly product?: Product;
}

/** @throws {RangeError} If a name is unknown. */
export function checkVariants({ build, product }: ForcedVariants): void {
  checkOneOf('build', build, BUILDS);
  checkOneOf('product', product, PRODUCTS);
}

/** The variants of one engine. */
export class Variants {
  readonly build: Build;
  readonly #forced?: Product;

  constructor(build: Build, forced?: Product) {
    this.build = build;
    this.#forced = forced;
  }

  /**
   * The family that computes a product.
   *
   * @param bits of the activations, 1 … 8
   */
  productFor(kind: BitKind, bits: number): Product {
    return this.#forced ?? fastestProduct(this.build, kind, bits);
  }

  /** The choice for every kind and width: `{ b1: ['popcount', …8], t2: […] }`, index bits − 1. */
  table(): Readonly<Record<BitKind, readonly Product[]>> {
    const row = (kind: BitKind): Product[] =>
      Array.from({ length: 8 }, (_, i) => this.productFor(kind, i + 1));
    return { b1: row('b1'), t2: row('t2') };
  }
}

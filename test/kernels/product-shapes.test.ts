/**
 * Every integer product at random shapes, values and addresses: exact against the definition.
 *
 * Shapes are 0 and 1, tiles and steps ± 1, primes; values random, or one extreme throughout; operands
 * begin at any byte, as WebAssembly allows. The same seed makes the same cases everywhere.
 */
import { suite } from 'uvu';
import { paddedCols } from '../../src/quant/layout.ts';
import type { BitKind } from '../../src/quant/layout.ts';
import { gemmBlockI8 } from '../../src/ref/bit-gemm.ts';
import { Rng } from '../../src/rng.ts';
import { sameBits, sameIntegers } from '../helpers/close.ts';
import { builds, unaligned } from '../helpers/kernels.ts';
import { blockProduct, lookup, naive, popcount } from '../helpers/products.ts';
import type { Product } from '../helpers/products.ts';
import { randomI8, randomSigns, randomTernary } from '../helpers/random.ts';

const TOKENS = [0, 1, 2, 3, 5, 8, 17];
const ROWS = [0, 1, 7, 15, 16, 17, 31, 33, 47, 48, 49, 61, 101];
const COLUMNS = [1, 2, 7, 13, 15, 16, 17, 61, 63, 64, 65, 113, 127, 128, 129, 251, 509, 1021, 1031, 2053];
const CASES = 60;

interface Case extends Product {
  /** Of the activations. */
  readonly bits: number;
  readonly offset: () => number;
  readonly label: string;
}

/** Codes of `bits` bits: random, or all the least, the largest, or each in turn. */
function codesOf(rng: Rng, bits: number, n: number): Int8Array {
  const half = 2 ** (bits - 1), low = bits === 1 ? -1 : -half, high = bits === 1 ? 1 : half - 1;
  const fill = rng.nextBelow(5);
  if (fill < 2) return bits === 1 ? randomSigns(n, fill) : randomI8(n, n + fill, low, high);
  return Int8Array.from({ length: n }, (_, i) => [low, high, i & 1 ? low : high][fill - 2]);
}

/** Weights of a kind: random, all −1, or all +1. */
function weightsOf(rng: Rng, kind: BitKind, n: number): Int8Array {
  const fill = rng.nextBelow(4);
  if (fill < 2) return (kind === 'b1' ? randomSigns : randomTernary)(n, n + fill);
  return new Int8Array(n).fill(fill === 2 ? -1 : 1);
}

function caseOf(rng: Rng, kind: BitKind): Case {
  const one = (values: readonly number[]): number => values[rng.nextBelow(values.length)];
  const m = one(TOKENS), n = one(ROWS), k = one(COLUMNS), bits = 1 + rng.nextBelow(8);
  return {
    m, n, k, bits, x: codesOf(rng, bits, m * k), w: weightsOf(rng, kind, n * k),
    offset: () => rng.nextBelow(16), label: `${m} × ${n} × ${k}, ${bits} bits`,
  };
}

for (const build of builds) {
  const test = suite(`shapes of products [${build.name}]`);

  for (const kind of ['b1', 't2'] as const) {
    test(`${kind}: lookups and popcounts are exact at any shape, extreme and address`, () => {
      const rng = new Rng(kind === 'b1' ? 1 : 2);
      for (let i = 0; i < CASES; i++) {
        const { bits, offset, label, ...product } = caseOf(rng, kind), expected = naive(product);
        sameIntegers(unaligned(offset, () => lookup(build, kind, product)), expected, label);
        // Ternary weights have no XNOR: their activations of 1 bit are read as 2 planes.
        const planes = kind === 't2' && bits === 1 ? 2 : bits;
        sameIntegers(
          unaligned(offset, () => popcount(build, kind, product, planes)), expected, label);
      }
    });

    test(`${kind}: with a scale per block they have the bits of the reference at any address`, () => {
      const rng = new Rng(3);
      for (let i = 0; i < CASES / 2; i++) {
        const own = caseOf(rng, kind), bits = Math.max(2, own.bits), { offset, label } = own;
        const part = 16 << rng.nextBelow(4), parts = 1 + rng.nextBelow(3);
        const block = part * parts, blocks = Math.ceil(paddedCols(own.k) / block), kp = blocks * block;
        const m = Math.max(1, own.m), n = Math.max(1, own.n);
        const operands = {
          q: codesOf(rng, bits, m * kp), weights: weightsOf(rng, kind, n * kp), part, parts,
          // Powers of two and odd thirds: exact and inexact sums.
          xScales: Float32Array.from({ length: (m * kp) / part }, (_, s) => (s % 3 ? 2 ** -s : 1 / 3)),
          scales: Float32Array.from({ length: n * blocks }, (_, s) => (1 + (s % 5)) / 8),
        };
        const expected = gemmBlockI8(operands, m, n, kp);
        for (const variant of ['lookup', bits] as const)
          sameBits(
            unaligned(offset, () => blockProduct(build, kind, variant, operands, m, n, kp)), expected,
            `${label}, blocks of ${parts} × ${part}, ${variant}`);
      }
    });
  }

  test.run();
}

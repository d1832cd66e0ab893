/**
 * Packing, quantizing, and the products of integers and floats, at sizes that fit no tile.
 * @module
 */
import { bitGemm, dequantize, quantize } from '../../src/ops/bit-gemm.ts';
import type { BitWeights } from '../../src/ops/bit-weights.ts';
import { allocBitWeights, binarize, expand, freeBitWeights } from '../../src/ops/bit-weights.ts';
import type { BlockWeights } from '../../src/ops/block-weights.ts';
import { blockGemm, quantizeBlocks } from '../../src/ops/block-gemm.ts';
import { allocBlockWeights, freeBlockWeights, layOutBlocks } from '../../src/ops/block-weights.ts';
import { gemmNN, gemmNT, gemmTN } from '../../src/ops/gemm.ts';
import type { Matrix } from '../../src/ops/matrix.ts';
import { newMatrix } from '../../src/ops/matrix.ts';
import type { BitKind } from '../../src/quant/layout.ts';
import { BITS, fileRowBytes, rowBytes, tileBytes } from '../../src/quant/layout.ts';
import type { Product } from '../../src/wasm/variants.ts';
import { PRODUCTS } from '../../src/wasm/variants.ts';
import type { Bench, Part } from './part.ts';
import { digestMatrix, randomMatrix } from './part.ts';

/** Tokens, rows and columns: one of each, ragged, whole tiles, and enough for several threads. */
const SIZES: readonly (readonly [number, number, number])[] =
  [[1, 1, 1], [3, 33, 50], [16, 64, 128], [37, 100, 259], [80, 96, 512]];

/** Runs `use` with random weights in both layouts, which it gives back. */
function withWeights(
  bench: Bench, kind: BitKind, rows: number, cols: number, use: (w: BitWeights, latent: Matrix) => void,
): void {
  const { engine } = bench;
  const weights = allocBitWeights(engine, kind, rows, cols, true);
  const latent = randomMatrix(bench, rows, cols, 0.05);
  try {
    binarize(bench, latent, weights, 1);
    use(weights, latent);
  } finally {
    freeBitWeights(engine, weights);
  }
}

const packing: Part = {
  name: 'packing',
  run(bench) {
    const { engine, digest } = bench;
    for (const kind of ['b1', 't2'] as const) for (const [, rows, cols] of SIZES)
      withWeights(bench, kind, rows, cols, (w) => {
        digest.bytes(engine.u8(w.codes, rows * rowBytes(kind, cols)));
        digest.bytes(engine.u8(w.tiles, tileBytes(kind, rows, cols)));
        digest.floats(engine.f32(w.scales, rows)).bytes(engine.i32(w.sums, rows));
        const out = newMatrix(bench, rows, cols);
        expand(bench, w, out);
        digestMatrix(bench, out);
      });
  },
};

const quantizing: Part = {
  name: 'quantizing',
  run(bench) {
    for (const [rows, , cols] of SIZES) for (let bits = 1; bits <= 8; bits++)
      for (const shifted of [false, true]) {
        const q = quantize(bench, randomMatrix(bench, rows, cols, 3), { bits, shifted });
        bench.digest.floats(bench.engine.f32(q.scales, rows)).bytes(bench.engine.i32(q.sums, rows));
        const out = newMatrix(bench, rows, cols);
        dequantize(bench, q, out);
        digestMatrix(bench, out);
      }
  },
};

/** y ← x · W̃ᵀ at every number of activation bits, by every product that can. */
const integerProducts = (kind: BitKind, product: Product): Part => ({
  name: `${kind} by ${product}`,
  run(bench) {
    for (const [m, n, k] of SIZES) withWeights(bench, kind, n, k, (w) => {
      for (let bits = 1; bits <= 8; bits++) for (const shifted of [false, true]) {
        if (shifted && bits === 1) continue;
        const mark = bench.workspace.mark();
        const q = quantize(bench, randomMatrix(bench, m, k), { bits, shifted });
        const y = newMatrix(bench, m, n);
        bitGemm(bench, q, [w], [y], { product });
        digestMatrix(bench, y);
        bench.workspace.release(mark);
      }
    });
  },
});

/** Random codes with a scale per block of columns, as files have them. */
function blockWeights(
  bench: Bench, kind: BitKind, n: number, k: number, block: number, fixed = false,
): BlockWeights {
  const { engine, workspace, rng } = bench, bytes = fileRowBytes(kind, k);
  const weights = allocBlockWeights(engine, kind, n, k, block, fixed), codes = workspace.alloc(n * bytes);
  // 01 and 10 are codes of both kinds; scales are f16 from 2^-8 to 2^-1
  engine.u8(codes, n * bytes).forEach((_, i, all) => (all[i] = rng.nextBelow(2) ? 0x55 : 0x66));
  const scales = Uint16Array.from(
    { length: n * Math.ceil(k / block) }, () => (7 + rng.nextBelow(7)) << 10 | rng.nextBelow(1024));
  const stride = (128 * BITS[kind]) / 8;
  layOutBlocks(bench, weights, { ptr: codes, rowBytes: bytes, stride }, scales);
  return weights;
}

const blockProducts: Part = {
  name: 'products with scales per block',
  run(bench) {
    for (const kind of ['b1', 't2'] as const)
      for (const [m, n, k, block] of [[1, 16, 128, 128], [3, 50, 256, 128], [20, 33, 384, 128]]) {
        const weights = blockWeights(bench, kind, n, k, block), x = randomMatrix(bench, m, k);
        for (const bits of [3, 8]) for (const part of [32, 128]) for (const product of PRODUCTS) {
          const y = newMatrix(bench, m, n);
          const q = quantizeBlocks(bench, x, weights, { part, bits });
          blockGemm(bench, q, [weights], [y], { product });
          digestMatrix(bench, y);
        }
        freeBlockWeights(bench.engine, weights);
      }
    fixedProducts(bench);
  },
};

/** The same with scales in fixed point, over more than one chunk of columns. */
function fixedProducts(bench: Bench): void {
  for (const kind of ['b1', 't2'] as const)
    for (const [m, n, k, block] of [[1, 50, 1280, 128], [5, 33, 192, 32], [20, 16, 768, 64]]) {
      const weights = blockWeights(bench, kind, n, k, block, true), x = randomMatrix(bench, m, k);
      for (const product of PRODUCTS) {
        const y = newMatrix(bench, m, n);
        blockGemm(bench, quantizeBlocks(bench, x, weights), [weights], [y], { product });
        digestMatrix(bench, y);
      }
      freeBlockWeights(bench.engine, weights);
    }
}

const floatProducts: Part = {
  name: 'float products',
  run(bench) {
    for (const [m, n, k] of [...SIZES, [130, 70, 300] as const]) {
      const a = randomMatrix(bench, m, k), b = randomMatrix(bench, k, n);
      const at = randomMatrix(bench, k, m), bt = randomMatrix(bench, n, k);
      const out = randomMatrix(bench, m, n);
      for (const accumulate of [false, true]) {
        for (const run of [
          () => gemmNN(bench, a, b, out, accumulate), () => gemmNT(bench, a, bt, out, accumulate),
          () => gemmTN(bench, at, b, out, accumulate),
        ]) {
          run();
          digestMatrix(bench, out);
        }
      }
    }
  },
};

export const productParts: readonly Part[] = [
  packing, quantizing, integerProducts('b1', 'lookup'), integerProducts('t2', 'lookup'),
  integerProducts('b1', 'popcount'), integerProducts('t2', 'popcount'), blockProducts, floatProducts,
];

/**
 * Products, each compared with a second way to compute it before it is timed.
 * @module
 */
import { bitGemm, dequantize, quantize } from '../src/ops/bit-gemm.ts';
import type { Quantized } from '../src/ops/bit-gemm.ts';
import { allocBitWeights, binarize, expand } from '../src/ops/bit-weights.ts';
import type { BitWeights } from '../src/ops/bit-weights.ts';
import { blockGemm, quantizeBlocks } from '../src/ops/block-gemm.ts';
import { allocBlockWeights, layOutBlocks } from '../src/ops/block-weights.ts';
import type { BlockWeights } from '../src/ops/block-weights.ts';
import { gemmNT } from '../src/ops/gemm.ts';
import type { Compute } from '../src/ops/matrix.ts';
import { viewOf } from '../src/ops/matrix.ts';
import type { BitKind } from '../src/quant/layout.ts';
import { BITS, rowBytes } from '../src/quant/layout.ts';
import type { Engine } from '../src/wasm/engine.ts';
import type { Product } from '../src/wasm/variants.ts';
import { PRODUCTS } from '../src/wasm/variants.ts';
import { Workspace } from '../src/wasm/workspace.ts';
import type { Case } from './case.ts';
import { emptyMatrix, randomMatrix } from './case.ts';

/** A sum of K products in f32 may differ from the exact one by this share. */
const TOLERANCE = 1e-3;

const SIZE = 2048;
const BLOCK = 128;

/** Every kind of weights, one and 64 tokens, every family; at fewer bits what is meant for them. */
export function productCases(engine: Engine): Case[] {
  const compute = { engine, workspace: new Workspace(engine.heap) };
  const weights = { b1: packed(compute, 'b1'), t2: packed(compute, 't2') };
  const cases: Case[] = [];
  for (const kind of ['b1', 't2'] as const)
    for (const m of [1, 64]) {
      for (const product of PRODUCTS) cases.push(bitCase(compute, m, weights[kind], 8, product));
      cases.push(blockCase(compute, m, blocks(compute, weights[kind])));
    }
  for (const bits of [1, 2]) cases.push(bitCase(compute, 1, weights.b1, bits, 'popcount'));
  return [...cases, floatCase(compute, 256, 256, 256), floatCase(compute, 768, 512, 512)];
}

/** Packed weights of random latents, with codes for `expand`. */
export function packed(compute: Compute, kind: BitKind, rows = SIZE, cols = SIZE): BitWeights {
  const weights = allocBitWeights(compute.engine, kind, rows, cols, true);
  const latent = randomMatrix(compute, rows, cols, 2);
  binarize(compute, latent, weights, 1);
  compute.engine.heap.free(latent.ptr);
  return weights;
}

/** The same weights with a scale of 1 per block. */
function blocks(compute: Compute, { kind, rows, cols, codes }: BitWeights): BlockWeights {
  const weights = allocBlockWeights(compute.engine, kind, rows, cols, BLOCK, true);
  const source = { ptr: codes, rowBytes: rowBytes(kind, cols), stride: (BLOCK * BITS[kind]) / 8 };
  layOutBlocks(compute, weights, source, new Uint16Array((rows * cols) / BLOCK).fill(0x3c00));
  return weights;
}

const shapeOf = (m: number, n: number, k: number): string => `[${m}, ${k}] · [${n}, ${k}]ᵀ`;

/** i`bits` × packed weights, quantization of the input included. */
function bitCase(
  compute: Compute, m: number, w: BitWeights, bits: number, product: Product,
): Case {
  const { rows: n, cols: k } = w;
  const x = randomMatrix(compute, m, k, 1), out = emptyMatrix(compute, m, n);
  const run = (): void => {
    const mark = compute.workspace.mark();
    bitGemm(compute, quantize(compute, x, { bits, shifted: false }), [w], [out], { product });
    compute.workspace.release(mark);
  };
  run();
  validate(compute, quantize(compute, x, { bits, shifted: false }), w, viewOf(compute, out));
  compute.workspace.reset();
  return {
    kernel: `i${bits} × ${w.kind}`, shape: shapeOf(m, n, k), variant: product, unit: 'Gmac/s',
    work: m * n * k, run,
  };
}

/** i8 × packed weights with a scale per block; validated against the other family, bit for bit. */
function blockCase(compute: Compute, m: number, w: BlockWeights): Case {
  const { rows: n, cols: k, kind } = w;
  const x = randomMatrix(compute, m, k, 1), out = emptyMatrix(compute, m, n);
  const run = (product: Product = 'lookup'): void => {
    const mark = compute.workspace.mark();
    blockGemm(compute, quantizeBlocks(compute, x, w), [w], [out], { product });
    compute.workspace.release(mark);
  };
  run('popcount');
  const expected = viewOf(compute, out).slice();
  run();
  const wrong = viewOf(compute, out).findIndex((y, i) => y !== expected[i]);
  if (wrong >= 0) throw new Error(`${kind} with block scales: the families differ at ${wrong}`);
  return {
    kernel: `i8 × ${kind} / ${BLOCK}`, shape: shapeOf(m, n, k), variant: 'lookup', unit: 'Gmac/s',
    work: m * n * k, run: () => run(),
  };
}

/** Compares a packed product with the float product of the same numbers. */
function validate(compute: Compute, q: Quantized, w: BitWeights, found: Float32Array): void {
  const x = emptyMatrix(compute, q.rows, q.cols), real = emptyMatrix(compute, w.rows, w.cols);
  const expected = emptyMatrix(compute, q.rows, w.rows), got = found.slice();
  dequantize(compute, q, x);
  expand(compute, w, real);
  gemmNT(compute, x, real, expected);
  const wanted = viewOf(compute, expected);
  const largest = wanted.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const index = got.findIndex((value, i) => !(Math.abs(value - wanted[i]) <= TOLERANCE * largest));
  if (index >= 0) throw new Error(`${w.kind}: wrong at ${index}: ${got[index]}, expected ${wanted[index]}`);
  for (const { ptr } of [x, real, expected]) compute.engine.heap.free(ptr);
}

function floatCase(compute: Compute, m: number, n: number, k: number): Case {
  const a = randomMatrix(compute, m, k, 3), b = randomMatrix(compute, n, k, 4);
  const out = emptyMatrix(compute, m, n);
  const run = (): void => gemmNT(compute, a, b, out);
  run();
  const va = viewOf(compute, a), vb = viewOf(compute, b), c = viewOf(compute, out);
  for (const at of [0, m * n - 1]) {
    let expected = 0;
    const i = Math.floor(at / n), j = at % n;
    for (let p = 0; p < k; p++) expected += va[i * k + p] * vb[j * k + p];
    if (!(Math.abs(c[at] - expected) <= TOLERANCE * Math.sqrt(k)))
      throw new Error(`f32: got ${c[at]} at ${at}, expected ${expected}`);
  }
  return {
    kernel: 'f32 × f32', shape: shapeOf(m, n, k), variant: 'panels', unit: 'GFLOPS',
    work: 2 * m * n * k, limit: 'mul+add', run,
  };
}

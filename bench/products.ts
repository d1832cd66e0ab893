/**
 * Products, each compared with a second way to compute it before it is timed.
 * @module
 */
import type { Quantized } from '../src/ops/bit-gemm.ts';
import { bitGemm, dequantize, quantize } from '../src/ops/bit-gemm.ts';
import type { BitWeights } from '../src/ops/bit-weights.ts';
import { allocBitWeights, binarize, expand } from '../src/ops/bit-weights.ts';
import { gemmNT } from '../src/ops/gemm.ts';
import type { Compute, Matrix } from '../src/ops/matrix.ts';
import { viewOf } from '../src/ops/matrix.ts';
import type { BitKind } from '../src/quant/layout.ts';
import { Rng } from '../src/rng.ts';
import type { Engine } from '../src/wasm/engine.ts';
import { Workspace } from '../src/wasm/workspace.ts';
import type { Case } from './case.ts';

/** A sum of K products in f32 may differ from the exact one by this share. */
const TOLERANCE = 1e-3;

const LARGE = 2048;

export function productCases(engine: Engine): Case[] {
  const compute = { engine, workspace: new Workspace(engine.heap) };
  const bits = (m: number, kind: BitKind, activationBits: number): Case =>
    bitCase(compute, m, LARGE, LARGE, kind, activationBits);
  return [
    bits(1, 'b1', 8), bits(64, 'b1', 8), bits(1, 't2', 8), bits(64, 't2', 8),
    bits(1, 'b1', 2), bits(1, 'b1', 1),
    floatCase(compute, 256, 256, 256), floatCase(compute, 768, 512, 512),
  ];
}

export function randomMatrix({ engine }: Compute, rows: number, cols: number, seed: number): Matrix {
  const rng = new Rng(seed), ptr = engine.heap.alloc(rows * cols * 4);
  const view = engine.f32(ptr, rows * cols);
  for (let i = 0; i < view.length; i++) view[i] = rng.nextNormal();
  return { ptr, rows, cols };
}

export const emptyMatrix = ({ engine }: Compute, rows: number, cols: number): Matrix =>
  ({ ptr: engine.heap.alloc(rows * cols * 4), rows, cols });

/** i`bits` × packed weights, quantization of the input included. */
function bitCase(
  compute: Compute, m: number, n: number, k: number, kind: BitKind, bits: number,
): Case {
  const x = randomMatrix(compute, m, k, 1), w = randomMatrix(compute, n, k, 2);
  const packed = allocBitWeights(compute.engine, kind, n, k, true);
  binarize(compute, w, packed, 1);
  const out = emptyMatrix(compute, m, n);
  const run = (): void => {
    const mark = compute.workspace.mark();
    bitGemm(compute, quantize(compute, x, { bits, shifted: false }), [packed], [out]);
    compute.workspace.release(mark);
  };
  run();
  validate(compute, quantize(compute, x, { bits, shifted: false }), packed, out);
  return { name: `i${bits} × ${kind}  [${m}, ${k}] · [${n}, ${k}]ᵀ`, unit: 'Gmac/s', work: m * n * k, run };
}

/** Compares a packed product with the float product of the same numbers. */
function validate(compute: Compute, q: Quantized, w: BitWeights, out: Matrix): void {
  const x = emptyMatrix(compute, q.rows, q.cols), real = emptyMatrix(compute, w.rows, w.cols);
  const expected = emptyMatrix(compute, q.rows, w.rows);
  dequantize(compute, q, x);
  expand(compute, w, real);
  gemmNT(compute, x, real, expected);
  const a = viewOf(compute, out), b = viewOf(compute, expected);
  const largest = b.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const index = a.findIndex((value, i) => Math.abs(value - b[i]) > TOLERANCE * largest);
  if (index >= 0) throw new Error(`${w.kind}: wrong at ${index}: ${a[index]}, expected ${b[index]}`);
  for (const { ptr } of [x, real, expected]) compute.engine.heap.free(ptr);
}

function floatCase(compute: Compute, m: number, n: number, k: number): Case {
  const a = randomMatrix(compute, m, k, 3), b = randomMatrix(compute, n, k, 4);
  const out = emptyMatrix(compute, m, n);
  const run = (): void => gemmNT(compute, a, b, out);
  run();
  const va = viewOf(compute, a), vb = viewOf(compute, b);
  let expected = 0;
  for (let p = 0; p < k; p++) expected += va[p] * vb[p];
  const got = viewOf(compute, out)[0];
  if (Math.abs(got - expected) > TOLERANCE * Math.sqrt(k))
    throw new Error(`f32: got ${got}, expected ${expected}`);
  return { name: `f32 × f32  [${m}, ${k}] · [${n}, ${k}]ᵀ`, unit: 'GFLOPS', work: 2 * m * n * k, run };
}

/**
 * The ratios that say how good the kernels are: each of two things measured in turns.
 * @module
 */
import { PRESETS, presetConfig } from '../src/model/config.ts';
import { bitGemm, quantize } from '../src/ops/bit-gemm.ts';
import type { BitWeights } from '../src/ops/bit-weights.ts';
import { allocBitWeights, binarize } from '../src/ops/bit-weights.ts';
import { gemmNT } from '../src/ops/gemm.ts';
import type { Compute, Matrix } from '../src/ops/matrix.ts';
import type { BitKind } from '../src/quant/layout.ts';
import { tileBytes } from '../src/quant/layout.ts';
import { trainingOptions } from '../src/train/options.ts';
import { Trainer } from '../src/train/trainer.ts';
import type { Engine } from '../src/wasm/engine.ts';
import type { Product } from '../src/wasm/variants.ts';
import { MULTIPLY_ADD_OPERATIONS, limitsOver } from './limits.ts';
import { inTurns } from './measure.ts';
import { emptyMatrix, randomMatrix } from './products.ts';

/** A ratio of this run. */
export interface Figure {
  readonly figure: string;
  readonly what: string;
  readonly ratio: number;
}

const N = 2048;
/** Weights streamed past all caches, in bytes. */
const COLD_BYTES = 640 * 2 ** 20;

/** @param milliseconds about how long to measure each figure */
export function* figures(one: Compute, two: Compute, milliseconds: number): Generator<Figure> {
  const ratio = (figure: string, what: string, slow: () => void, fast: () => void, work = 1): Figure => {
    const [slowTime, fastTime] = inTurns([slow, fast], milliseconds);
    return { figure, what, ratio: (slowTime / fastTime) * work };
  };
  const b1 = weights(one, 'b1'), t2 = weights(one, 't2');
  const gemv = product(one, b1, 1, 8), gemm = product(one, b1, 64, 8);
  yield ratio('gemv-b1-over-popcount', 'lookup over popcount, 8 bits, one token',
    product(one, b1, 1, 8, 'popcount'), gemv);
  yield coldFigure(one, milliseconds);
  yield ratio('gemm64-over-gemv', '64 tokens over one, rate', gemv, gemm, 64);
  yield ratio('t2-over-b1', 'ternary over 1-bit weights, one token', gemv, product(one, t2, 1, 8));
  yield ratio('w1a1-over-w1a8', 'popcount at 1 bit over lookup at 8', gemv, product(one, b1, 1, 1));
  yield floatFigure(one, milliseconds);
  const onTwo = product(two, weights(two, 'b1'), 64, 8);
  yield ratio('threads2-gemm64', 'two threads over one, 64 tokens', gemm, onTwo);
  yield ratio('threads2-train', 'two threads over one, training, 4 layers of width 256',
    trainingStep(one.engine), trainingStep(two.engine));
}

function weights(compute: Compute, kind: BitKind, rows = N): BitWeights {
  const packed = allocBitWeights(compute.engine, kind, rows, N, true);
  const latent = randomMatrix(compute, rows, N, 2);
  binarize(compute, latent, packed, 1);
  compute.engine.heap.free(latent.ptr);
  return packed;
}

/** A product of m tokens, their quantization not included. */
function product(
  compute: Compute, w: BitWeights, m: number, bits: number, family?: Product,
): () => void {
  const x = quantize(compute, randomMatrix(compute, m, N, 1), { bits, shifted: false });
  const out = emptyMatrix(compute, m, w.rows);
  return () => bitGemm(compute, x, [w], [out], { product: family });
}

/** Weight bytes a second from DRAM over the best read, one token, 6144 × 2048. */
function coldFigure(compute: Compute, milliseconds: number): Figure {
  const { engine } = compute, rows = 3 * N;
  const one = weights(compute, 'b1', rows), bytes = tileBytes('b1', rows, N);
  const copies = Math.floor(COLD_BYTES / bytes), all = engine.heap.alloc(copies * bytes);
  const tiles = engine.u8(one.tiles, bytes);
  for (let i = 0; i < copies; i++) engine.u8(all + i * bytes, bytes).set(tiles);
  const { readMemory } = limitsOver(engine.memory);
  let next = 0;
  const turn = (): number => all + (next++ % copies) * bytes;
  const x = quantize(compute, randomMatrix(compute, 1, N, 1), { bits: 8, shifted: false });
  const out = emptyMatrix(compute, 1, rows);
  const [read, multiply] = inTurns([
    () => void readMemory(turn(), bytes),
    () => bitGemm(compute, x, [{ ...one, tiles: turn() }], [out]),
  ], milliseconds);
  engine.heap.free(all);
  return {
    figure: 'gemv-b1-dram-roof', what: 'weights cold from DRAM, over a read of memory',
    ratio: read / multiply,
  };
}

/** The lower rate of two float products over multiply-and-add in registers. */
function floatFigure(compute: Compute, milliseconds: number): Figure {
  const { multiplyAdd } = limitsOver(compute.engine.memory);
  const STEPS = 20_000;
  const float = (m: number, n: number, k: number): [Matrix, Matrix, Matrix] =>
    [randomMatrix(compute, m, k, 3), randomMatrix(compute, n, k, 4), emptyMatrix(compute, m, n)];
  const small = float(256, 256, 256), large = float(768, 512, 512);
  const [peak, a, b] = inTurns([
    () => void multiplyAdd(STEPS), () => gemmNT(compute, ...small), () => gemmNT(compute, ...large),
  ], milliseconds);
  const roof = (STEPS * MULTIPLY_ADD_OPERATIONS) / peak;
  const lower = Math.min((2 * 256 ** 3) / a, (2 * 768 * 512 * 512) / b);
  return {
    figure: 'gemm-f32-peak', what: 'float product over multiply-and-add in registers',
    ratio: lower / roof,
  };
}

function trainingStep(engine: Engine): () => void {
  const size = { vocabSize: 65, layers: 4, heads: 4, width: 256, context: 64 };
  const tokens = Uint32Array.from({ length: 20_000 }, (_, i) => (i * i + (i >> 3)) % 65);
  const config = presetConfig(PRESETS[0], size);
  const trainer = new Trainer(
    engine, config, { train: tokens, validation: tokens },
    trainingOptions(config, { steps: 1e6, batch: 12 }));
  return () => void trainer.step();
}

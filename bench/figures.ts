/**
 * The ratios that say how good the kernels are: each of two things measured in turns.
 * @module
 */
import { presetConfig } from '../src/model/config.ts';
import { bitGemm, quantize } from '../src/ops/bit-gemm.ts';
import type { BitWeights } from '../src/ops/bit-weights.ts';
import { gemmNT } from '../src/ops/gemm.ts';
import type { Compute } from '../src/ops/matrix.ts';
import { trainingOptions } from '../src/train/options.ts';
import { Trainer } from '../src/train/trainer.ts';
import type { Engine } from '../src/wasm/engine.ts';
import type { Product } from '../src/wasm/variants.ts';
import { emptyMatrix, randomMatrix } from './case.ts';
import { coldCase } from './cold.ts';
import type { Limit } from './limits.ts';
import { multiplyAddLimits } from './limits.ts';
import { inTurns } from './measure.ts';
import { packed } from './products.ts';

/** A ratio of this run. */
export interface Figure {
  readonly figure: string;
  readonly what: string;
  readonly ratio: number;
}

const SIZE = 2048;

/** @param milliseconds about how long to measure each figure */
export function* figures(one: Compute, two: Compute, milliseconds: number): Generator<Figure> {
  const ratio = (figure: string, what: string, slow: () => void, fast: () => void, work = 1): Figure => {
    const [slowTime, fastTime] = inTurns([slow, fast], milliseconds);
    return { figure, what, ratio: (slowTime / fastTime) * work };
  };
  const b1 = packed(one, 'b1'), t2 = packed(one, 't2');
  const gemv = product(one, b1, 1, 8), gemm = product(one, b1, 64, 8);
  yield ratio('gemv-b1-over-popcount', 'lookup over popcount, 8 bits, one token',
    product(one, b1, 1, 8, 'popcount'), gemv);
  yield coldFigure(one, milliseconds);
  yield ratio('gemm64-over-gemv', '64 tokens over one, rate', gemv, gemm, 64);
  yield ratio('t2-over-b1', 'ternary over 1-bit weights, one token', gemv, product(one, t2, 1, 8));
  yield ratio('w1a1-over-w1a8', 'popcount at 1 bit over lookup at 8', gemv, product(one, b1, 1, 1));
  yield floatFigure(one, milliseconds);
  const onTwo = product(two, packed(two, 'b1'), 64, 8);
  yield ratio('threads2-gemm64', 'two threads over one, 64 tokens', gemm, onTwo);
  yield ratio('threads2-train', 'two threads over one, training, 4 layers of width 256',
    trainingStep(one.engine), trainingStep(two.engine));
}

/** A product of m tokens, their quantization not included. */
function product(
  compute: Compute, w: BitWeights, m: number, bits: number, family?: Product,
): () => void {
  const x = quantize(compute, randomMatrix(compute, m, SIZE, 1), { bits, shifted: false });
  const out = emptyMatrix(compute, m, w.rows);
  return () => bitGemm(compute, x, [w], [out], { product: family });
}

/** Units a millisecond of the fastest of some ways, whose times are given. */
const fastest = (limits: readonly Limit[], times: readonly number[]): number =>
  Math.max(...limits.map(({ work }, i) => work / times[i]));

/** Weight bytes a second from cold memory over the best read, one token, 6144 × 2048. */
function coldFigure(compute: Compute, milliseconds: number): Figure {
  const { product: { run, bytes }, limits, dispose } = coldCase(compute);
  const [time, ...reads] = inTurns([run, ...limits.map((limit) => limit.run)], milliseconds);
  dispose();
  return {
    figure: 'gemv-b1-dram-roof', what: 'weights cold in memory, over the best read of it',
    ratio: bytes! / time / fastest(limits, reads),
  };
}

/** The lower rate of two float products over multiply-and-add in registers. */
function floatFigure(compute: Compute, milliseconds: number): Figure {
  const limits = multiplyAddLimits(compute.engine.memory);
  const float = (m: number, n: number, k: number): (() => void) => {
    const a = randomMatrix(compute, m, k, 3), b = randomMatrix(compute, n, k, 4);
    const c = emptyMatrix(compute, m, n);
    return () => gemmNT(compute, a, b, c);
  };
  const [small, large, ...peaks] = inTurns(
    [float(256, 256, 256), float(768, 512, 512), ...limits.map(({ run }) => run)], milliseconds);
  const lower = Math.min((2 * 256 ** 3) / small, (2 * 768 * 512 * 512) / large);
  return {
    figure: 'gemm-f32-peak', what: 'float product over the best multiply-and-add in registers',
    ratio: lower / fastest(limits, peaks),
  };
}

function trainingStep(engine: Engine): () => void {
  const size = { vocabSize: 65, layers: 4, heads: 4, width: 256, context: 64 };
  const tokens = Uint32Array.from({ length: 20_000 }, (_, i) => (i * i + (i >> 3)) % 65);
  const config = presetConfig('bitnet', size);
  const trainer = new Trainer(
    engine, config, { train: tokens, validation: tokens },
    trainingOptions(config, { steps: 1e6, batch: 12 }));
  return () => void trainer.step();
}

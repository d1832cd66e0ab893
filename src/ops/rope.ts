/**
 * Rotary positions: the table of a model, and the rotation of queries and keys by it.
 *
 *   frequency_i = θ^(−2i/D) / factor_i                              radians a position
 *   YaRN        frequency_i · (m + (1 − m)/factor), m = 1 for i ≤ low, 0 for i ≥ high, a ramp between;
 *               low, high = D · ln(context / (2π · β)) / (2 · ln θ), β = betaFast, betaSlow,
 *               and the table is multiplied by 1 + 0.1 · ln factor
 *
 * Source  Su et al. 2021, RoFormer (arXiv 2104.09864); Peng et al. 2023, YaRN (arXiv 2309.00071).
 * @module
 */
import type { Engine } from '../wasm/engine.ts';
import type { Compute, Matrix } from './matrix.ts';

/** Values that are worth a thread's while. */
const ROPE_GRAIN = 16_384;
const TWO_PI = 6.283185307179586;

/** YaRN; the fields are those of a configuration's `ropeScaling`. */
export interface Yarn {
  readonly factor: number;
  readonly originalMaxPositionEmbeddings: number;
  readonly betaFast: number;
  readonly betaSlow: number;
}

/** What a table is made from. */
export interface RopeShape {
  readonly positions: number;
  readonly headDim: number;
  readonly theta: number;
  readonly yarn?: Yarn;
  /** [headDim/2]: what each frequency is divided by. Default: 1. */
  readonly factors?: ArrayLike<number>;
}

/** Address of a new table on the heap: f32[positions, 2, headDim/2], cosines and sines. */
export function makeRopeTable(engine: Engine, shape: RopeShape): number {
  const { positions, headDim, theta, yarn, factors } = shape, half = headDim / 2;
  const { heap, kernels } = engine;
  const table = heap.alloc(positions * 2 * half * 4), frequencies = heap.alloc(half * 8);
  kernels.ropeFrequencies(frequencies, half, theta);
  const values = new Float64Array(engine.memory.buffer, frequencies, half);
  if (factors) values.forEach((value, i) => (values[i] = value / factors[i]));
  if (yarn) stretch(values, shape, yarn, kernels.log);
  const scale = yarn ? 1 + 0.1 * kernels.log(yarn.factor) : 1;
  kernels.ropeTableF32(table, positions, half, frequencies, scale);
  heap.free(frequencies);
  return table;
}

/** Frequencies as YaRN has them, in place. */
function stretch(
  frequencies: Float64Array, { headDim, theta }: RopeShape, yarn: Yarn, log: (x: number) => number,
): void {
  const turnsAt = (beta: number): number =>
    (headDim * log(yarn.originalMaxPositionEmbeddings / (beta * TWO_PI))) / (2 * log(theta));
  const low = Math.max(0, Math.floor(turnsAt(yarn.betaFast)));
  const high = Math.min(headDim - 1, Math.ceil(turnsAt(yarn.betaSlow)));
  frequencies.forEach((frequency, i) => {
    const kept = 1 - Math.min(1, Math.max(0, (i - low) / Math.max(0.001, high - low)));
    frequencies[i] = frequency * (kept + (1 - kept) / yarn.factor);
  });
}

/** Rotates the heads of x[rows, heads · headDim] in place; direction −1 undoes it. */
export function rotate(
  { engine }: Compute, { ptr, rows, cols }: Matrix, table: number, positions: number,
  headDim: number, direction: 1 | -1,
): void {
  engine.split('ropeF32', rows, 1, Math.ceil(ROPE_GRAIN / cols), (from, to) => [
    ptr + from * cols * 4, table, positions + from * 4, to - from, cols / headDim, headDim / 2,
    cols, direction]);
}

/**
 * Single layers under test: a pass with a workspace of its own, parameters, matrices.
 *
 *   const pass = makePass(engine, 6, { batch: 2 });      // 2 sequences of 3 tokens
 *   const w = parameter(engine, 'w', 4, 8, randomF32(32, 1));
 *   const y = read(pass, layer.forward(matrix(pass, 6, 8, x), pass));
 * @module
 */
import type { LayerCache, Parameter, Pass } from '../../src/nn/pass.ts';
import type { Projection } from '../../src/nn/projection.ts';
import { Linear } from '../../src/nn/linear.ts';
import { Norm } from '../../src/nn/norm.ts';
import type { NormType } from '../../src/ops/norm.ts';
import type { Matrix } from '../../src/ops/matrix.ts';
import { newMatrix, viewOf } from '../../src/ops/matrix.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import { Workspace } from '../../src/wasm/workspace.ts';
import type { Tolerance } from '../helpers/close.ts';
import { randomF32 } from '../helpers/random.ts';

/** Two or three layers' worth of f32 sums of values of size 1, against f64. */
export const LAYER: Tolerance = { name: 'f32 rounding of a layer', absolute: 1e-5, relative: 1e-5 };

export interface PassOptions {
  readonly batch?: number;
  readonly training?: boolean;
  readonly cache?: LayerCache;
}

/** A pass over `rows` rows, at positions that follow those of the cache. */
export function makePass(engine: Engine, rows: number, options: PassOptions = {}): Pass {
  const { batch = 1, training = true, cache } = options;
  const workspace = new Workspace(engine.heap);
  const positions = workspace.alloc(rows * 4);
  const first = cache?.length ?? 0;
  engine.i32(positions, rows)
    .set(Int32Array.from({ length: rows }, (_, i) => first + (i % (rows / batch))));
  return { engine, workspace, batch, positions, training, cache };
}

/** A copy of f32[rows, cols] in the workspace of the pass. */
export function matrix(pass: Pass, rows: number, cols: number, data: Float32Array): Matrix {
  const m = newMatrix(pass, rows, cols);
  viewOf(pass, m).set(data);
  return m;
}

/** A copy of the values of a matrix. */
export const read = (pass: Pass, m: Matrix): Float32Array => viewOf(pass, m).slice();

/** A parameter with a gradient of zeros. */
export function parameter(
  engine: Engine, name: string, rows: number, cols: number, data: Float32Array,
): Parameter {
  const place = (): Matrix => ({ ptr: engine.heap.alloc(rows * cols * 4), rows, cols });
  const value = place(), grad = place();
  engine.f32(value.ptr, rows * cols).set(data);
  return { name, value, grad };
}

/** A parameter of random values of the given deviation. */
export const randomParameter = (
  engine: Engine, rows: number, cols: number, seed: number, scale = 0.4,
): Parameter => parameter(engine, `p${seed}`, rows, cols, randomF32(rows * cols, seed, scale));

const valuesAt = (engine: Engine, { ptr, rows, cols }: Matrix): Float32Array =>
  engine.f32(ptr, rows * cols).slice();

export const valueOf = (engine: Engine, { value }: Parameter): Float32Array =>
  valuesAt(engine, value);

export const gradientOf = (engine: Engine, { grad }: Parameter): Float32Array =>
  valuesAt(engine, grad!);

/** Brings a projection up to date with its weights. */
export function prepared<P extends Projection>(engine: Engine, projection: P): P {
  projection.prepare({ engine, workspace: new Workspace(engine.heap) });
  return projection;
}

/** A Linear of random weights, one part for each number of rows. */
export const randomLinear = (
  engine: Engine, cols: number, rows: readonly number[], seed: number,
): Linear => prepared(
  engine, new Linear(engine, rows.map((r, p) => randomParameter(engine, r, cols, seed + p))));

/** A norm with a gain about 1. */
export function randomNorm(engine: Engine, type: NormType, cols: number, seed: number): Norm {
  const gain = randomF32(cols, seed, 0.3).map((v) => v + 1);
  return new Norm(parameter(engine, `gain${seed}`, 1, cols, gain), type, 1e-5);
}

/** y = x · wᵀ in f64: x[·, cols], w[·, cols]. */
export function linear(x: ArrayLike<number>, w: ArrayLike<number>, cols: number): Float64Array {
  const rows = x.length / cols, outs = w.length / cols;
  const y = new Float64Array(rows * outs);
  for (let i = 0; i < rows; i++)
    for (let n = 0; n < outs; n++)
      for (let k = 0; k < cols; k++) y[i * outs + n] += x[i * cols + k] * w[n * cols + k];
  return y;
}

/** dx = dy · w and dw = dyᵀ · x, in f64. */
export function linearBackward(
  dy: ArrayLike<number>, x: ArrayLike<number>, w: ArrayLike<number>, cols: number,
): { dx: Float64Array; dw: Float64Array } {
  const rows = x.length / cols, outs = w.length / cols;
  const dx = new Float64Array(x.length), dw = new Float64Array(w.length);
  for (let i = 0; i < rows; i++)
    for (let n = 0; n < outs; n++)
      for (let k = 0; k < cols; k++) {
        dx[i * cols + k] += dy[i * outs + n] * w[n * cols + k];
        dw[n * cols + k] += dy[i * outs + n] * x[i * cols + k];
      }
  return { dx, dw };
}

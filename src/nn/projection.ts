/**
 * What attention and MLP are made of: matrices that share one input.
 *
 * Query, key and value (or gate and up) are parts of one projection, so their input is quantized
 * once. `BitLinear` and `Linear` are its two kinds.
 * @module
 */
import type { Compute, Matrix } from '../ops/matrix.ts';
import type { Pass } from './pass.ts';

export interface Projection {
  /** Brings what forward reads up to date with the weights; after every change of them. */
  prepare(compute: Compute): void;
  /** One f32[M, rows of the part] for each part, in the workspace. x is f32[M, K]. */
  forward(x: Matrix, pass: Pass): Matrix[];
  /** dx, from the gradients of each part; weight gradients are accumulated. */
  backward(dys: readonly Matrix[], pass: Pass): Matrix;
  /** Gives memory back. */
  dispose(): void;
}

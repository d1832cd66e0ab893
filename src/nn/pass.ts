/**
 * One pass through the network: what every layer is told besides its input.
 * @module
 */
import type { KeyValues } from '../ops/cached-attention.ts';
import type { Compute, Matrix } from '../ops/matrix.ts';

/** Keys and values of earlier positions of one sequence, layer by layer. */
export interface LayerCache {
  /** Positions already stored. */
  readonly length: number;
  /** Where those of layer `index` are. */
  layer(index: number): KeyValues;
}

export interface Pass extends Compute {
  /** Sequences; the rows of every activation are f32[batch · T, ·]. */
  readonly batch: number;
  /** Address of i32[batch · T]: the position of each row in its sequence. */
  readonly positions: number;
  /** Keep what backward needs. */
  readonly training: boolean;
  /** Present when decoding: then `batch` is 1. */
  readonly cache?: LayerCache;
  /** Watches or replaces the inputs of float projections; absent in training. */
  readonly onInput?: InputHook;
}

/**
 * Is given the input f32[M, K] of a float projection and the matrices f32[·, K] that it is about to
 * meet, and returns what they meet instead: `x` itself, or a matrix in the workspace of the pass.
 */
export type InputHook = (x: Matrix, weights: readonly Parameter[], pass: Pass) => Matrix;

/** A float tensor of the model, and the gradient that training accumulates. */
export interface Parameter {
  /** As in a Hugging Face checkpoint: `model.layers.0.input_layernorm.weight`. */
  readonly name: string;
  readonly value: Matrix;
  /** Absent in a model that is only run. */
  readonly grad?: Matrix;
}

/** Input saved by a forward pass, or a clear error when backward comes without one. */
export function savedBy<T>(layer: string, saved: T | undefined): T {
  if (saved === undefined)
    throw new RangeError(`${layer}: backward expected a forward pass with training before it`);
  return saved;
}

/** The gradient of a parameter of a model that is trained. */
export function gradOf({ name, grad }: Parameter): Matrix {
  if (!grad) throw new RangeError(`backward: parameter ${name} has no gradient; it is not trained`);
  return grad;
}

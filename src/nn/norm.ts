/**
 * LayerNorm or RMSNorm with a learned gain. Before a BitLinear it is the paper's SubLN: it brings
 * the variance of the quantized input, and so of the output, to 1.
 * @module
 */
import type { NormSaved, NormType } from '../ops/norm.ts';
import { normalize, normalizeBackward } from '../ops/norm.ts';
import type { Matrix } from '../ops/matrix.ts';
import type { Parameter, Pass } from './pass.ts';
import { gradOf, savedBy } from './pass.ts';

export class Norm {
  readonly gain: Parameter;
  readonly #type: NormType;
  readonly #eps: number;
  #saved?: NormSaved;

  /** @param gain f32[1, C] */
  constructor(gain: Parameter, type: NormType, eps: number) {
    this.gain = gain;
    this.#type = type;
    this.#eps = eps;
  }

  /** norm(x) · gain, f32[M, C] */
  forward(x: Matrix, pass: Pass): Matrix {
    const { y, saved } = normalize(pass, this.#type, x, this.gain.value, this.#eps);
    if (pass.training) this.#saved = saved;
    return y;
  }

  /** dx, or `onto` with dx added to it: the gradient of a residual connection in the same pass. */
  backward(dy: Matrix, pass: Pass, onto?: Matrix): Matrix {
    const saved = savedBy('Norm', this.#saved);
    return normalizeBackward(pass, this.#type, dy, this.gain.value, gradOf(this.gain), saved, onto);
  }
}

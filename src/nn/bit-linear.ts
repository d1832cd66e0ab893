/**
 * BitLinear: a linear layer with 1-bit (or ternary) weights and 1 … 8-bit activations.
 *
 *   y = (W̃ · x̃) · β·γ/Q        W̃ = sign(W − α)        x̃ = round(x · Q/γ)
 *
 * The norm that the paper puts inside BitLinear is the layer before it (`norm.ts`), so that query,
 * key and value share one. Backward is the straight-through estimator: sign, round and clip are
 * bypassed, the scales α, β, γ get no gradient:
 *
 *   dx = dy · (β·W̃)            dW += dyᵀ · (γ/Q · x̃)
 *
 * With a learned scale s the input is clipped and quantized by it, whatever its absmax (`ops/elastic.ts`):
 * x̃ = round(clip(x/s, −Q, Q)), γ/Q is s, what was clipped gets no gradient, and s gets one.
 *
 * Latent weights W exist only in training. A model that is run has the packed bits alone.
 * Source  Wang et al. 2023, BitNet, §2 (arXiv 2310.11453); Ma et al. 2024, The Era of 1-bit LLMs:
 *         Training Tips, Code and FAQ, for the estimator in code.
 * @module
 */
import type { ActivationQuantization, Quantized } from '../ops/bit-gemm.ts';
import { bitGemm, dequantize, quantize } from '../ops/bit-gemm.ts';
import type { BitWeights } from '../ops/bit-weights.ts';
import { binarize, expand, freeBitWeights } from '../ops/bit-weights.ts';
import { elasticBackward, scaleOf, setFirstScale } from '../ops/elastic.ts';
import { gemmNN, gemmTNs } from '../ops/gemm.ts';
import type { Compute, Matrix } from '../ops/matrix.ts';
import { newMatrix } from '../ops/matrix.ts';
import type { Engine } from '../wasm/engine.ts';
import type { Parameter, Pass } from './pass.ts';
import { gradOf, savedBy } from './pass.ts';
import type { Projection } from './projection.ts';

/** One matrix of a BitLinear. */
export interface BitPart {
  readonly name: string;
  readonly packed: BitWeights;
  /** f32[rows, cols], in training. */
  readonly latent?: Parameter;
}

export class BitLinear implements Projection {
  readonly parts: readonly BitPart[];
  readonly #engine: Engine;
  readonly #quantization: ActivationQuantization;
  /** Runs of rows with scales of their own, per part. */
  readonly #groups: number;
  /** f32[1, 1]: the learned scale of the input. 0 until training has seen one. */
  readonly #scale?: Parameter;
  #saved?: { readonly x: Matrix; readonly quantized: Quantized };

  constructor(
    engine: Engine, parts: readonly BitPart[], quantization: ActivationQuantization, groups = 1,
    scale?: Parameter,
  ) {
    this.#engine = engine;
    this.parts = parts;
    this.#quantization = quantization;
    this.#groups = groups;
    this.#scale = scale;
  }

  prepare(compute: Compute): void {
    for (const { latent, packed } of this.parts)
      if (latent) binarize(compute, latent.value, packed, this.#groups);
  }

  forward(x: Matrix, pass: Pass): Matrix[] {
    const outs = this.parts.map(({ packed }) => newMatrix(pass, x.rows, packed.rows));
    const mark = pass.workspace.mark();
    const learned = this.#scale?.value;
    if (learned && pass.training) setFirstScale(pass, x, this.#quantization.bits, learned);
    const quantized = quantize(pass, x, this.#quantization, learned && scaleOf(pass, learned));
    bitGemm(pass, quantized, this.parts.map(({ packed }) => packed), outs);
    if (pass.training) this.#saved = { x, quantized };
    else pass.workspace.release(mark);
    return outs;
  }

  backward(dys: readonly Matrix[], pass: Pass): Matrix {
    const { x, quantized } = savedBy('BitLinear', this.#saved);
    const dx = newMatrix(pass, x.rows, x.cols);
    const mark = pass.workspace.mark();
    this.parts.forEach(({ packed }, p) => {
      const inner = pass.workspace.mark();
      const weights = newMatrix(pass, packed.rows, packed.cols);
      expand(pass, packed, weights);
      gemmNN(pass, dys[p], weights, dx, p > 0);
      pass.workspace.release(inner);
    });
    const trained = this.parts.flatMap(({ latent }, p) => (latent ? [{ latent, dy: dys[p] }] : []));
    if (trained.length > 0) {
      const real = newMatrix(pass, x.rows, x.cols);
      dequantize(pass, quantized, real);
      gemmTNs(pass, trained.map(({ dy }) => dy), real, trained.map(({ latent }) => gradOf(latent)), true);
    }
    pass.workspace.release(mark);
    const { bits } = this.#quantization, scale = this.#scale;
    if (scale) elasticBackward(pass, dx, x, bits, scale.value, gradOf(scale));
    return dx;
  }

  dispose(): void {
    for (const { packed } of this.parts) freeBitWeights(this.#engine, packed);
  }
}

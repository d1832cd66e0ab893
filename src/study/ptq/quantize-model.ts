/**
 * Post-training quantization of a whole float model, in place: weights become what their codes stand
 * for, in f32, and inputs of layers are quantized on the way, so the model runs on the same kernels.
 *
 *   absmax        weights by matrix, inputs by token
 *   smoothquant   outliers moved into the weights first (`smooth.ts`), then absmax
 *   gptq, quip    weights, layer by layer: a layer is calibrated with those before it quantized
 *
 * Embeddings, norms, attention products and head stay floats in all of them.
 * @module
 */
import type { BitNet } from '../../model/bitnet.ts';
import { layerName } from '../../model/tensors.ts';
import type { InputHook, Parameter } from '../../nn/pass.ts';
import { dequantize, quantize } from '../../ops/bit-gemm.ts';
import { newMatrix } from '../../ops/matrix.ts';
import type { CalibrationText, FloatLayer } from './calibration.ts';
import { floatLayers, inputHessian, inputMaxima, isHead } from './calibration.ts';
import { roundGptq } from './gptq.ts';
import type { Weights } from './layer.ts';
import { roundQuip } from './quip.ts';
import { minMaxGrid, roundAbsmax } from './round.ts';
import { columnMaxima, smooth, smoothingFactors } from './smooth.ts';
import type { Square } from './symmetric.ts';

export type QuantizationMethod = 'absmax' | 'smoothquant' | 'gptq' | 'quip';

/** How to quantize a model. */
export interface QuantizationScheme {
  readonly method: QuantizationMethod;
  /** Bits of a weight, 1 … 8. */
  readonly weightBits: number;
  /** Bits of a layer's inputs, 1 … 8; 16 leaves them floats. */
  readonly activationBits: number;
}

/**
 * Quantizes a float model. Its weights and its input hook are changed, nothing else.
 *
 * @param text what `smoothquant`, `gptq` and `quip` calibrate with; `absmax` does not read it
 * @param seed of QuIP's transforms
 * @throws {RangeError} If the model's weights are packed, or a number of bits is out of range.
 */
export function quantizeModel(
  model: BitNet, scheme: QuantizationScheme, text: CalibrationText, seed = 0,
): void {
  const { method, weightBits, activationBits } = scheme, layers = floatLayers(model);
  if (method === 'smoothquant') smoothModel(model, layers, text);
  layers.forEach((layer, at) => {
    const learns = method === 'gptq' || method === 'quip';
    const hessian = learns ? inputHessian(model, text, layer) : undefined;
    layer.forEach((parameter, part) => {
      const weights = weightsOf(model, parameter);
      const rounded = hessian
        ? roundWith(method, weights, hessian, weightBits, seed + at * 16 + part)
        : roundAbsmax(weights, weightBits);
      viewParameter(model, parameter).set(rounded.data);
    });
    model.invalidate();
  });
  model.onInput(activationBits < 16 ? quantizedInputs(activationBits) : undefined);
}

const roundWith = (
  method: QuantizationMethod, weights: Weights, hessian: Square, bits: number, seed: number,
): Weights => (method === 'gptq'
  ? roundGptq(weights, hessian, minMaxGrid(weights, bits))
  : roundQuip(weights, hessian, bits, seed));

/** Inputs become what their codes stand for; the head's stay. */
const quantizedInputs = (bits: number): InputHook => (x, layer, pass) => {
  if (isHead(layer)) return x;
  const real = newMatrix(pass, x.rows, x.cols);
  dequantize(pass, quantize(pass, x, { bits, shifted: false }), real);
  return real;
};

/** The values of a parameter: valid until memory grows. */
const viewParameter = ({ engine }: BitNet, { value: { ptr, rows, cols } }: Parameter): Float32Array =>
  engine.f32(ptr, rows * cols);

/** A copy of the weights of a matrix. */
export function weightsOf(model: BitNet, parameter: Parameter): Weights {
  const { rows, cols } = parameter.value;
  return { rows, cols, data: viewParameter(model, parameter).slice() };
}

/** What stands before a layer, by the name of its first matrix: the norm that can divide by s. */
const NORMS: readonly (readonly [matrix: string, norm: string, subNorm: boolean])[] = [
  ['self_attn.q_proj', 'input_layernorm', false], ['self_attn.o_proj', 'self_attn.attn_sub_norm', true],
  ['mlp.gate_proj', 'post_attention_layernorm', false],
  ['mlp.up_proj', 'post_attention_layernorm', false], ['mlp.down_proj', 'mlp.ffn_sub_norm', true],
];

/**
 * Moves the outliers of inputs into weights, wherever a norm is before the layer. The model computes
 * what it did, but for rounding.
 */
export function smoothModel(
  model: BitNet, layers: readonly FloatLayer[], text: CalibrationText,
): void {
  const maxima = inputMaxima(model, text), { numHiddenLayers, subNorms } = model.config;
  for (let i = 0; i < numHiddenLayers; i++)
    for (const [matrix, norm, subNorm] of NORMS) {
      const layer = layers.find(([{ name }]) => name === layerName(i, matrix));
      if (!layer || (subNorm && !subNorms)) continue;
      const weights = layer.map((parameter) => viewParameter(model, parameter));
      const inputMax = maxima.get(layer[0].name)!;
      const factors = smoothingFactors(inputMax, columnMaxima(weights, inputMax.length));
      smooth(viewParameter(model, model.weights.parameter(layerName(i, norm))), weights, factors);
    }
  model.invalidate();
}

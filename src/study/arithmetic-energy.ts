/**
 * Energy of the arithmetic of a forward pass, as the paper counts it.
 *
 *   linear     T · Σ rows·cols over the projections, in multiply-adds
 *   attention  2 · T² · width of the queries · L: scores and values, not halved for causality
 *   scales     T · Σ (rows + cols): the multiplications by β and γ/Q
 *
 *   float      add (linear + attention) · Ê_add            mul (linear + attention) · Ê_mul
 *   BitNet     add linear · Ê_add(INT8) + attention · Ê_add(FP16)
 *              mul (attention + scales) · Ê_mul(FP16)
 *
 * Embeddings, head, norms and softmax are left out, and n − 1 additions count as n. The paper does not
 * print this recipe; it gives 34 of the 36 cells of its Table 1.
 * Source  Wang et al. 2023, BitNet, §2.4, Tables 1 and 2 (arXiv 2310.11453), after Horowitz 2014.
 * @module
 */
import type { BitNetConfig } from '../model/config.ts';
import { headDim, tensorSpecs } from '../model/tensors.ts';

export type ProcessNode = '45 nm' | '7 nm';
export type Precision = 'fp32' | 'fp16' | 'int8';

/** Picojoules per operation: the paper's Table 2. */
export const OPERATION_ENERGY: Readonly<
  Record<ProcessNode, Readonly<Record<Precision, { readonly add: number; readonly mul: number }>>>
> = {
  '45 nm': {
    fp32: { add: 0.9, mul: 3.7 }, fp16: { add: 0.4, mul: 1.1 }, int8: { add: 0.03, mul: 0.2 },
  },
  '7 nm': {
    fp32: { add: 0.38, mul: 1.31 }, fp16: { add: 0.16, mul: 0.34 }, int8: { add: 0.007, mul: 0.07 },
  },
};

const JOULE = 1e-12;

/** Operations of one pass over a sequence. */
export interface OperationCounts {
  readonly linear: number;
  readonly attention: number;
  readonly scales: number;
}

/** Joules of one pass over a sequence. */
export interface ArithmeticEnergy {
  readonly add: number;
  readonly mul: number;
}

/** What a pass over `tokens` tokens computes. */
export function operationCounts(config: BitNetConfig, tokens: number): OperationCounts {
  const projections = tensorSpecs(config).filter(({ role }) => role === 'projection');
  const sum = (size: (rows: number, cols: number) => number): number =>
    projections.reduce((total, { rows, cols }) => total + size(rows, cols), 0);
  return {
    linear: tokens * sum((rows, cols) => rows * cols),
    attention: 2 * tokens * tokens * headDim(config) * config.numAttentionHeads * config.numHiddenLayers,
    scales: tokens * sum((rows, cols) => rows + cols),
  };
}

/**
 * The energy of a pass over `tokens` tokens: as BitNet where weights are packed, else as floats.
 *
 * @param float precision of float models; what is float in BitNet is FP16
 * @example
 * // 6.7B in 16 bits, 7 nm, 512 tokens: 1.14 J of multiplications, 0.54 J of additions
 */
export function arithmeticEnergy(
  config: BitNetConfig, tokens: number, node: ProcessNode = '7 nm', float: 'fp32' | 'fp16' = 'fp16',
): ArithmeticEnergy {
  const { linear, attention, scales } = operationCounts(config, tokens);
  const energy = OPERATION_ENERGY[node];
  if (config.weights === 'f32') {
    const { add, mul } = energy[float], products = (linear + attention) * JOULE;
    return { add: products * add, mul: products * mul };
  }
  return {
    add: (linear * energy.int8.add + attention * energy.fp16.add) * JOULE,
    mul: (attention + scales) * energy.fp16.mul * JOULE,
  };
}

/**
 * Energy of the arithmetic of a forward pass, as the paper counts it, at 7 nm.
 *
 *   linear MACs      T · Σ rows·cols over the projections        attention MACs   2 · T² · q width · L
 *   float16          (linear + attention) · (Ê_add + Ê_mul)
 *   BitNet           linear · Ê_add(INT8) + attention · (Ê_add + Ê_mul) + scales · Ê_mul
 *                    scales = T · Σ (rows + cols): β and γ/Q; everything but the linear sums in FP16
 *
 * Embeddings, head, norms and softmax are left out, and attention is not halved for causality, as in
 * the paper's Table 1, of which these formulas give the cells.
 * Source  Wang et al. 2023, BitNet, §2.4, Tables 1 and 2 (arXiv 2310.11453), after Horowitz 2014.
 * @module
 */
import type { BitNetConfig } from '../model/config.ts';
import { headDim, tensorSpecs } from '../model/tensors.ts';

/** Picojoules per operation at 7 nm. */
const FP16 = { add: 0.16, mul: 0.34 }, INT8_ADD = 0.007;

const JOULE = 1e-12;

/** Joules of one pass over a sequence. */
export interface ArithmeticEnergy {
  readonly add: number;
  readonly mul: number;
}

/**
 * The energy of a pass over `tokens` tokens: float16 where weights are float, else as BitNet.
 *
 * @example
 * // Table 1, 6.7B in 16 bits, 7 nm, 512 tokens: 1.14 J of multiplications, 0.54 J of additions
 */
export function arithmeticEnergy(config: BitNetConfig, tokens: number): ArithmeticEnergy {
  const projections = tensorSpecs(config).filter(({ role }) => role === 'projection');
  const linear = tokens * projections.reduce((sum, { rows, cols }) => sum + rows * cols, 0);
  const attention =
    2 * tokens * tokens * headDim(config) * config.numAttentionHeads * config.numHiddenLayers;
  if (config.weights === 'f32')
    return {
      add: (linear + attention) * FP16.add * JOULE, mul: (linear + attention) * FP16.mul * JOULE };
  const scales = tokens * projections.reduce((sum, { rows, cols }) => sum + rows + cols, 0);
  return {
    add: (linear * INT8_ADD + attention * FP16.add) * JOULE,
    mul: (attention + scales) * FP16.mul * JOULE,
  };
}

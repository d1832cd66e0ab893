/**
 * Scales beside matrices: weights are −1, 0, +1 in the file, and a tensor of one number says by what their
 * product is multiplied.
 * @module
 */
import type { RunWeights } from '../model/weights.ts';
import { scaledProjection } from '../nn/scaled.ts';

const scalesOf = new WeakMap<RunWeights, Map<string, number>>();

/** From now on, products with the matrix `name` are multiplied by `scale`. */
export function setScale(weights: RunWeights, name: string, scale: number): void {
  const scales = scalesOf.get(weights) ?? new Map<string, number>();
  scalesOf.set(weights, scales.set(name, scale));
  weights.around = (products, names) => {
    const own = names.map((one) => scales.get(one) ?? 1);
    return own.every((one) => one === 1) ? products : scaledProjection(products, own);
  };
}

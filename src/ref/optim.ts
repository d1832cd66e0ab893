/**
 * AdamW and what surrounds an optimizer step, written to be read: the twin of
 * `assembly/kernels/optim-f32.ts`.
 *
 *   m ← β₁·m + (1 − β₁)·g      v ← β₂·v + (1 − β₂)·g²
 *   w ← w − lr·decay·w − lr · (m / c₁) / (√(v / c₂) + ε),  c_i = 1 − β_i^step
 *
 * Source: Loshchilov & Hutter 2019, Decoupled Weight Decay (arXiv 1711.05101).
 * @module
 */

/** Weights and their moments, f64[n] each. */
export interface AdamState {
  readonly w: Float64Array;
  readonly m: Float64Array;
  readonly v: Float64Array;
}

export interface AdamOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Factor on every gradient: clipping and averaging. */
  readonly gradScale: number;
}

/**
 * The state after one more step; the old one is left alone. (The kernel also zeroes g.)
 *
 * @param g f64[n]
 * @param step 1 for the first
 */
export function adamw(
  { w, m, v }: AdamState, g: ArrayLike<number>, step: number, o: AdamOptions,
): AdamState {
  const correction1 = 1 - o.beta1 ** step, correction2 = 1 - o.beta2 ** step;
  const scaled = Float64Array.from(g, (value) => value * o.gradScale);
  const newM = m.map((value, i) => o.beta1 * value + (1 - o.beta1) * scaled[i]);
  const newV = v.map((value, i) => o.beta2 * value + (1 - o.beta2) * scaled[i] ** 2);
  const newW = w.map((value, i) => {
    const change = newM[i] / correction1 / (Math.sqrt(newV[i] / correction2) + o.epsilon);
    return value - o.learningRate * o.weightDecay * value - o.learningRate * change;
  });
  return { w: newW, m: newM, v: newV };
}

/** Σ x² */
export function sumSquares(x: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] ** 2;
  return sum;
}

/** Index of the first NaN or infinity; x.length if all are finite. */
export function firstNonFinite(x: ArrayLike<number>): number {
  const index = Array.from(x).findIndex((value) => !Number.isFinite(value));
  return index < 0 ? x.length : index;
}

// AdamW and what surrounds an optimizer step, f32[n].
//
//   m ← β₁·m + (1 − β₁)·g        v ← β₂·v + (1 − β₂)·g²        (g already scaled by gradScale)
//   w ← w − lr·decay·w − lr · (m / c₁) / (√(v / c₂) + ε)       c_i = 1 − β_i^step
//
// The gradients are zeroed in the same pass, while they are in the cache: ready for the next step.
//
// Bound   Memory: four arrays read and written.
// Source  Loshchilov & Hutter 2019, Decoupled Weight Decay (arXiv 1711.05101).

import { addWidenF64, sumF64x2 } from '../lib/simd';

/**
 * One step over n weights, n a multiple of 4 (or room for whole vectors); g ← 0.
 *
 * @param gradScale factor on every gradient: clipping and averaging
 * @param correction1 1 − β₁^step; correction2 1 − β₂^step
 */
export function adamwF32(
  w: usize, g: usize, m: usize, v: usize, n: usize, lr: f32, beta1: f32, beta2: f32, eps: f32,
  weightDecay: f32, gradScale: f32, correction1: f32, correction2: f32,
): void {
  const vb1 = f32x4.splat(beta1), vb2 = f32x4.splat(beta2);
  const vc1 = f32x4.splat(1 - beta1), vc2 = f32x4.splat(1 - beta2);
  const vrate = f32x4.splat(lr / correction1), vroot = f32x4.splat(1 / correction2);
  const veps = f32x4.splat(eps), vscale = f32x4.splat(gradScale);
  const vkeep = f32x4.splat(1 - lr * weightDecay);
  for (let i: usize = 0; i < n << 2; i += 16) {
    const vg = f32x4.mul(v128.load(g + i), vscale);
    const vm = f32x4.add(f32x4.mul(vb1, v128.load(m + i)), f32x4.mul(vc1, vg));
    const vv = f32x4.add(f32x4.mul(vb2, v128.load(v + i)), f32x4.mul(vc2, f32x4.mul(vg, vg)));
    v128.store(g + i, f32x4.splat(0));
    v128.store(m + i, vm);
    v128.store(v + i, vv);
    const root = f32x4.add(f32x4.sqrt(f32x4.mul(vv, vroot)), veps);
    const change = f32x4.div(f32x4.mul(vrate, vm), root);
    v128.store(w + i, f32x4.sub(f32x4.mul(v128.load(w + i), vkeep), change));
  }
}

/** Σ x² of f32[n] in f64: the squared norm that clipping needs. */
export function sumSquaresF32(x: usize, n: usize): f64 {
  let vsum = f64x2.splat(0);
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) {
    const v = v128.load(x + (i << 2));
    vsum = addWidenF64(vsum, f32x4.mul(v, v));
  }
  let sum = sumF64x2(vsum);
  for (; i < n; i++) {
    const v = load<f32>(x + (i << 2));
    sum += <f64>(v * v);
  }
  return sum;
}

/** Index of the first NaN or infinity of f32[n]; n if all are finite. */
export function firstNonFiniteF32(x: usize, n: usize): usize {
  for (let i: usize = 0; i < n; i++) {
    const bits = load<u32>(x + (i << 2));
    if ((bits & 0x7f800000) == 0x7f800000) return i;
  }
  return n;
}

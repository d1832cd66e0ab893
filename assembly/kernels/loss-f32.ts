// Cross-entropy by row, f32[M, V].
//
//   p = softmax(z)      loss = log Σ_v e^(z_v − max) + max − z_target      dz = (p − onehot) · scale
//
// Sums run in four fixed f32 lanes per block of 256 values and over blocks in f64, so that a
// vocabulary of 150,000 loses nothing.
//
// Bound   The exponential.

import { expF32x4 } from '../lib/math';
import { maxF32x4, sumF32x4 } from '../lib/simd';

const BLOCK: usize = 256;

/** max of f32[v]. */
function rowMax(z: usize, v: usize): f32 {
  let vmax = f32x4.splat(-Infinity);
  let j: usize = 0;
  for (; j + 4 <= v; j += 4) vmax = f32x4.max(vmax, v128.load(z + (j << 2)));
  let result = maxF32x4(vmax);
  for (; j < v; j++) result = max(result, load<f32>(z + (j << 2)));
  return result;
}

/** p ← e^(z − max) for f32[v], or nothing stored where p is 0; returns the sum. */
function expSum(z: usize, p: usize, v: usize, largest: f32): f64 {
  const vmax = f32x4.splat(largest);
  let total: f64 = 0;
  let j: usize = 0;
  while (j + 4 <= v) {
    const blockEnd = min(j + BLOCK, v & ~3);
    let vsum = f32x4.splat(0);
    for (; j < blockEnd; j += 4) {
      const e = expF32x4(f32x4.sub(v128.load(z + (j << 2)), vmax));
      if (p) v128.store(p + (j << 2), e);
      vsum = f32x4.add(vsum, e);
    }
    total += <f64>sumF32x4(vsum);
  }
  for (; j < v; j++) {
    const e = f32x4.extract_lane(expF32x4(f32x4.splat(load<f32>(z + (j << 2)) - largest)), 0);
    if (p) store<f32>(p + (j << 2), e);
    total += <f64>e;
  }
  return total;
}

/** x ← x · factor for f32[v]. */
// @ts-ignore: decorator
@inline
function scaleRow(x: usize, factor: f32, v: usize): void {
  const vfactor = f32x4.splat(factor);
  let j: usize = 0;
  for (; j + 4 <= v; j += 4) v128.store(x + (j << 2), f32x4.mul(v128.load(x + (j << 2)), vfactor));
  for (; j < v; j++) store<f32>(x + (j << 2), load<f32>(x + (j << 2)) * factor);
}

/**
 * losses ← cross-entropy in nats; dz ← its gradient times `scale`.
 *
 * @param z f32[m, v] logits
 * @param targets i32[m], each in [0, v); −1 leaves the row out: loss 0, gradient 0
 * @param losses f32[m]
 * @param dz f32[m, v] or 0 for none; may be z
 */
export function crossEntropyF32(
  z: usize, targets: usize, losses: usize, dz: usize, m: usize, v: usize, scale: f32,
): void {
  for (let i: usize = 0; i < m; i++, z += v << 2) {
    const target = load<i32>(targets + (i << 2));
    if (target < 0) {
      store<f32>(losses + (i << 2), 0);
      if (dz) memory.fill(dz, 0, v << 2);
    } else {
      const at = <usize>target << 2;
      const largest = rowMax(z, v);
      const logit = <f64>load<f32>(z + at);
      const sum = expSum(z, dz, v, largest);
      store<f32>(losses + (i << 2), <f32>(NativeMath.log(sum) + <f64>largest - logit));
      if (dz) {
        scaleRow(dz, <f32>(<f64>scale / sum), v);
        store<f32>(dz + at, load<f32>(dz + at) - scale);
      }
    }
    if (dz) dz += v << 2;
  }
}

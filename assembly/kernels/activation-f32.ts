// Non-linearities with their slopes, and element-wise products, f32[n].
//
//   relu   max(x, 0)                  relu2  max(x, 0)²              silu  x · σ(x)
//   gelu   x/2 · (1 + tanh u) = x · σ(2u),  u = √(2/π)·(x + 0.044715·x³)   (the tanh form)
//   mul    a · b: the gate of SwiGLU and ReLU²-GLU
//
// Training has value and slope in one pass, with one exponential for both: x becomes act′(x), which is
// all that backward needs, dx = dy · act′(x).
//
// n is a multiple of 4 or the arrays have room up to the next one: whole vectors are written.
//
// Bound   relu, mul: reading and writing. silu, gelu: the exponential, about 20 operations.
// Source  Hendrycks & Gimpel 2016, GELU (arXiv 1606.08415); Shazeer 2020, GLU Variants
//         (arXiv 2002.05202); So et al. 2021, Primer (arXiv 2109.08668) for ReLU².

import { sigmoidF32x4 } from '../lib/math';

const SQRT_2_OVER_PI: f32 = 0.7978845608028654;
const GELU_CUBIC: f32 = 0.044715;

export function reluF32(x: usize, y: usize, n: usize): void {
  for (const end = x + (n << 2); x < end; x += 16, y += 16) {
    v128.store(y, f32x4.max(v128.load(x), f32x4.splat(0)));
  }
}

/** y ← relu(x), x ← 1 where x > 0, else 0. */
export function reluSlopeF32(x: usize, y: usize, n: usize): void {
  for (const end = x + (n << 2); x < end; x += 16, y += 16) {
    const v = v128.load(x);
    v128.store(y, f32x4.max(v, f32x4.splat(0)));
    v128.store(x, v128.and(f32x4.splat(1), f32x4.gt(v, f32x4.splat(0))));
  }
}

export function relu2F32(x: usize, y: usize, n: usize): void {
  for (const end = x + (n << 2); x < end; x += 16, y += 16) {
    const r = f32x4.max(v128.load(x), f32x4.splat(0));
    v128.store(y, f32x4.mul(r, r));
  }
}

/** y ← relu2(x), x ← 2·max(x, 0). */
export function relu2SlopeF32(x: usize, y: usize, n: usize): void {
  for (const end = x + (n << 2); x < end; x += 16, y += 16) {
    const r = f32x4.max(v128.load(x), f32x4.splat(0));
    v128.store(y, f32x4.mul(r, r));
    v128.store(x, f32x4.add(r, r));
  }
}

export function siluF32(x: usize, y: usize, n: usize): void {
  for (const end = x + (n << 2); x < end; x += 16, y += 16) {
    const v = v128.load(x);
    v128.store(y, f32x4.mul(v, sigmoidF32x4(v)));
  }
}

/** y ← silu(x), x ← σ·(1 + x·(1 − σ)). */
export function siluSlopeF32(x: usize, y: usize, n: usize): void {
  const one = f32x4.splat(1);
  for (const end = x + (n << 2); x < end; x += 16, y += 16) {
    const v = v128.load(x), s = sigmoidF32x4(v);
    v128.store(y, f32x4.mul(v, s));
    v128.store(x, f32x4.mul(s, f32x4.add(one, f32x4.mul(v, f32x4.sub(one, s)))));
  }
}

/** σ(2u) = ½·(1 + tanh u), u = √(2/π)·(x + 0.044715·x³): one exponential, one division. */
// @ts-ignore: decorator
@inline
function geluGate(x: v128): v128 {
  const cubic = f32x4.mul(f32x4.mul(x, x), f32x4.mul(x, f32x4.splat(GELU_CUBIC)));
  return sigmoidF32x4(f32x4.mul(f32x4.splat(2 * SQRT_2_OVER_PI), f32x4.add(x, cubic)));
}

export function geluF32(x: usize, y: usize, n: usize): void {
  for (const end = x + (n << 2); x < end; x += 16, y += 16) {
    const v = v128.load(x);
    v128.store(y, f32x4.mul(v, geluGate(v)));
  }
}

/** y ← gelu(x), x ← s + x·s·(1 − s)·2u′, s = σ(2u), u′ = √(2/π)·(1 + 3·0.044715·x²). */
export function geluSlopeF32(x: usize, y: usize, n: usize): void {
  const one = f32x4.splat(1);
  for (const end = x + (n << 2); x < end; x += 16, y += 16) {
    const v = v128.load(x), s = geluGate(v);
    v128.store(y, f32x4.mul(v, s));
    const square = f32x4.mul(f32x4.splat(3 * GELU_CUBIC), f32x4.mul(v, v));
    const du = f32x4.mul(f32x4.splat(2 * SQRT_2_OVER_PI), f32x4.add(one, square));
    v128.store(x, f32x4.add(s, f32x4.mul(f32x4.mul(v, du), f32x4.mul(s, f32x4.sub(one, s)))));
  }
}

/** y ← a · b, element by element; y may be a or b. */
export function mulF32(a: usize, b: usize, y: usize, n: usize): void {
  for (const end = a + (n << 2); a < end; a += 16, b += 16, y += 16) {
    v128.store(y, f32x4.mul(v128.load(a), v128.load(b)));
  }
}

/** y ← a + b, element by element; y may be a or b. */
export function addF32(a: usize, b: usize, y: usize, n: usize): void {
  for (const end = a + (n << 2); a < end; a += 16, b += 16, y += 16) {
    v128.store(y, f32x4.add(v128.load(a), v128.load(b)));
  }
}

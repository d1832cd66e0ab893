// Gated non-linearities in one pass, f32[n]: SwiGLU and ReLU²-GLU, forward and backward.
//
//   h = act(z) · u        dz = dh · u · act′(z)        du = dh · act(z)
//
//   silu    act = z·σ          act′ = σ·(1 + z·(1 − σ))       σ = 1 / (1 + e^−z)
//   relu2   act = max(z, 0)²   act′ = 2·max(z, 0)
//
// Order   Products as written, from the left: the bits of the separate kernels one after the other.
// Bound   relu2: reading and writing, 3 arrays forward, 5 backward, where separate kernels take 5
//         and 11. silu: the exponential, about 20 operations; backward has it once for both results.
//
// n is a multiple of 4 or the arrays have room up to the next one: whole vectors are written.
//
// Source  Shazeer 2020, GLU Variants (arXiv 2002.05202); So et al. 2021, Primer (arXiv 2109.08668).

import { sigmoidF32x4 } from '../lib/math';

/** h ← silu(z) · u; h may be z or u. */
export function gateSiluF32(z: usize, u: usize, h: usize, n: usize): void {
  for (const end = z + (n << 2); z < end; z += 16, u += 16, h += 16) {
    const v = v128.load(z);
    v128.store(h, f32x4.mul(f32x4.mul(v, sigmoidF32x4(v)), v128.load(u)));
  }
}

export function gateSiluBackwardF32(
  dh: usize, z: usize, u: usize, dz: usize, du: usize, n: usize,
): void {
  const one = f32x4.splat(1);
  for (const end = z + (n << 2); z < end; dh += 16, z += 16, u += 16, dz += 16, du += 16) {
    const v = v128.load(z), d = v128.load(dh), s = sigmoidF32x4(v);
    const slope = f32x4.mul(s, f32x4.add(one, f32x4.mul(v, f32x4.sub(one, s))));
    const da = f32x4.mul(d, v128.load(u));
    v128.store(du, f32x4.mul(d, f32x4.mul(v, s)));
    v128.store(dz, f32x4.mul(da, slope));
  }
}

/** h ← max(z, 0)² · u; h may be z or u. */
export function gateRelu2F32(z: usize, u: usize, h: usize, n: usize): void {
  for (const end = z + (n << 2); z < end; z += 16, u += 16, h += 16) {
    const r = f32x4.max(v128.load(z), f32x4.splat(0));
    v128.store(h, f32x4.mul(f32x4.mul(r, r), v128.load(u)));
  }
}

export function gateRelu2BackwardF32(
  dh: usize, z: usize, u: usize, dz: usize, du: usize, n: usize,
): void {
  for (const end = z + (n << 2); z < end; dh += 16, z += 16, u += 16, dz += 16, du += 16) {
    const r = f32x4.max(v128.load(z), f32x4.splat(0)), d = v128.load(dh);
    const da = f32x4.mul(d, v128.load(u));
    v128.store(du, f32x4.mul(d, f32x4.mul(r, r)));
    v128.store(dz, f32x4.mul(da, f32x4.add(r, r)));
  }
}

// Gated non-linearities in one pass, f32[n]: SwiGLU and ReLU²-GLU, and the gradients of any gate.
//
//   h = act(z) · u        dz = dh · u · act′(z)        du = dh · act(z)
//
//   silu    act = z / (1 + e^−z)          relu2   act = max(z, 0)²
//
// Training has act and act′ from the kernels of the non-linearity (`activation-f32.ts`), and keeps them.
//
// Order   Products as written, from the left: the bits of the separate kernels one after the other.
// Bound   relu2, backward: reading and writing. silu: the exponential, about 20 operations.
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

/** h ← max(z, 0)² · u; h may be z or u. */
export function gateRelu2F32(z: usize, u: usize, h: usize, n: usize): void {
  for (const end = z + (n << 2); z < end; z += 16, u += 16, h += 16) {
    const r = f32x4.max(v128.load(z), f32x4.splat(0));
    v128.store(h, f32x4.mul(f32x4.mul(r, r), v128.load(u)));
  }
}

/** slope ← dh · u · slope, a ← dh · a: the gradients of z and u, where act′(z) and act(z) were. */
export function gateBackwardF32(dh: usize, u: usize, slope: usize, a: usize, n: usize): void {
  for (const end = u + (n << 2); u < end; dh += 16, u += 16, slope += 16, a += 16) {
    const d = v128.load(dh);
    v128.store(slope, f32x4.mul(f32x4.mul(d, v128.load(u)), v128.load(slope)));
    v128.store(a, f32x4.mul(d, v128.load(a)));
  }
}

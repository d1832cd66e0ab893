/**
 * The feed-forward network, plain or gated.
 *
 *   plain    y = down(subNorm(act(up(x))))
 *   gated    y = down(subNorm(act(gate(x)) · up(x)))        SwiGLU, ReLU²-GLU
 * @module
 */
import type { HiddenAct } from '../ops/activation.ts';
import { activate, activateWithSlope, gate, gateBackward, multiply } from '../ops/activation.ts';
import type { Matrix } from '../ops/matrix.ts';
import type { Norm } from './norm.ts';
import type { Pass } from './pass.ts';
import { savedBy } from './pass.ts';
import type { Projection } from './projection.ts';

export interface MlpParts {
  /** Parts [up], or [gate, up] when gated. */
  readonly up: Projection;
  readonly down: Projection;
  readonly subNorm?: Norm;
  readonly act: HiddenAct;
}

interface Saved {
  /** act′ of the gate or, plain, of up(x). */
  readonly slope: Matrix;
  /** When gated: up(x), and act of the gate. */
  readonly gated?: { readonly u: Matrix; readonly a: Matrix };
}

export class Mlp {
  readonly parts: MlpParts;
  #saved?: Saved;

  constructor(parts: MlpParts) {
    this.parts = parts;
  }

  /** f32[M, C] → f32[M, C] */
  forward(x: Matrix, pass: Pass): Matrix {
    const { up, down, subNorm, act } = this.parts;
    const [z, u] = up.forward(x, pass);
    const h = pass.training ? this.#activate(z, u, pass)
      : u ? gate(pass, act, z, u) : activate(pass, act, z);
    return down.forward(subNorm?.forward(h, pass) ?? h, pass)[0];
  }

  /** act(z), or act(z) · u; what backward needs is kept, in the memory of z too. */
  #activate(z: Matrix, u: Matrix | undefined, pass: Pass): Matrix {
    const a = activateWithSlope(pass, this.parts.act, z);
    this.#saved = { slope: z, gated: u && { u, a } };
    return u ? multiply(pass, a, u) : a;
  }

  backward(dy: Matrix, pass: Pass): Matrix {
    const { slope, gated } = savedBy('Mlp', this.#saved);
    const { up, down, subNorm } = this.parts;
    const dDown = down.backward([dy], pass);
    const dh = subNorm?.backward(dDown, pass) ?? dDown;
    if (!gated) return up.backward([multiply(pass, dh, slope, slope)], pass);
    const { dz, du } = gateBackward(pass, dh, gated.u, slope, gated.a);
    return up.backward([dz, du], pass);
  }
}

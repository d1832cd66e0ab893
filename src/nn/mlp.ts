/**
 * The feed-forward network, plain or gated.
 *
 *   plain    y = down(subNorm(act(up(x))))
 *   gated    y = down(subNorm(act(gate(x)) · up(x)))        SwiGLU, ReLU²-GLU
 * @module
 */
import type { HiddenAct } from '../ops/activation.ts';
import { activate, activateBackward, gate, gateBackward } from '../ops/activation.ts';
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
  /** Input of the non-linearity. */
  readonly z: Matrix;
  /** up(x), when gated. */
  readonly u?: Matrix;
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
    const h = u ? gate(pass, act, z, u) : activate(pass, act, z);
    if (pass.training) this.#saved = { z, u };
    return down.forward(subNorm?.forward(h, pass) ?? h, pass)[0];
  }

  backward(dy: Matrix, pass: Pass): Matrix {
    const { z, u } = savedBy('Mlp', this.#saved);
    const { up, down, subNorm, act } = this.parts;
    const dDown = down.backward([dy], pass);
    const dh = subNorm?.backward(dDown, pass) ?? dDown;
    if (!u) return up.backward([activateBackward(pass, act, dh, z)], pass);
    const { dz, du } = gateBackward(pass, act, dh, z, u);
    return up.backward([dz, du], pass);
  }
}

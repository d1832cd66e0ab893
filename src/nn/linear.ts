/**
 * Linear: y = x · Wᵀ with float weights. The comparison with BitLinear, and the head.
 *
 *   dx = dy · W          dW += dyᵀ · x
 *
 * W is kept a second time in panels of 8 columns, the layout that the product reads; `prepare`
 * renews them.
 * @module
 */
import type { Panels } from '../ops/gemm.ts';
import { gemmNN, gemmPanels, gemmTNs, packWeights, panelBytes } from '../ops/gemm.ts';
import type { Compute, Matrix } from '../ops/matrix.ts';
import { newMatrix } from '../ops/matrix.ts';
import type { Engine } from '../wasm/engine.ts';
import type { Parameter, Pass } from './pass.ts';
import { gradOf, savedBy } from './pass.ts';
import type { Projection } from './projection.ts';

export class Linear implements Projection {
  readonly weights: readonly Parameter[];
  readonly #engine: Engine;
  readonly #panels: Panels[];
  #saved?: Matrix;

  /** @param weights f32[rows, cols] each, with the same cols */
  constructor(engine: Engine, weights: readonly Parameter[]) {
    this.#engine = engine;
    this.weights = weights;
    this.#panels = weights.map(({ value: { rows, cols } }) => (
      { ptr: engine.heap.alloc(panelBytes(cols, rows)), k: cols, n: rows }));
  }

  prepare(compute: Compute): void {
    this.weights.forEach(({ value }, p) => packWeights(compute, value, this.#panels[p].ptr));
  }

  forward(x: Matrix, pass: Pass): Matrix[] {
    if (pass.training) this.#saved = x;
    const input = pass.onInput?.(x, this.weights, pass) ?? x;
    return this.#panels.map((panels) => {
      const out = newMatrix(pass, x.rows, panels.n);
      gemmPanels(pass, input, panels, out);
      return out;
    });
  }

  backward(dys: readonly Matrix[], pass: Pass): Matrix {
    const x = savedBy('Linear', this.#saved);
    const dx = newMatrix(pass, x.rows, x.cols);
    this.weights.forEach(({ value }, p) => gemmNN(pass, dys[p], value, dx, p > 0));
    gemmTNs(pass, dys, x, this.weights.map(gradOf), true);
    return dx;
  }

  dispose(): void {
    for (const { ptr } of this.#panels) this.#engine.heap.free(ptr);
  }
}

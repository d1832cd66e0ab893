/**
 * QuIP: makes weights and inputs incoherent, so that nothing sticks out of the grid, rounds them with
 * linear feedback (LDLQ), and takes the transforms back.
 *
 *   incoherence   W ← U·(W·D)·Vᵀ,  H ← V·(D⁻¹·H·D⁻¹)·Vᵀ      D = (diag H / diag WᵀW)^¼
 *   grid          2^bits points from −s to s, s = ρ·‖W‖_F/√(rows·cols), ρ = 2.4
 *   LDLQ          H = (I + Ů)·Δ·(I + Ů)ᵀ;  ŵ_k = round(w_k + Σ_{j<k} (w_j − ŵ_j)·Ů_jk)
 *   back          Ŵ ← Uᵀ·Ŵ·V·D⁻¹
 *
 * U and V are random orthogonal transforms (`orthogonal.ts`); they and D leave the error
 * tr((Ŵ − W)·H·(Ŵ − W)ᵀ) as it is. LDLQ without them is GPTQ (theorem 6 of the paper).
 * Source  Chee et al. 2023, QuIP, algorithms 1–3 (arXiv 2307.13304).
 * @module
 */
import { checkInteger } from '../../check.ts';
import { roundHalfEven } from '../../quant/rounding.ts';
import { Rng } from '../../rng.ts';
import { DAMPING } from './gptq.ts';
import type { Round, Weights } from './layer.ts';
import { checkLayer } from './layer.ts';
import { randomOrthogonal, transformCols, transformRows } from './orthogonal.ts';
import type { Square } from './symmetric.ts';
import { dampened, unitUpper } from './symmetric.ts';

/** Half the width of the grid, in root mean squares of the weights. */
const RHO = 2.4;

/**
 * Rounds f64[rows, H.n] in place, from the first column to the last, each with the errors of those
 * before it fed back. H is taken as it is.
 *
 * @throws {RangeError} If H is not positive definite.
 * @example
 * const w = Float64Array.of(0.4, 0.4);
 * roundLdlq(w, { n: 2, data: Float64Array.of(1.01, 1, 1, 1.01) }, Math.round);
 * w; // [0, 1]
 */
export function roundLdlq(weights: Float64Array, hessian: Square, round: Round): void {
  const { n } = hessian, { data: u } = unitUpper(hessian).upper, error = new Float64Array(n);
  for (let r = 0, from = 0; from < weights.length; r++, from += n)
    for (let k = 0; k < n; k++) {
      let feedback = 0;
      for (let j = 0; j < k; j++) feedback += error[j] * u[j * n + k];
      const w = weights[from + k], q = round(w + feedback, r);
      error[k] = w - q;
      weights[from + k] = q;
    }
}

/**
 * The weights that QuIP rounds to: no longer on a grid themselves, but `bits` a weight in the
 * coordinates of the transforms, which are known from the seed.
 *
 * @param bits 1 … 8
 * @param seed of the transforms
 * @throws {RangeError} If the shapes do not fit.
 */
export function roundQuip(
  weights: Weights, hessian: Square, bits: number, seed: number, damping = DAMPING,
): Weights {
  checkLayer('roundQuip', weights, hessian);
  checkInteger('roundQuip', 'bits', bits, 1, 8);
  const { rows, cols } = weights, rng = new Rng(seed);
  const left = randomOrthogonal(rows, rng), right = randomOrthogonal(cols, rng);
  const w = Float64Array.from(weights.data), h = dampened(hessian, damping);
  const factors = balance(w, h);
  transformRows(w, right);
  transformCols(w, left);
  transformRows(h.data, right);
  transformCols(h.data, right);
  roundLdlq(w, h, evenGrid(w, bits));
  transformCols(w, left, true);
  transformRows(w, right, true);
  return { rows, cols, data: Float32Array.from(w, (value, i) => value / factors[i % cols]) };
}

/** W ← W·D and H ← D⁻¹·H·D⁻¹ in place; returns D. A column of zeros is left alone. */
function balance(w: Float64Array, { n, data: h }: Square): Float64Array {
  const squares = new Float64Array(n);
  for (let i = 0; i < w.length; i++) squares[i % n] += w[i] * w[i];
  const d = squares.map((square, i) => (square > 0 ? Math.sqrt(Math.sqrt(h[i * n + i] / square)) : 1));
  for (let i = 0; i < w.length; i++) w[i] *= d[i % n];
  for (let i = 0; i < h.length; i++) h[i] /= d[Math.floor(i / n)] * d[i % n];
  return d;
}

/** 2^bits points, evenly from −s to s. */
function evenGrid(w: Float64Array, bits: number): Round {
  let squares = 0;
  for (const value of w) squares += value * value;
  const top = (1 << bits) - 1, s = RHO * Math.sqrt(squares / w.length) || 1;
  return (value) => {
    const code = roundHalfEven(((value / s + 1) * top) / 2);
    return s * ((2 * Math.min(top, Math.max(0, code))) / top - 1);
  };
}

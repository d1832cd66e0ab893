/**
 * Random orthogonal transforms that spread what is large over all coordinates: QuIP's incoherence
 * processing.
 *
 *   Q = (Hadamard(2^k) ⊗ P) · diag(±1)        n = 2^k · m, m odd, P random orthogonal m × m
 *
 * For powers of 2 that is the randomized Hadamard transform, in n·log n additions; P comes from the
 * Gram–Schmidt process on random columns. Qᵀ undoes Q.
 * Source  Chee et al. 2023, QuIP, §4 (arXiv 2307.13304), with Kronecker factors; Tseng et al. 2024,
 *         QuIP#, §3 (arXiv 2402.04396), with Hadamard.
 * @module
 */
import { Rng } from '../../rng.ts';

export interface Orthogonal {
  readonly n: number;
  /** x ← Q·x, in place. @param x f64[n] */
  apply(x: Float64Array): void;
  /** x ← Qᵀ·x, in place: undoes `apply`. */
  undo(x: Float64Array): void;
}

/** The transform that does nothing. */
export const identity = (n: number): Orthogonal => ({ n, apply: () => {}, undo: () => {} });

/**
 * A transform of n coordinates. The same generator state gives the same one.
 *
 * @example
 * const q = randomOrthogonal(8, new Rng(1)), x = Float64Array.of(1, 0, 0, 0, 0, 0, 0, 0);
 * q.apply(x); // every |x[i]| is 1/√8
 */
export function randomOrthogonal(n: number, rng: Rng): Orthogonal {
  const signs = Float64Array.from({ length: n }, () => (rng.nextU32() & 1 ? 1 : -1));
  let power = 1;
  while (n % (power * 2) === 0) power *= 2;
  const odd = n / power, small = orthonormalRows(odd, rng);
  const flip = (x: Float64Array): void => signs.forEach((sign, i) => (x[i] *= sign));
  return {
    n,
    apply: (x) => {
      flip(x);
      hadamard(x, power, odd);
      eachRun(x, odd, small, false);
    },
    undo: (x) => {
      eachRun(x, odd, small, true);
      hadamard(x, power, odd); // symmetric, and its own inverse
      flip(x);
    },
  };
}

/** Hadamard(power)/√power on runs of `stride` coordinates. */
function hadamard(x: Float64Array, power: number, stride: number): void {
  for (let half = stride; half < power * stride; half *= 2)
    for (let from = 0; from < x.length; from += 2 * half)
      for (let i = from; i < from + half; i++) {
        const a = x[i], b = x[i + half];
        x[i] = a + b;
        x[i + half] = a - b;
      }
  const scale = 1 / Math.sqrt(power);
  for (let i = 0; i < x.length; i++) x[i] *= scale;
}

/** Every run of m coordinates ← P · run, or Pᵀ · run. */
function eachRun(x: Float64Array, m: number, p: Float64Array, transposed: boolean): void {
  if (m === 1) return;
  const run = new Float64Array(m);
  for (let from = 0; from < x.length; from += m) {
    run.set(x.subarray(from, from + m));
    for (let i = 0; i < m; i++) {
      let sum = 0;
      for (let j = 0; j < m; j++) sum += (transposed ? p[j * m + i] : p[i * m + j]) * run[j];
      x[from + i] = sum;
    }
  }
}

/** f64[m, m] with orthonormal rows: Gram–Schmidt, twice, on random rows. */
function orthonormalRows(m: number, rng: Rng): Float64Array {
  const p = Float64Array.from({ length: m * m }, () => rng.nextNormal());
  for (let i = 0; i < m; i++) {
    const row = p.subarray(i * m, (i + 1) * m);
    for (let j = 0; j < 2 * i; j++) {
      const other = p.subarray((j % i) * m, (j % i + 1) * m), share = dot(row, other);
      row.forEach((_, c) => (row[c] -= share * other[c]));
    }
    const length = Math.sqrt(dot(row, row));
    row.forEach((_, c) => (row[c] /= length));
  }
  return p;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Every row of f64[rows, q.n] ← q · row; or undone. */
export function transformRows(x: Float64Array, q: Orthogonal, undo = false): void {
  for (let from = 0; from < x.length; from += q.n) {
    const row = x.subarray(from, from + q.n);
    if (undo) q.undo(row);
    else q.apply(row);
  }
}

/** Every column of f64[q.n, cols] ← q · column; or undone. */
export function transformCols(x: Float64Array, q: Orthogonal, undo = false): void {
  const cols = x.length / q.n, column = new Float64Array(q.n);
  for (let c = 0; c < cols; c++) {
    for (let r = 0; r < q.n; r++) column[r] = x[r * cols + c];
    if (undo) q.undo(column);
    else q.apply(column);
    for (let r = 0; r < q.n; r++) x[r * cols + c] = column[r];
  }
}

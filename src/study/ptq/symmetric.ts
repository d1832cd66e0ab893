/**
 * Linear algebra of symmetric positive definite matrices in f64, as post-training quantization needs
 * it: n is the width of a layer, so n³ is small.
 *
 *   choleskyLower   A = L·Lᵀ                       L lower triangular
 *   inverse         A⁻¹ = L⁻ᵀ·L⁻¹
 *   choleskyUpper   A = Uᵀ·U                       U = Lᵀ
 *   unitUpper       A = (I + Ů)·D·(I + Ů)ᵀ         Ů strictly upper triangular, D diagonal
 *
 * Sums run in the order of the index and only + − · / √ are used: the same bits in every engine.
 * Source  Golub & Van Loan 2013, Matrix Computations, §4.1–4.2.
 * @module
 */

/** f64[n, n], row-major. */
export interface Square {
  readonly n: number;
  readonly data: Float64Array;
}

/** A square matrix of zeros. */
export const zeros = (n: number): Square => ({ n, data: new Float64Array(n * n) });

function notPositive(fn: string, at: number, pivot: number): RangeError {
  return new RangeError(
    `${fn}: "a" expected a positive definite matrix, got the pivot ${pivot} in row ${at}: ` +
    'add to its diagonal');
}

/**
 * L of A = L·Lᵀ. Reads the lower triangle.
 *
 * @throws {RangeError} If A is not positive definite.
 * @example
 * choleskyLower({ n: 2, data: Float64Array.of(4, 2, 2, 2) }).data; // [2, 0, 1, 1]
 */
export function choleskyLower({ n, data: a }: Square): Square {
  const lower = zeros(n), { data: l } = lower;
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k];
      if (i === j && !(sum > 0)) throw notPositive('choleskyLower', i, sum);
      l[i * n + j] = i === j ? Math.sqrt(sum) : sum / l[j * n + j];
    }
  return lower;
}

/**
 * A⁻¹, by Cholesky.
 *
 * @throws {RangeError} If A is not positive definite.
 * @example
 * inverse({ n: 2, data: Float64Array.of(4, 2, 2, 2) }).data; // [0.5, -0.5, -0.5, 1]
 */
export function inverse(a: Square): Square {
  const { n, data: l } = choleskyLower(a), inverted = zeros(n), { data: m } = inverted;
  // m ← L⁻¹, column by column: L · m[:, j] = e_j.
  for (let j = 0; j < n; j++)
    for (let i = j; i < n; i++) {
      let sum = i === j ? 1 : 0;
      for (let k = j; k < i; k++) sum -= l[i * n + k] * m[k * n + j];
      m[i * n + j] = sum / l[i * n + i];
    }
  const result = zeros(n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = i; k < n; k++) sum += m[k * n + i] * m[k * n + j];
      result.data[i * n + j] = result.data[j * n + i] = sum;
    }
  return result;
}

/** U of A = Uᵀ·U: the transpose of `choleskyLower`. */
export function choleskyUpper(a: Square): Square {
  const { n, data: l } = choleskyLower(a), upper = zeros(n);
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) upper.data[j * n + i] = l[i * n + j];
  return upper;
}

/**
 * Ů and D of A = (I + Ů)·D·(I + Ů)ᵀ, from the last column to the first.
 *
 * @throws {RangeError} If A is not positive definite.
 * @example
 * unitUpper({ n: 2, data: Float64Array.of(4, 2, 2, 2) });
 * // upper [0, 1, 0, 0], diagonal [2, 2]
 */
export function unitUpper({ n, data: a }: Square): { upper: Square; diagonal: Float64Array } {
  const upper = zeros(n), { data: u } = upper, diagonal = new Float64Array(n);
  for (let j = n - 1; j >= 0; j--) {
    let pivot = a[j * n + j];
    for (let k = j + 1; k < n; k++) pivot -= u[j * n + k] * u[j * n + k] * diagonal[k];
    if (!(pivot > 0)) throw notPositive('unitUpper', j, pivot);
    diagonal[j] = pivot;
    for (let i = 0; i < j; i++) {
      let sum = a[i * n + j];
      for (let k = j + 1; k < n; k++) sum -= u[i * n + k] * u[j * n + k] * diagonal[k];
      u[i * n + j] = sum / pivot;
    }
  }
  return { upper, diagonal };
}

/** A copy of H with `share` of the mean of its diagonal added to the diagonal; I if H is zero. */
export function dampened({ n, data }: Square, share: number): Square {
  const copy = data.slice();
  let trace = 0;
  for (let i = 0; i < n; i++) trace += data[i * n + i];
  const extra = trace > 0 ? (share * trace) / n : 1;
  for (let i = 0; i < n; i++) copy[i * n + i] += extra;
  return { n, data: copy };
}

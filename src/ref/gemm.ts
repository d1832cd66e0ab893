/**
 * Twins of the float products: C (+)= A · B, A and B in either orientation. Bit-exact.
 *
 * Every element is one running sum over k = 0, 1, …: a product rounded to f32, then the addition
 * rounded, starting from 0 or from C. `Math.fround` of a product or sum of two f32 computed in
 * f64 is its correct rounding, because f64 has more than twice the digits.
 * @module
 */
const { fround } = Math;

/** A matrix whose element (i, j) is at i·rowStride + j·colStride. */
export interface Strided {
  readonly data: Float32Array;
  readonly rowStride: number;
  readonly colStride: number;
}

/** Columns of a panel. */
const PANEL = 8;

/** f32[⌈n/8⌉, k, 8]: B[k, n] in panels of 8 columns, padded with 0. */
export function packPanelsF32(b: Strided, k: number, n: number): Float32Array {
  const count = Math.ceil(n / PANEL);
  const panels = new Float32Array(count * k * PANEL);
  for (let p = 0; p < k; p++)
    for (let j = 0; j < n; j++) {
      const at = (Math.floor(j / PANEL) * k + p) * PANEL + (j % PANEL);
      panels[at] = b.data[p * b.rowStride + j * b.colStride];
    }
  return panels;
}

/** f32[m, n] ← A[m, k] · B[k, n], or C + A · B if `c` is given. */
export function gemmF32(
  a: Strided, b: Strided, m: number, n: number, k: number, c?: Float32Array,
): Float32Array {
  const out = new Float32Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = c ? c[i * n + j] : 0;
      for (let p = 0; p < k; p++) {
        const product = a.data[i * a.rowStride + p * a.colStride]
          * b.data[p * b.rowStride + j * b.colStride];
        sum = fround(sum + fround(product));
      }
      out[i * n + j] = sum;
    }
  return out;
}

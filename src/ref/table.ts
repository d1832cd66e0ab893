/**
 * Tables of packed rows, written to be read: the twin of `assembly/kernels/table.ts` and
 * `assembly/kernels/gather.ts`. Bit-exact.
 *
 * A value of a table is a half, code · scale, or ±scale. A float dot is four running sums, of the
 * columns 0, 4, 8, … , 1, 5, 9, … and so on, each product and each sum rounded to f32, added as
 * (0 + 1) + (2 + 3).
 * @module
 */
import { decodeF16 } from './half.ts';

const { fround } = Math;

/** f32[m, n] ← x[m, k] · w[n, k]ᵀ of halves. */
export function gemmF32F16(
  x: ArrayLike<number>, w: ArrayLike<number>, m: number, n: number, k: number,
): Float32Array {
  const y = new Float32Array(m * n);
  for (let i = 0; i < m; i++)
    for (let u = 0; u < n; u++) {
      const lanes = [0, 0, 0, 0];
      for (let j = 0; j < k; j++)
        lanes[j % 4] = fround(lanes[j % 4] + fround(x[i * k + j] * decodeF16(w[u * k + j])));
      y[i * n + u] = fround(lanes[0] + lanes[1]) + fround(lanes[2] + lanes[3]);
    }
  return y;
}

/** i32[m, n] ← q[m, k] · w[n, k]ᵀ. */
export function gemmI8I8(
  q: ArrayLike<number>, w: ArrayLike<number>, m: number, n: number, k: number,
): Int32Array {
  const acc = new Int32Array(m * n);
  for (let i = 0; i < m; i++)
    for (let u = 0; u < n; u++)
      for (let j = 0; j < k; j++) acc[i * n + u] += q[i * k + j] * w[u * k + j];
  return acc;
}

/** f32[ids.length, c] ← rows of halves u16[·, c]. */
export const gatherF16 = (
  table: ArrayLike<number>, ids: ArrayLike<number>, c: number,
): Float32Array => rowsOf(ids, c, (id, j) => decodeF16(table[id * c + j]));

/** The same from codes, rows of `rowBytes`, with a scale for each row. */
export const gatherI8 = (
  table: ArrayLike<number>, scale: ArrayLike<number>, ids: ArrayLike<number>, c: number,
  rowBytes: number,
): Float32Array => rowsOf(ids, c, (id, j) => table[id * rowBytes + j] * scale[id]);

/** The same from bits, least significant first, with a scale for each `groupCols` columns. */
export const gatherB1 = (
  bits: ArrayLike<number>, scale: ArrayLike<number>, ids: ArrayLike<number>, c: number,
  rowBytes: number, groupCols: number,
): Float32Array => {
  const groups = Math.ceil(c / groupCols);
  return rowsOf(ids, c, (id, j) => {
    const value = scale[id * groups + Math.floor(j / groupCols)];
    return (bits[id * rowBytes + (j >> 3)] >> (j & 7)) & 1 ? value : -value;
  });
};

function rowsOf(
  ids: ArrayLike<number>, c: number, value: (id: number, j: number) => number,
): Float32Array {
  return Float32Array.from({ length: ids.length * c }, (_, at) =>
    value(ids[Math.floor(at / c)], at % c));
}

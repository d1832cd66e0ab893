/**
 * Embedding rows, written to be read: the twin of `assembly/kernels/embedding-f32.ts`.
 *
 *   out[i] = table[ids[i]]  (or +=)           dtable[ids[i]] += dout[i], in the order of i
 *
 * Sums are rounded to f32 one by one, as they are in the kernel, so that bits can be compared.
 * @module
 */

/** out[i] = table[ids[i]], rows of `cols` values. */
export function gather(
  table: ArrayLike<number>, ids: ArrayLike<number>, cols: number,
): Float32Array {
  return Float32Array.from({ length: ids.length * cols }, (_, at) =>
    table[ids[Math.floor(at / cols)] * cols + (at % cols)]);
}

/** out[i] + table[ids[i]], a new array. */
export function gatherAdd(
  out: ArrayLike<number>, table: ArrayLike<number>, ids: ArrayLike<number>, cols: number,
): Float32Array {
  const rows = gather(table, ids, cols);
  return rows.map((value, at) => out[at] + value);
}

/** dtable with dout[i] added to row ids[i], for i = 0, 1, …: a new array. */
export function scatterAdd(
  dout: ArrayLike<number>, ids: ArrayLike<number>, dtable: ArrayLike<number>, cols: number,
): Float32Array {
  const sums = Float32Array.from(dtable);
  for (let i = 0; i < ids.length; i++)
    for (let j = 0; j < cols; j++) sums[ids[i] * cols + j] += dout[i * cols + j];
  return sums;
}

/**
 * `to` with rows × cols values of `from` in it: a new array. Rows are `fromStride` and `toStride`
 * values apart.
 */
export function copyRows(
  from: ArrayLike<number>, fromStride: number, to: ArrayLike<number>, toStride: number,
  rows: number, cols: number,
): Float32Array {
  const copy = Float32Array.from(to);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) copy[i * toStride + j] = from[i * fromStride + j];
  return copy;
}

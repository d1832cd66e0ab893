// Embedding rows: gather forward, scatter-add backward.
//
//   out[i] ← table[ids[i]]  (or +=)           dtable[ids[i]] += dout[i]
//
// Rows are added in the order of i, so equal ids give the same bits every time. Threads share out
// the rows of a gather and the columns of a scatter-add, whose rows may be the same.
//
// Bound   Reading and writing.

/** @param ids i32[m], each an index of the table f32[·, c]; `add` adds to out. */
export function gatherF32(
  table: usize, ids: usize, out: usize, m: usize, c: usize, add: bool,
): void {
  for (let i: usize = 0; i < m; i++, out += c << 2) {
    const row = table + ((<usize>load<i32>(ids + (i << 2)) * c) << 2);
    if (add) addRow(out, row, c);
    else memory.copy(out, row, c << 2);
  }
}

/**
 * dtable[ids[i]] += dout[i] for c columns: all, or a run of them.
 *
 * @param stride floats from a row to the next, of both
 */
export function scatterAddF32(
  dout: usize, ids: usize, dtable: usize, m: usize, c: usize, stride: usize,
): void {
  for (let i: usize = 0; i < m; i++, dout += stride << 2) {
    addRow(dtable + ((<usize>load<i32>(ids + (i << 2)) * stride) << 2), dout, c);
  }
}

function addRow(y: usize, x: usize, c: usize): void {
  let j: usize = 0;
  for (; j + 4 <= c; j += 4) {
    const at = j << 2;
    v128.store(y + at, f32x4.add(v128.load(y + at), v128.load(x + at)));
  }
  for (; j < c; j++) store<f32>(y + (j << 2), load<f32>(y + (j << 2)) + load<f32>(x + (j << 2)));
}

/** Copies f32[rows, cols] between matrices whose rows are `fromStride` and `toStride` floats apart. */
export function copyRowsF32(
  from: usize, fromStride: usize, to: usize, toStride: usize, rows: usize, cols: usize,
): void {
  for (let i: usize = 0; i < rows; i++) {
    memory.copy(to + ((i * toStride) << 2), from + ((i * fromStride) << 2), cols << 2);
  }
}

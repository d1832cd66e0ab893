// 1-bit weights: f32[rows, cols] → one sign bit each.
//
//   α = mean W        β = mean |W|        bit = 1 where W − α > 0, else 0 (−1)
//
// Layout  "rows": row-major, least significant bit first, `rowBytes` bytes a row (a multiple of
//         the caller's choice, at least ⌈cols/8⌉); padding bits are 0.
// Bound   Reading W: 32 bits in for one bit out. Two passes, because α must be known first.
// Source  Wang et al. 2023, BitNet, §2.1, Eq. 1–3, 12 (arXiv 2310.11453).

import { addWidenF64, sumF64x2 } from '../lib/simd';

/**
 * stats ← (mean, mean of absolute values) of f32[n], summed in f64 in two fixed lanes.
 *
 * @param stats f32[2]
 */
export function meanAbsF32(w: usize, n: usize, stats: usize): void {
  let sum = f64x2.splat(0), absSum = f64x2.splat(0);
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) {
    const v = v128.load(w + (i << 2));
    sum = addWidenF64(sum, v);
    absSum = addWidenF64(absSum, f32x4.abs(v));
  }
  let total = sumF64x2(sum), absTotal = sumF64x2(absSum);
  for (; i < n; i++) {
    const v = <f64>load<f32>(w + (i << 2));
    total += v;
    absTotal += abs(v);
  }
  store<f32>(stats, <f32>(total / <f64>n), 0);
  store<f32>(stats, <f32>(absTotal / <f64>n), 4);
}

/** 8 bits: which of the 8 floats at `w` exceed the lanes of `mean`. */
// @ts-ignore: decorator
@inline
function signs8(w: usize, mean: v128): i32 {
  const low = i32x4.bitmask(f32x4.gt(v128.load(w), mean));
  const high = i32x4.bitmask(f32x4.gt(v128.load(w, 16), mean));
  return low | (high << 4);
}

/** bits ← sign(W − mean), "rows" layout. `mean` is one value for the whole of W. */
export function packB1(
  w: usize, mean: f32, bits: usize, rows: usize, cols: usize, rowBytes: usize,
): void {
  const vmean = f32x4.splat(mean);
  for (let r: usize = 0; r < rows; r++) {
    const row = bits + r * rowBytes;
    memory.fill(row, 0, rowBytes);
    let c: usize = 0;
    for (; c + 8 <= cols; c += 8, w += 32) store<u8>(row + (c >> 3), <u8>signs8(w, vmean));
    let rest = 0;
    for (let bit: usize = 0; c + bit < cols; bit++, w += 4) {
      rest |= <i32>(load<f32>(w) > mean) << <i32>bit;
    }
    if (c < cols) store<u8>(row + (c >> 3), <u8>rest);
  }
}

/**
 * out ← ±scale[r], f32[rows, cols], from the "rows" layout: the weights as backward sees them.
 *
 * @param scale f32[rows]
 */
export function expandB1(
  bits: usize, scale: usize, out: usize, rows: usize, cols: usize, rowBytes: usize,
): void {
  const laneBit = i32x4(1, 2, 4, 8);
  const signBit = i32x4.splat(0x80000000);
  for (let r: usize = 0; r < rows; r++) {
    const row = bits + r * rowBytes;
    const positive = v128.load32_splat(scale + (r << 2));
    const negative = v128.xor(positive, signBit);
    let c: usize = 0;
    for (; c + 4 <= cols; c += 4, out += 16) {
      const nibble = <i32>load<u8>(row + (c >> 3)) >> <i32>(c & 4);
      const set = i32x4.eq(v128.and(i32x4.splat(nibble), laneBit), laneBit);
      v128.store(out, v128.bitselect(positive, negative, set));
    }
    for (; c < cols; c++, out += 4) {
      const bit = (<i32>load<u8>(row + (c >> 3)) >> <i32>(c & 7)) & 1;
      const value = load<f32>(scale + (r << 2));
      store<f32>(out, bit ? value : -value);
    }
  }
}

/** sums[r] ← Σ over columns of ±1 (i32[rows]): K ones minus twice the zeros. */
export function rowSumsB1(
  bits: usize, sums: usize, rows: usize, cols: usize, rowBytes: usize,
): void {
  for (let r: usize = 0; r < rows; r++) {
    let ones: i64 = 0, b: usize = 0;
    for (; b + 8 <= rowBytes; b += 8) ones += popcnt<i64>(load<i64>(bits + b));
    for (; b < rowBytes; b++) ones += popcnt<i64>(<i64>load<u8>(bits + b));
    bits += rowBytes;
    store<i32>(sums + (r << 2), 2 * <i32>ones - <i32>cols);
  }
}

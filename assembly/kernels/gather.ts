// Rows of a packed embedding table as f32: out[i] ← table[ids[i]].
//
//   f16   the half, exactly          i8   code · scale of the row
//   b1    ±scale: bit 1 is +, of the row or of each run of `groupCols` columns of it
//
// Layout  f16: u16[·, c]. i8: rows of `rowBytes` codes. b1: "rows" of `pack-b1.ts`, `rowBytes` bytes.
// Bound   Writing: 4 bytes a value, against 2, 1 and 1/8 read.

import { finiteHalfToF32x4 } from '../lib/half';

/** @param ids i32[m], each an index of the table u16[·, c] of finite halves; out f32[m, c] */
export function gatherF16(table: usize, ids: usize, out: usize, m: usize, c: usize): void {
  for (let i: usize = 0; i < m; i++) {
    let at = table + ((<usize>load<i32>(ids + (i << 2)) * c) << 1);
    let j: usize = 0;
    for (; j + 4 <= c; j += 4, at += 8, out += 16) {
      v128.store(out, finiteHalfToF32x4(v128.load16x4_s(at)));
    }
    for (; j < c; j++, at += 2, out += 4) {
      v128.store32_lane(out, finiteHalfToF32x4(i32x4.splat(<i32>load<i16>(at))), 0);
    }
  }
}

/** @param table i8, rows of `rowBytes` codes; scale f32, one for each row; out f32[m, c] */
export function gatherI8(
  table: usize, scale: usize, ids: usize, out: usize, m: usize, c: usize, rowBytes: usize,
): void {
  for (let i: usize = 0; i < m; i++) {
    const id = <usize>load<i32>(ids + (i << 2));
    const factor = load<f32>(scale + (id << 2)), vfactor = f32x4.splat(factor);
    let at = table + id * rowBytes;
    let j: usize = 0;
    for (; j + 4 <= c; j += 4, at += 4, out += 16) {
      const words = i16x8.extend_low_i8x16_s(v128.load32_zero(at));
      const codes = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(words));
      v128.store(out, f32x4.mul(codes, vfactor));
    }
    for (; j < c; j++, at++, out += 4) store<f32>(out, <f32>load<i8>(at) * factor);
  }
}

/** @param scale f32[·, ⌈c/groupCols⌉], groupCols a multiple of 4; out f32[m, c] */
export function gatherB1(
  bits: usize, scale: usize, ids: usize, out: usize, m: usize, c: usize, rowBytes: usize,
  groupCols: usize,
): void {
  const laneBit = i32x4(1, 2, 4, 8), signBit = i32x4.splat(0x80000000);
  const groups = (c + groupCols - 1) / groupCols;
  for (let i: usize = 0; i < m; i++) {
    const id = <usize>load<i32>(ids + (i << 2)), row = bits + id * rowBytes;
    let at = scale + ((id * groups) << 2);
    for (let from: usize = 0; from < c; from += groupCols, at += 4) {
      const positive = v128.load32_splat(at), end = min(c, from + groupCols);
      let j = from;
      for (; j < end; j += 4, out += 16) {
        const nibble = <i32>load<u8>(row + (j >> 3)) >> <i32>(j & 4);
        const unset = i32x4.ne(v128.and(i32x4.splat(nibble), laneBit), laneBit);
        const value = v128.xor(positive, v128.and(unset, signBit));
        if (j + 4 <= end) v128.store(out, value);
        else {
          v128.store32_lane(out, value, 0);
          if (j + 1 < end) v128.store32_lane(out, value, 1, 4);
          if (j + 2 < end) v128.store32_lane(out, value, 2, 8);
          out -= (j + 4 - end) << 2;
        }
      }
    }
  }
}

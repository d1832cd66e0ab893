// XNOR/popcount products over bit planes: i8 activations of 1 … 8 bits × ±1 weights → i32, exact.
//
// An activation of b bits in two's complement is x = Σ_{i<b−1} 2^i·p_i − 2^(b−1)·p_{b−1}, p_i its
// bits. With weights w = 2·bit − 1:
//
//   Σ x·w = 2·Σ_i c_i · popcount(p_i & bit) − Σ x      c_i = 2^i, and −2^(b−1) for the last plane
//   b = 1, x = ±1:   Σ x·w = K − 2·popcount(p ⊕ bit)   (XNOR)
//
// Layout  Weights and planes in rows of ⌈K/128⌉ v128, least significant bit first, padding 0 in
//         both, which adds nothing to any count.
// Tile    1 × 4: one vector of a plane meets four rows of W.
// Bound   popcnt, which is about eight instructions where the machine has no byte popcount. Work is
//         proportional to b, so this family wins at 1 and 2 bits; the lookups win above.
// Source  Rastegari et al. 2016, XNOR-Net (arXiv 1603.05279).

import { sumI32x4, widenAddU8 } from '../lib/simd';

/** A u8 lane gains up to 8 per step, so it must widen within ⌊255 / 8⌋ = 31 steps. */
const STEPS_PER_FLUSH: usize = 31;

/**
 * planes ← the bit planes of q: b1[m, bits, kv·128], one plane's row after the other.
 *
 * With bits = 1 the plane holds x > 0.
 *
 * @param q i8[m, kp]
 * @param kv v128 per row: ⌈k/128⌉
 */
export function planesI8(
  q: usize, planes: usize, m: usize, k: usize, kp: usize, kv: usize, bits: i32,
): void {
  const rowBytes = kv << 4;
  memory.fill(planes, 0, m * <usize>bits * rowBytes);
  for (let i: usize = 0; i < m; i++, q += kp) {
    for (let b = 0; b < bits; b++, planes += rowBytes) {
      for (let c: usize = 0; c < k; c++) {
        const x = <i32>load<i8>(q + c);
        const bit = bits == 1 ? <i32>(x > 0) : (x >> b) & 1;
        const at = planes + (c >> 3);
        store<u8>(at, load<u8>(at) | <u8>(bit << <i32>(c & 7)));
      }
    }
  }
}

/** Bits of `row` that count for plane `p`: those set in both, or those that differ. */
// @ts-ignore: decorator
@inline
function matches(p: v128, row: usize, xor: bool): v128 {
  const bits = v128.load(row);
  return i8x16.popcnt(xor ? v128.xor(p, bits) : v128.and(p, bits));
}

/** Popcounts of plane & row (or plane ⊕ row) for four rows of kv v128 each, to four i32 lanes. */
// @ts-ignore: decorator
@inline
function count4(plane: usize, row0: usize, kv: usize, xor: bool): v128 {
  const rowBytes = kv << 4;
  const row1 = row0 + rowBytes, row2 = row1 + rowBytes, row3 = row2 + rowBytes;
  let sum0 = i32x4.splat(0), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  for (let step: usize = 0; step < kv; ) {
    const flushAt = min(step + STEPS_PER_FLUSH, kv);
    let count0 = i8x16.splat(0), count1 = count0, count2 = count0, count3 = count0;
    for (; step < flushAt; step++) {
      const at = step << 4;
      const p = v128.load(plane + at);
      count0 = i8x16.add(count0, matches(p, row0 + at, xor));
      count1 = i8x16.add(count1, matches(p, row1 + at, xor));
      count2 = i8x16.add(count2, matches(p, row2 + at, xor));
      count3 = i8x16.add(count3, matches(p, row3 + at, xor));
    }
    sum0 = widenAddU8(sum0, count0);
    sum1 = widenAddU8(sum1, count1);
    sum2 = widenAddU8(sum2, count2);
    sum3 = widenAddU8(sum3, count3);
  }
  return i32x4(sumI32x4(sum0), sumI32x4(sum1), sumI32x4(sum2), sumI32x4(sum3));
}

function countAnd4(plane: usize, row0: usize, kv: usize): v128 {
  return count4(plane, row0, kv, false);
}

function countXor4(plane: usize, row0: usize, kv: usize): v128 {
  return count4(plane, row0, kv, true);
}

/**
 * y ← x · Wᵀ by planes. Overwrites y.
 *
 * @param planes of x, from `planesI8`
 * @param sums i32[m]: Σ x of each row
 * @param rows b1[np, kv·128]: W with np a multiple of 4
 * @param y i32[m, np], 16-byte aligned
 * @param k logical columns (used when bits = 1)
 */
export function gemmPopcountI8B1(
  planes: usize, sums: usize, rows: usize, y: usize,
  m: usize, np: usize, k: usize, kv: usize, bits: i32,
): void {
  const rowBytes = kv << 4;
  for (let i: usize = 0; i < m; i++, planes += <usize>bits * rowBytes) {
    const vsum = v128.load32_splat(sums + (i << 2));
    for (let n: usize = 0; n < np; n += 4, y += 16) {
      const row = rows + n * rowBytes;
      if (bits == 1) {
        const differ = countXor4(planes, row, kv);
        v128.store(y, i32x4.sub(i32x4.splat(<i32>k), i32x4.shl(differ, 1)));
        continue;
      }
      let total = i32x4.shl(countAnd4(planes + <usize>(bits - 1) * rowBytes, row, kv), bits - 1);
      total = i32x4.neg(total);
      for (let b = 0; b < bits - 1; b++) {
        total = i32x4.add(total, i32x4.shl(countAnd4(planes + <usize>b * rowBytes, row, kv), b));
      }
      v128.store(y, i32x4.sub(i32x4.shl(total, 1), vsum));
    }
  }
}

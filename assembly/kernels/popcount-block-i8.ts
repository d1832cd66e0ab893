// XNOR/popcount products with a weight scale per block of columns: i8 activations of 2 … 8 bits × ±1 or
// ternary weights → f32. The same numbers, bit for bit, as lookup-block-i8.ts and lookup-fixed-i8.ts, whose
// heads have the formulas and the layouts of the scales.
//
// Bound   See lib/popcount.ts; a part of 128 columns is two steps of its tree and three counts to end it.
// Source  lib/popcount.ts, lib/block.ts.

import { addBlock, scalePart } from '../lib/block';
import { addGroup, FIXED_FACTOR, GROUP_PARTS, PART_BYTES, scaleRows } from '../lib/fixed';
import { countTile, fillRows } from '../lib/popcount';
import { TILE_RESULT, TILE_ROWS } from '../lib/tile';

function countPlane(
  tile: usize, stride: usize, plane: usize, y: usize, bytes: usize, factor: i32,
): void {
  countTile(tile, stride, plane, y, bytes, factor, false);
}

/** acc ← the selected sums of one token, one tile, and `bytes` · 8 columns. */
function sumPart(
  tile: usize, plane: usize, planeBytes: usize, acc: usize, bytes: usize, bits: i32, weightPlanes: usize,
): void {
  const stride = weightPlanes << 4;
  fillRows(acc, 0);
  for (let b = 0; b < bits; b++, plane += planeBytes) {
    const factor = b == bits - 1 ? -(1 << b) : 1 << b;
    for (let w: usize = 0; w < weightPlanes; w++) {
      countPlane(tile + (w << 4), stride, plane, acc, bytes, factor);
    }
  }
}

/**
 * y ← x · Wᵀ with a scale per block of part · parts columns. Overwrites y.
 *
 * @param planes of x, from `planesI8`: b1[m, bits, kp]
 * @param xScales f32[m, kp/part]: γ/Q; xSums i32[m, kp/part]: Σ x of each part
 * @param tiles of W, from `tileB1` (weightPlanes 1) or `tileT2` (2)
 * @param scales f16[np/16, kp/(part · parts), 16]
 * @param y f32[m, np], 16-byte aligned; scratch u8[128], 16-byte aligned
 */
export function gemmPopcountBlockI8(
  planes: usize, xScales: usize, xSums: usize, tiles: usize, scales: usize, y: usize, scratch: usize,
  m: usize, np: usize, kp: usize, part: usize, parts: usize, bits: i32, weightPlanes: usize,
): void {
  const bytes = kp >> 3, partBytes = part >> 3, shift = weightPlanes == 1 ? 1 : 0;
  const total = scratch + TILE_RESULT, blocks = kp / (part * parts);
  for (let n: usize = 0; n < np; n += TILE_ROWS, tiles += bytes * weightPlanes << 4) {
    for (let i: usize = 0; i < m; i++) {
      let plane = planes + i * <usize>bits * bytes, tile = tiles, first = i * (kp / part) << 2;
      for (let b: usize = 0; b < blocks; b++) {
        for (let s: usize = 0; s < parts; s++, plane += partBytes, first += 4) {
          sumPart(tile, plane, bytes, scratch, partBytes, bits, weightPlanes);
          scalePart(
            scratch, true, total, load<i32>(xSums + first), shift, load<f32>(xScales + first), s > 0);
          tile += partBytes * weightPlanes << 4;
        }
        const d = scales + (((n / TILE_ROWS) * blocks + b) << 5);
        addBlock(total, d, y + ((i * np + n) << 2), b > 0);
      }
    }
  }
}

/** t ← S · 2^shift − sum as i16, from S i32[16]. */
// @ts-ignore: decorator
@inline
function putSigned(acc: usize, t: usize, shift: i32, sum: i32): void {
  const vsum = i32x4.splat(sum);
  for (let i: usize = 0; i < 2; i++) {
    const at = acc + (i << 5);
    const low = i32x4.sub(i32x4.shl(v128.load(at), shift), vsum);
    const high = i32x4.sub(i32x4.shl(v128.load(at, 16), shift), vsum);
    v128.store(t + (i << 4), i16x8.narrow_i32x4_s(low, high));
  }
}

/**
 * y ← x · Wᵀ with scales of blocks in fixed point; arguments as `gemmLookupFixedI8B1`.
 *
 * @param planes of x, from `planesI8`: b1[m, bits, kp]
 * @param tiles of W, from `tileB1` (weightPlanes 1) or `tileT2` (2)
 * @param scratch u8[192], 16-byte aligned
 */
export function gemmPopcountFixedI8(
  planes: usize, xi: usize, xSums: usize, factors: usize, tiles: usize, scales: usize, rowScales: usize,
  y: usize, scratch: usize, m: usize, np: usize, kp: usize, part: usize, bits: i32, weightPlanes: usize,
): void {
  const bytes = kp >> 3, partBytes = part >> 3, parts = kp / part, shift = weightPlanes == 1 ? 1 : 0;
  const acc = scratch + GROUP_PARTS * PART_BYTES;
  for (let n: usize = 0; n < np; n += TILE_ROWS, rowScales += TILE_RESULT) {
    for (let i: usize = 0; i < m; i++) {
      let plane = planes + i * <usize>bits * bytes;
      let tile = tiles + (n / TILE_ROWS) * (bytes * weightPlanes << 4);
      const out = y + ((i * np + n) << 2);
      for (let b: usize = 0; b < parts; b += GROUP_PARTS) {
        const inGroup = min(GROUP_PARTS, parts - b), first = i * parts + b;
        for (let s: usize = 0; s < inGroup; s++, plane += partBytes, tile += partBytes * weightPlanes << 4) {
          sumPart(tile, plane, bytes, acc, partBytes, bits, weightPlanes);
          putSigned(acc, scratch + s * PART_BYTES, shift, load<i32>(xSums + ((first + s) << 2)));
        }
        const d = scales + (((n / TILE_ROWS) * parts + b) << 5), xiAt = xi + (first << 1);
        addGroup(scratch, d, xiAt, out, inGroup >> 1, b > 0);
      }
      scaleRows(out, rowScales, load<f32>(factors + (i << 2)) * FIXED_FACTOR);
    }
  }
}

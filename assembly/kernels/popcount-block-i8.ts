// XNOR/popcount products with a weight scale per block of columns: i8 activations of 2 … 8 bits × ±1 or
// ternary weights → f32. The same numbers, bit for bit, as lookup-block-i8.ts, whose head has the
// formula and the layout of the scales.
//
// Bound   See lib/popcount.ts; a part of 128 columns is two steps of its tree and three counts to end it.
// Source  lib/popcount.ts, lib/block.ts.

import { addBlock, scalePart } from '../lib/block';
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

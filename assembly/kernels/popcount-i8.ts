// XNOR/popcount products over bit planes: i8 activations of 1 … 8 bits × ±1 or ternary weights → i32.
//
// An activation of b bits in two's complement is x = Σ_{i<b−1} 2^i·p_i − 2^(b−1)·p_{b−1}, p_i its
// bits. With S(plane of W) = Σ_i c_i · popcount(p_i & plane), c_i = 2^i, and −2^(b−1) for the last:
//
//   ±1:        Σ x·w = 2·S − Σx
//   ternary:   Σ x·w = S₁ + S₂ − Σx              two planes, W̃ = plane₁ + plane₂ − 1; see tile.ts
//   b = 1:     Σ x·w = K − 2·popcount(p ⊕ bit)   (XNOR; ±1 weights and x = ±1)
//
// Layout  Weights in tiles, the same that the lookups read; planes b1[m, b, kp], least significant
//         bit first. Padding is 0 in the planes, and in b1 weights, so it adds nothing to any count.
// Tile    1 × 16.
// Bound   See lib/popcount.ts. Work is proportional to b, so this family wins at 1 and 2 bits.
// Source  Rastegari et al. 2016, XNOR-Net (arXiv 1603.05279).

import { countTile, fillRows } from '../lib/popcount';
import { finishRows, TILE_RESULT, TILE_ROWS } from '../lib/tile';

/**
 * planes ← the bit planes of q: b1[m, bits, kp], one plane's row after the other.
 *
 * With bits = 1 the plane holds x > 0.
 *
 * @param q i8[m, kp], kp a multiple of 16
 */
export function planesI8(q: usize, planes: usize, m: usize, kp: usize, bits: i32): void {
  const rowBytes = kp >> 3;
  for (let i: usize = 0; i < m; i++, planes += <usize>bits * rowBytes) {
    for (let c: usize = 0; c < rowBytes; c += 2, q += 16) {
      let x = v128.load(q);
      x = bits == 1 ? i8x16.gt_s(x, i8x16.splat(0)) : i8x16.shl(x, 8 - bits);
      for (let b = bits - 1; b >= 0; b--, x = i8x16.add(x, x)) {
        store<u16>(planes + <usize>b * rowBytes + c, <u16>i8x16.bitmask(x));
      }
    }
  }
}

function countAnd(
  tile: usize, stride: usize, plane: usize, y: usize, bytes: usize, factor: i32,
): void {
  countTile(tile, stride, plane, y, bytes, factor, false);
}

function countXor(tile: usize, plane: usize, y: usize, bytes: usize): void {
  countTile(tile, 16, plane, y, bytes, -2, true);
}

/** y ← Σ over planes of the activations, and of the tile, for one token and 16 rows. */
// @ts-ignore: decorator
@inline
function sumPlanes(
  tile: usize, plane: usize, y: usize, bytes: usize, bits: i32, weightPlanes: usize,
): void {
  const stride = weightPlanes << 4;
  fillRows(y, 0);
  for (let b = 0; b < bits; b++, plane += bytes) {
    const factor = b == bits - 1 ? -(1 << b) : 1 << b;
    countAnd(tile, stride, plane, y, bytes, factor);
    if (weightPlanes == 2) countAnd(tile + 16, stride, plane, y, bytes, factor);
  }
}

/**
 * y ← x · Wᵀ for ±1 weights. Overwrites y.
 *
 * @param planes of x, from `planesI8`
 * @param sums i32[m]: Σ x of each row
 * @param tiles of W, from `tileB1`
 * @param y i32[m, np], 16-byte aligned, np a multiple of 16
 * @param k logical columns (used when bits = 1)
 */
export function gemmPopcountI8B1(
  planes: usize, sums: usize, tiles: usize, y: usize,
  m: usize, np: usize, k: usize, kp: usize, bits: i32,
): void {
  const bytes = kp >> 3;
  for (let n: usize = 0; n < np; n += TILE_ROWS, tiles += kp << 1, y += TILE_RESULT) {
    for (let i: usize = 0; i < m; i++) {
      const plane = planes + i * <usize>bits * bytes, out = y + ((i * np) << 2);
      if (bits == 1) {
        fillRows(out, <i32>k);
        countXor(tiles, plane, out, bytes);
      } else {
        sumPlanes(tiles, plane, out, bytes, bits, 1);
        finishRows(out, 0, 1, load<i32>(sums + (i << 2)));
      }
    }
  }
}

/** y ← x · Wᵀ for ternary weights, 2 … 8 bits; arguments as `gemmPopcountI8B1`. */
export function gemmPopcountI8T2(
  planes: usize, sums: usize, tiles: usize, y: usize, m: usize, np: usize, kp: usize, bits: i32,
): void {
  const bytes = kp >> 3;
  for (let n: usize = 0; n < np; n += TILE_ROWS, tiles += kp << 2, y += TILE_RESULT) {
    for (let i: usize = 0; i < m; i++) {
      const out = y + ((i * np) << 2);
      sumPlanes(tiles, planes + i * <usize>bits * bytes, out, bytes, bits, 2);
      finishRows(out, 0, 0, load<i32>(sums + (i << 2)));
    }
  }
}

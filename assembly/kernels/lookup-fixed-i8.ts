// Table-lookup products with scales of blocks in fixed point: i8 activations × ±1 or ternary weights → f32,
// where a block of weights and a part of activations are the same columns, at most 128.
//
// Order   As lookup-i8.ts: one token reads two streams of weights, 1 KiB of each in turn; several tokens keep
//         their tables in L1 while the weights of GROUP tiles pass.
//         Reading 2,048 columns of all rows before the next ones, so that tables of long rows stay in L1,
//         costs a third: the streams break off every 4 KiB.
// Bound   The lookups, and a fifth more for the scales (lib/fixed.ts): on an EPYC (Zen 3) 0.81 of the rate of
//         `gemmLookupI8B1`, with scales in f32 0.67; relaxed 0.80 and 0.58.
// Source  lib/lookup.ts, lib/fixed.ts.

import { addGroup, FIXED_FACTOR, GROUP_PARTS, PART_BYTES, scaleRows } from '../lib/fixed';
import { lookupBias, lookupSigned, stepColumns, TABLE_BYTES } from '../lib/lookup';
import { TILE_RESULT, TILE_ROWS } from '../lib/tile';

const STREAMS: usize = 2;
const GROUP: usize = 32;
/** Columns that are read from a stream before it is the other's turn; whole groups of parts. */
const CHUNK: usize = 512;

function partB1(table: usize, tile: usize, out: usize, steps: usize, offset: i32): void {
  lookupSigned(table, tile, out, steps, 1, 1, offset);
}

function partT2(table: usize, tile: usize, out: usize, steps: usize, offset: i32): void {
  lookupSigned(table, tile, out, steps, 2, 0, offset);
}

/** One token and one chunk of a tile; everything is at the chunk's first column. */
// @ts-ignore: decorator
@inline
function tokenChunk(
  table: usize, xi: usize, xSums: usize, tile: usize, d: usize, y: usize, scratch: usize,
  parts: usize, part: usize, add: bool, planes: usize,
): void {
  const steps = part / stepColumns(planes), bias = lookupBias(part, planes) << (planes == 1 ? 1 : 0);
  const tableBytes = part << 3, tileBytes = part * planes << 1;
  for (let p: usize = 0; p < parts; p += GROUP_PARTS) {
    const inGroup = min(GROUP_PARTS, parts - p), end = scratch + inGroup * PART_BYTES;
    for (let t = scratch; t < end; t += PART_BYTES, table += tableBytes, tile += tileBytes, xSums += 4) {
      const offset = bias + load<i32>(xSums);
      if (planes == 1) partB1(table, tile, t, steps, offset);
      else partT2(table, tile, t, steps, offset);
    }
    if (inGroup == GROUP_PARTS) addGroup(scratch, d, xi, y, 2, add);
    else addGroup(scratch, d, xi, y, 1, add);
    d += PART_BYTES * GROUP_PARTS;
    xi += 2 * GROUP_PARTS;
    add = true;
  }
}

/** The product of either kind; see the exported ones. */
// @ts-ignore: decorator
@inline
function gemm(
  tables: usize, xi: usize, xSums: usize, factors: usize, tiles: usize, scales: usize, rowScales: usize,
  y: usize, scratch: usize, m: usize, np: usize, kp: usize, part: usize, planes: usize,
): void {
  const whole = part * GROUP_PARTS, chunk = whole * ((CHUNK + whole - 1) / whole), all = kp / part;
  const count = np / TILE_ROWS, tileBytes = kp * planes << 1, scaleBytes = all << 5, yBytes = np << 2;
  // One token reads a tile of each stream in turns; several tokens read GROUP neighbours in a row.
  const group: usize = m == 1 ? STREAMS : GROUP, rounds = (count + group - 1) / group;
  const first: usize = m == 1 ? 1 : group, step: usize = m == 1 ? rounds : 1;
  for (let t: usize = 0; t < rounds; t++) {
    const from = t * first, to = m == 1 ? count : min(from + group, count);
    for (let k0: usize = 0; k0 < kp; k0 += chunk) {
      const parts = min(chunk, kp - k0) / part, done = k0 / part;
      for (let i: usize = 0; i < m; i++) {
        const table = tables + (((i * kp + k0) >> 2) * TABLE_BYTES), at = i * all + done;
        for (let own = from; own < to; own += step)
          tokenChunk(
            table, xi + (at << 1), xSums + (at << 2), tiles + own * tileBytes + (k0 * planes << 1),
            scales + own * scaleBytes + (done << 5), y + i * yBytes + own * TILE_RESULT, scratch, parts,
            part, k0 > 0, planes);
      }
    }
    for (let i: usize = 0; i < m; i++) {
      const factor = load<f32>(factors + (i << 2)) * FIXED_FACTOR;
      for (let own = from; own < to; own += step)
        scaleRows(y + i * yBytes + own * TILE_RESULT, rowScales + own * TILE_RESULT, factor);
    }
  }
}

/**
 * y ← x · Wᵀ for ±1 weights. Overwrites y.
 *
 * @param tables of x, from `tablesI8`: u8[m, kp/4, 32]
 * @param xi i16[m, kp/part], factors f32[m]: the scales of x, from `fixScales`; xSums i32[m, kp/part]
 * @param tiles of W, from `tileB1`; scales i16[np/16, kp/part/2, 16, 2]; rowScales f32[np]
 * @param y f32[m, np], 16-byte aligned, np a multiple of 16; scratch i16[64], 16-byte aligned
 * @param kp an even number of parts; part a multiple of 16, at most 128
 */
export function gemmLookupFixedI8B1(
  tables: usize, xi: usize, xSums: usize, factors: usize, tiles: usize, scales: usize, rowScales: usize,
  y: usize, scratch: usize, m: usize, np: usize, kp: usize, part: usize,
): void {
  gemm(tables, xi, xSums, factors, tiles, scales, rowScales, y, scratch, m, np, kp, part, 1);
}

/** The same for ternary weights; tiles from `tileT2`. */
export function gemmLookupFixedI8T2(
  tables: usize, xi: usize, xSums: usize, factors: usize, tiles: usize, scales: usize, rowScales: usize,
  y: usize, scratch: usize, m: usize, np: usize, kp: usize, part: usize,
): void {
  gemm(tables, xi, xSums, factors, tiles, scales, rowScales, y, scratch, m, np, kp, part, 2);
}

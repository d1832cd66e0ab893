// Table-lookup products with a weight scale per block of columns: i8 activations × ±1 or ternary
// weights → f32. GGUF's Q1_0 and Q2_0 have such weights.
//
//   y[i, n] = Σ_b d[n, b] · Σ_s γ[i, s]/Q · (W̃ · x̃)[n, part s of block b]
//
// Layout  Scales f16, in tiles as the weights are: f16[np/16, blocks, 16]; finite.
// Streams Two, as in lookup-i8.ts. Scales are a third and a fourth, a sixteenth of the weights.
// Bound   The lookups, and per part of 128 columns about 120 instructions (beside 650 of the lookups) to make
//         real numbers of 16 rows: on an EPYC (Zen 3) 0.65 of the rate of `gemmLookupI8B1`, relaxed 0.59.
//         Half of that is the arithmetic, half starting and ending the lookups' loop every 8 steps.
// Source  lib/lookup.ts, lib/block.ts.

import { addBlock, addOnePart, scalePart } from '../lib/block';
import { lookupBias, lookupPart, stepColumns, TABLE_BYTES } from '../lib/lookup';
import { TILE_RESULT, TILE_ROWS } from '../lib/tile';

/** Columns that are read from a stream before it is the other's turn, at least; whole blocks. */
const CHUNK: usize = 1024;

function partB1(table: usize, tile: usize, out: usize, steps: usize): void {
  lookupPart(table, tile, out, steps, 1);
}

function partT2(table: usize, tile: usize, out: usize, steps: usize): void {
  lookupPart(table, tile, out, steps, 2);
}

/** One token and one chunk of a tile; everything is at the chunk's first column. */
// @ts-ignore: decorator
@inline
function tokenChunk(
  table: usize, xScales: usize, xSums: usize, tile: usize, scales: usize, y: usize, scratch: usize,
  columns: usize, part: usize, parts: usize, add: bool, planes: usize,
): void {
  const steps = part / stepColumns(planes), shift = planes == 1 ? 1 : 0;
  const bias = lookupBias(part, planes) << shift, sum = scratch + TILE_RESULT;
  const end = table + (columns << 3), tableBytes = part << 3, tileBytes = part * planes << 1;
  for (; table < end; scales += 32) {
    for (let s: usize = 0; s < parts; s++, table += tableBytes, tile += tileBytes) {
      if (planes == 1) partB1(table, tile, scratch, steps);
      else partT2(table, tile, scratch, steps);
      const offset = bias + load<i32>(xSums), xScale = load<f32>(xScales);
      xScales += 4;
      xSums += 4;
      if (parts == 1 && add) addOnePart(scratch, scales, y, offset, shift, xScale, true);
      else scalePart(scratch, false, sum, offset, shift, xScale, s > 0);
    }
    if (parts > 1 || !add) addBlock(sum, scales, y, add);
    add = true;
  }
}

/** The product of either kind; see the exported ones. */
// @ts-ignore: decorator
@inline
function gemm(
  tables: usize, xScales: usize, xSums: usize, tiles: usize, scales: usize, y: usize, scratch: usize,
  m: usize, np: usize, kp: usize, part: usize, parts: usize, planes: usize,
): void {
  const block = part * parts, chunk = block * ((CHUNK + block - 1) / block);
  const count = np / TILE_ROWS, near = (count + 1) >> 1;
  const tileBytes = kp * planes << 1, scaleBytes = (kp / block) << 5;
  for (let t: usize = 0; t < near; t++) {
    for (let k0: usize = 0; k0 < kp; k0 += chunk) {
      const columns = min(chunk, kp - k0);
      for (let far: usize = t; far < count; far += near) {
        const tile = tiles + far * tileBytes + (k0 * planes << 1);
        const d = scales + far * scaleBytes + ((k0 / block) << 5);
        for (let i: usize = 0; i < m; i++) {
          const first = (i * (kp / part) + k0 / part) << 2;
          tokenChunk(
            tables + (((i * kp + k0) >> 2) * TABLE_BYTES), xScales + first, xSums + first, tile, d,
            y + i * (np << 2) + far * TILE_RESULT, scratch, columns, part, parts, k0 > 0, planes);
        }
      }
    }
  }
}

/**
 * y ← x · Wᵀ for ±1 weights with a scale per block of part · parts columns. Overwrites y.
 *
 * @param tables of x, from `tablesI8`: u8[m, kp/4, 32]
 * @param xScales f32[m, kp/part]: γ/Q; xSums i32[m, kp/part]: Σ x of each part
 * @param tiles of W, from `tileB1`; scales f16[np/16, kp/(part · parts), 16]
 * @param y f32[m, np], 16-byte aligned, np a multiple of 16
 * @param scratch u8[128], 16-byte aligned
 * @param kp a multiple of part · parts; part a multiple of 16, at most 256 (ternary: 128)
 */
export function gemmLookupBlockI8B1(
  tables: usize, xScales: usize, xSums: usize, tiles: usize, scales: usize, y: usize, scratch: usize,
  m: usize, np: usize, kp: usize, part: usize, parts: usize,
): void {
  gemm(tables, xScales, xSums, tiles, scales, y, scratch, m, np, kp, part, parts, 1);
}

/** The same for ternary weights; tiles from `tileT2`. */
export function gemmLookupBlockI8T2(
  tables: usize, xScales: usize, xSums: usize, tiles: usize, scales: usize, y: usize, scratch: usize,
  m: usize, np: usize, kp: usize, part: usize, parts: usize,
): void {
  gemm(tables, xScales, xSums, tiles, scales, y, scratch, m, np, kp, part, parts, 2);
}

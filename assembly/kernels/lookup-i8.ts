// Table-lookup products: i8 activations × ±1 or ternary weights → i32, exact.
//
//   ±1:       y = 2·S − Σx                    S = Σ_{bit = 1} x, from lib/lookup.ts
//   ternary:  y = S₁ + S₂ − Σx                two planes, W̃ = plane₁ + plane₂ − 1; see tile.ts
//
// Tile    1 or 2 × 16: one token's tables (two tokens' in the relaxed build: with strict swizzles two
//         spill registers and lose a tenth) meet 16 rows.
// Order   A chunk of one or two tokens' tables stays in L1 while the weights of GROUP tiles pass from L2:
//         4 % faster at 16 tokens than a chunk of weights that stays while 16 tables pass.
// Streams Weights cold in memory are read in two streams, the first and the second half of the rows, 2 KiB
//         of each in turn: while one is computed, the hardware fetches ahead in the other. On an EPYC
//         (Zen 3) 0.46 instead of 0.44 of the rate of a plain read in one stream, relaxed 0.68 instead of
//         0.60. Touching the pages of the next tile ahead, which helped on a Xeon, cost 15 % there.

import { lookupBias, lookupTile, lookupTile2, stepColumns, TABLE_BYTES } from '../lib/lookup';
import { finishRows, TILE_RESULT, TILE_ROWS } from '../lib/tile';

/** Streams that weights are read in. */
const STREAMS: usize = 2;

/** Tiles that several tokens meet one after the other. */
const GROUP: usize = 32;

/** Bytes of weights that are read from a stream before it is the other's turn: 64 steps, of MAX_STEPS. */
const CHUNK_BYTES: usize = 2048;

function tileB1(table: usize, tile: usize, y: usize, steps: usize, add: bool): void {
  lookupTile(table, tile, y, steps, 1, add);
}

function tileT2(table: usize, tile: usize, y: usize, steps: usize, add: bool): void {
  lookupTile(table, tile, y, steps, 2, add);
}

function tile2B1(
  table0: usize, table1: usize, tile: usize, y0: usize, y1: usize, steps: usize, add: bool,
): void {
  lookupTile2(table0, table1, tile, y0, y1, steps, 1, add);
}

function tile2T2(
  table0: usize, table1: usize, tile: usize, y0: usize, y1: usize, steps: usize, add: bool,
): void {
  lookupTile2(table0, table1, tile, y0, y1, steps, 2, add);
}

/** One or two tokens against one chunk of a tile. */
// @ts-ignore: decorator
@inline
function chunk(
  table: usize, tableBytes: usize, tile: usize, y: usize, yBytes: usize, steps: usize, add: bool,
  planes: usize, two: bool,
): void {
  if (ASC_FEATURE_RELAXED_SIMD && two) {
    if (planes == 1) tile2B1(table, table + tableBytes, tile, y, y + yBytes, steps, add);
    else tile2T2(table, table + tableBytes, tile, y, y + yBytes, steps, add);
    return;
  }
  if (planes == 1) tileB1(table, tile, y, steps, add);
  else tileT2(table, tile, y, steps, add);
}

/** The product of either kind; see the exported ones. */
// @ts-ignore: decorator
@inline
function gemm(
  tables: usize, sums: usize, tiles: usize, y: usize, m: usize, np: usize, kp: usize, planes: usize,
): void {
  const tileBytes = kp * planes << 1, tableBytes = (kp >> 2) * TABLE_BYTES, yBytes = np << 2;
  const chunkColumns = (CHUNK_BYTES / planes) >> 1;
  const count = np / TILE_ROWS, shift = planes == 1 ? 1 : 0, bias = lookupBias(kp, planes);
  // One token reads a tile of each stream in turns; several tokens read GROUP neighbours in a row.
  const group: usize = m == 1 ? STREAMS : GROUP, rounds = (count + group - 1) / group;
  const first: usize = m == 1 ? 1 : group, step: usize = m == 1 ? rounds : 1;
  for (let t: usize = 0; t < rounds; t++) {
    const from = t * first, to = m == 1 ? count : min(from + group, count);
    for (let k0: usize = 0; k0 < kp; k0 += chunkColumns) {
      const steps = min(chunkColumns, kp - k0) / stepColumns(planes), skip = k0 * planes << 1;
      let table = tables + (k0 >> 2) * TABLE_BYTES, row = y;
      for (let i: usize = 0, n: usize = 0; i < m; i += n, table += tableBytes * n, row += yBytes * n) {
        n = ASC_FEATURE_RELAXED_SIMD && i + 2 <= m ? 2 : 1;
        for (let own = from; own < to; own += step)
          chunk(table, tableBytes, tiles + own * tileBytes + skip, row + own * TILE_RESULT, yBytes, steps,
            k0 > 0, planes, n == 2);
      }
    }
    for (let own = from; own < to; own += step) {
      let out = y + own * TILE_RESULT;
      for (let i: usize = 0; i < m; i++, out += yBytes)
        finishRows(out, bias, shift, load<i32>(sums + (i << 2)));
    }
  }
}

/**
 * y ← x · Wᵀ for ±1 weights. Overwrites y.
 *
 * @param tables of x, from `tablesI8`: u8[m, kp/4, 32]
 * @param sums i32[m]: Σ x of each row
 * @param tiles of W, from `tileB1`
 * @param y i32[m, np], 16-byte aligned, np a multiple of 16
 * @param kp columns, a positive multiple of 16
 */
export function gemmLookupI8B1(
  tables: usize, sums: usize, tiles: usize, y: usize, m: usize, np: usize, kp: usize,
): void {
  gemm(tables, sums, tiles, y, m, np, kp, 1);
}

/** y ← x · Wᵀ for ternary weights; arguments as `gemmLookupI8B1`, tiles from `tileT2`. */
export function gemmLookupI8T2(
  tables: usize, sums: usize, tiles: usize, y: usize, m: usize, np: usize, kp: usize,
): void {
  gemm(tables, sums, tiles, y, m, np, kp, 2);
}

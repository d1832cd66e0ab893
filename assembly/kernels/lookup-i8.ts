// Table-lookup products: i8 activations × ±1 or ternary weights → i32, exact.
//
// For 4 neighbouring columns there are 16 subsets of the activations; their sums are put in a
// table once per token, and 4 weight bits are the index of a swizzle: one swizzle looks up 16
// rows. A sum of i8 values does not fit a byte, so low and high nibbles have a table each:
//
//   low[s]  = Σ_{i∈s} (x_i & 15)             0 … 60
//   high[s] = Σ_{i∈s} (x_i >> 4) + 32        0 … 60
//
// With S = Σ_{bit = 1} x = Σ low + 16·(Σ high − 32·lookups):
//   ±1:       y = 2·S − Σx
//   ternary:  y = S₁ + S₂ − Σx     (two planes, W̃ = plane₁ + plane₂ − 1; see tile.ts)
//
// Widen   Four lookups fit a byte (4 · 60 = 240). Then even and odd bytes go to u16 lanes: the even
//         ones as (raw sum) − 256·(odd sum), all modulo 2^16. A u16 lane holds 1,092 lookups
//         (65,535 / 60); i32 takes over every 1,024.
// Tile    1 × 32: one token's tables meet 32 rows.
// Bound   Swizzles and byte adds: about 16 instructions per 128 weights while the tile is in cache.
// Source  T-MAC (Wei et al. 2024, arXiv 2407.00088) for tables instead of products.

/** The bits of a 4-bit index, spread over the 16 entries of a table; and a nibble mask each. */
const IN_SUBSET_0: v128 = i8x16(0, 15, 0, 15, 0, 15, 0, 15, 0, 15, 0, 15, 0, 15, 0, 15);
const IN_SUBSET_1: v128 = i8x16(0, 0, 15, 15, 0, 0, 15, 15, 0, 0, 15, 15, 0, 0, 15, 15);
const IN_SUBSET_2: v128 = i8x16(0, 0, 0, 0, 15, 15, 15, 15, 0, 0, 0, 0, 15, 15, 15, 15);
const IN_SUBSET_3: v128 = i8x16(0, 0, 0, 0, 0, 0, 0, 0, 15, 15, 15, 15, 15, 15, 15, 15);

/** x >> 4 = ((x + 128) >>> 4) − 8, so a subset of n members is off by 8n; and 32 is added. */
const HIGH_BIAS: v128 =
  i8x16(32, 24, 24, 16, 24, 16, 16, 8, 24, 16, 16, 8, 16, 8, 8, 0);

/** Added to every entry of a high table. */
const HIGH_OFFSET: i32 = 32;

/** Bytes of a page of memory, as the hardware's prefetcher knows it. */
const PAGE: usize = 4096;

/** Bytes of the low and the high table of a group of 4 columns. */
const TABLE_BYTES: usize = 32;

/** Steps of 4 lookups a byte until u16 lanes must widen: 1,024 lookups. */
const STEPS_PER_FLUSH: usize = 256;

/** Table of 16 subset sums of the nibbles in bytes 4·GROUP … 4·GROUP + 3 of `x`. */
// @ts-ignore: decorator
@inline
function subsetSums(x0: v128, x1: v128, x2: v128, x3: v128): v128 {
  const s01 = i8x16.add(v128.and(x0, IN_SUBSET_0), v128.and(x1, IN_SUBSET_1));
  const s23 = i8x16.add(v128.and(x2, IN_SUBSET_2), v128.and(x3, IN_SUBSET_3));
  return i8x16.add(s01, s23);
}

/**
 * tables ← the subset sums of every group of 4 columns.
 *
 * @param q i8[m, kp], kp a multiple of 4
 * @param tables u8[m, kp/4, 32], 16-byte aligned: 16 low sums, then 16 high sums
 */
export function tablesI8(q: usize, tables: usize, m: usize, kp: usize): void {
  const end = q + m * kp;
  const flip = i8x16.splat(-128), nibble = i8x16.splat(15);
  for (; q < end; q += 4, tables += TABLE_BYTES) {
    const x0 = v128.load8_splat(q), x1 = v128.load8_splat(q + 1);
    const x2 = v128.load8_splat(q + 2), x3 = v128.load8_splat(q + 3);
    v128.store(tables, subsetSums(x0, x1, x2, x3));
    const h0 = v128.and(i16x8.shr_u(v128.xor(x0, flip), 4), nibble);
    const h1 = v128.and(i16x8.shr_u(v128.xor(x1, flip), 4), nibble);
    const h2 = v128.and(i16x8.shr_u(v128.xor(x2, flip), 4), nibble);
    const h3 = v128.and(i16x8.shr_u(v128.xor(x3, flip), 4), nibble);
    v128.store(tables, i8x16.add(subsetSums(h0, h1, h2, h3), HIGH_BIAS), 16);
  }
}

/**
 * Loads one byte of every page of the next tile, so that its page walks and the first lines of the
 * hardware's stream overlap with this tile's work: memory of WebAssembly has 4 KiB pages, where
 * prefetchers stop. 2.5 times as fast on cold weights on a Xeon, no difference on an EPYC (Zen 4).
 * The sum only keeps the loads alive.
 */
// @ts-ignore: decorator
@inline
function touchPages(tile: usize, bytes: usize): i32 {
  let sum = 0;
  for (let at: usize = 0; at < bytes; at += PAGE) sum += <i32>load<u8>(tile + at);
  return sum;
}

/** u16 sums of the even bytes, from raw u16 sums and the sums of the odd bytes. */
// @ts-ignore: decorator
@inline
function evens(raw: v128, odd: v128): v128 {
  return i16x8.sub(raw, i16x8.shl(odd, 8));
}

/** Adds low + 16·high, u16 lanes, for 8 rows to the i32[8] at y. */
// @ts-ignore: decorator
@inline
function flush8(y: usize, low: v128, high: v128): void {
  const first = i32x4.add(
    i32x4.extend_low_i16x8_u(low), i32x4.shl(i32x4.extend_low_i16x8_u(high), 4));
  const second = i32x4.add(
    i32x4.extend_high_i16x8_u(low), i32x4.shl(i32x4.extend_high_i16x8_u(high), 4));
  v128.store(y, i32x4.add(v128.load(y), first));
  v128.store(y, i32x4.add(v128.load(y, 16), second), 16);
}

/** The 32 i32 at y ← scale·(y − bias) − sum, scale being 2^shift. */
// @ts-ignore: decorator
@inline
function finish32(y: usize, bias: i32, shift: i32, sum: i32): void {
  const vbias = i32x4.splat(bias), vsum = i32x4.splat(sum);
  for (let i: usize = 0; i < 128; i += 16) {
    const selected = i32x4.sub(v128.load(y + i), vbias);
    v128.store(y + i, i32x4.sub(i32x4.shl(selected, shift), vsum));
  }
}

/**
 * Adds the selected sums of one token and one tile to the 32 i32 at y: 64 bytes of weights a step.
 *
 * @param planes 1: four groups of columns a step; 2: two groups, each looked up for both planes
 */
// @ts-ignore: decorator
@inline
function tileToken(table: usize, tile: usize, y: usize, steps: usize, planes: usize): void {
  const nibble = i8x16.splat(15);
  const second: usize = planes == 1 ? 32 : 0, third: usize = planes == 1 ? 64 : 32;
  const fourth = third + second, tableStep: usize = 128 / planes;
  for (let step: usize = 0; step < steps; ) {
    const flushAt = min(step + STEPS_PER_FLUSH, steps);
    let lowRaw0 = i16x8.splat(0), lowOdd0 = lowRaw0, lowRaw1 = lowRaw0, lowOdd1 = lowRaw0;
    let highRaw0 = lowRaw0, highOdd0 = lowRaw0, highRaw1 = lowRaw0, highOdd1 = lowRaw0;
    for (; step < flushAt; step++, tile += 64, table += tableStep) {
      let w = v128.load(tile);
      let rows0 = v128.and(w, nibble), rows1 = v128.and(i16x8.shr_u(w, 4), nibble);
      let low = v128.load(table), high = v128.load(table, 16);
      let low0 = i8x16.swizzle(low, rows0), low1 = i8x16.swizzle(low, rows1);
      let high0 = i8x16.swizzle(high, rows0), high1 = i8x16.swizzle(high, rows1);

      w = v128.load(tile, 16);
      rows0 = v128.and(w, nibble); rows1 = v128.and(i16x8.shr_u(w, 4), nibble);
      low = v128.load(table + second); high = v128.load(table + second, 16);
      low0 = i8x16.add(low0, i8x16.swizzle(low, rows0));
      low1 = i8x16.add(low1, i8x16.swizzle(low, rows1));
      high0 = i8x16.add(high0, i8x16.swizzle(high, rows0));
      high1 = i8x16.add(high1, i8x16.swizzle(high, rows1));

      w = v128.load(tile, 32);
      rows0 = v128.and(w, nibble); rows1 = v128.and(i16x8.shr_u(w, 4), nibble);
      low = v128.load(table + third); high = v128.load(table + third, 16);
      low0 = i8x16.add(low0, i8x16.swizzle(low, rows0));
      low1 = i8x16.add(low1, i8x16.swizzle(low, rows1));
      high0 = i8x16.add(high0, i8x16.swizzle(high, rows0));
      high1 = i8x16.add(high1, i8x16.swizzle(high, rows1));

      w = v128.load(tile, 48);
      rows0 = v128.and(w, nibble); rows1 = v128.and(i16x8.shr_u(w, 4), nibble);
      low = v128.load(table + fourth); high = v128.load(table + fourth, 16);
      low0 = i8x16.add(low0, i8x16.swizzle(low, rows0));
      low1 = i8x16.add(low1, i8x16.swizzle(low, rows1));
      high0 = i8x16.add(high0, i8x16.swizzle(high, rows0));
      high1 = i8x16.add(high1, i8x16.swizzle(high, rows1));

      lowRaw0 = i16x8.add(lowRaw0, low0); lowOdd0 = i16x8.add(lowOdd0, i16x8.shr_u(low0, 8));
      lowRaw1 = i16x8.add(lowRaw1, low1); lowOdd1 = i16x8.add(lowOdd1, i16x8.shr_u(low1, 8));
      highRaw0 = i16x8.add(highRaw0, high0); highOdd0 = i16x8.add(highOdd0, i16x8.shr_u(high0, 8));
      highRaw1 = i16x8.add(highRaw1, high1); highOdd1 = i16x8.add(highOdd1, i16x8.shr_u(high1, 8));
    }
    flush8(y, evens(lowRaw0, lowOdd0), evens(highRaw0, highOdd0));
    flush8(y + 32, lowOdd0, highOdd0);
    flush8(y + 64, evens(lowRaw1, lowOdd1), evens(highRaw1, highOdd1));
    flush8(y + 96, lowOdd1, highOdd1);
  }
}

function tileB1Token(table: usize, tile: usize, y: usize, steps: usize): void {
  tileToken(table, tile, y, steps, 1);
}

function tileT2Token(table: usize, tile: usize, y: usize, steps: usize): void {
  tileToken(table, tile, y, steps, 2);
}

/**
 * y ← x · Wᵀ for ±1 weights. Overwrites y.
 *
 * @param tables of x, from `tablesI8`: u8[m, kp/4, 32]
 * @param sums i32[m]: Σ x of each row
 * @param tiles of W, from `tileB1`, with kp/4 groups
 * @param y i32[m, np], 16-byte aligned, np a multiple of 32
 * @param kp columns, a multiple of 16
 */
export function gemmLookupI8B1(
  tables: usize, sums: usize, tiles: usize, y: usize, m: usize, np: usize, kp: usize,
): void {
  const steps = kp >> 4;
  const tableBytes = (kp >> 2) * TABLE_BYTES, tileBytes = kp << 2;
  const bias = <i32>(kp >> 2) * HIGH_OFFSET << 4;
  for (let row: usize = 0; row < np; row += 32, tiles += tileBytes) {
    if (row + 32 < np) store<i32>(y + (row << 2), touchPages(tiles + tileBytes, tileBytes));
    for (let i: usize = 0; i < m; i++) {
      const out = y + ((i * np + row) << 2);
      memory.fill(out, 0, 128);
      tileB1Token(tables + i * tableBytes, tiles, out, steps);
      finish32(out, bias, 1, load<i32>(sums + (i << 2)));
    }
  }
}

/** y ← x · Wᵀ for ternary weights; arguments as `gemmLookupI8B1`, tiles from `tileT2`. */
export function gemmLookupI8T2(
  tables: usize, sums: usize, tiles: usize, y: usize, m: usize, np: usize, kp: usize,
): void {
  const steps = kp >> 3;
  const tableBytes = (kp >> 2) * TABLE_BYTES, tileBytes = kp << 3;
  const bias = <i32>(kp >> 2) * HIGH_OFFSET << 5;
  for (let row: usize = 0; row < np; row += 32, tiles += tileBytes) {
    if (row + 32 < np) store<i32>(y + (row << 2), touchPages(tiles + tileBytes, tileBytes));
    for (let i: usize = 0; i < m; i++) {
      const out = y + ((i * np + row) << 2);
      memory.fill(out, 0, 128);
      tileT2Token(tables + i * tableBytes, tiles, out, steps);
      finish32(out, bias, 0, load<i32>(sums + (i << 2)));
    }
  }
}

// From the row-major layouts to the tiles that both families of products read.
//
// A tile is 16 rows. For each 8 columns a plane has 16 bytes, one a row, the first column in bit 0:
//
//   byte   0    1    2    3    4    5   …   14   15
//   row    r0   r8   r1   r9   r2   r10 …   r7   r15
//
// The rows are dealt to even and odd bytes so that a product, which widens even and odd bytes
// apart, gets its results in the order of the rows. ±1 weights have one plane. Ternary weights have
// two, 16 bytes of "code ≥ 1" and then 16 of "code = 2", so that W̃ = plane₁ + plane₂ − 1.
// Columns are padded to `kp`: b1 with 0 bits, ternary with the weight 0 (code 1). Rows are padded to
// a multiple of 16 with 0 bits; nobody reads their results.
//
// Source  rows of blocks: `blockBytes` of codes for every 128 columns (b1: 16, t2: 32 bytes), then
//         whatever the format has until the next block, `stride` bytes from one to the next. So GGUF's
//         Q1_0 (a scale and 16 bytes) is laid out from where it arrives.
// Bound   16 × 16 bytes are transposed by 64 shuffles, 256 bytes in about 40 cycles where shuffles are two
//         a cycle. Measured: 3.8 GB/s of weights for b1, 3.0 GB/s for t2, on an EPYC (Zen 3), V8 11.3.

import { TILE_ROWS } from '../lib/tile';

/** Columns of a block. */
const BLOCK: usize = 128;

/** The first `bytes` of 16 bytes at p, then `fill` bytes; reads nothing beyond them. */
function loadPart(p: usize, bytes: usize, fill: i32): v128 {
  let v = i8x16.splat(<i8>fill);
  for (let i: usize = bytes; i > 0; i--) {
    // Lanes move up by one byte and the last byte read comes to lane 0.
    v = i8x16.shuffle(v, v128.load8_splat(p + i - 1), 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14);
  }
  return v;
}

/** The lanes of a and b in turn: low halves, high halves. */
// @ts-ignore: decorator
@inline
function zipLow(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
// @ts-ignore: decorator
@inline
function zipHigh(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/**
 * One round of the transposition: out[2i] and out[2i + 1] are in[i] and in[i + 8] zipped. Four
 * rounds turn rows into columns.
 */
function zipRound(from: usize, to: usize): void {
  for (let i: usize = 0; i < 128; i += 16) {
    const a = v128.load(from + i), b = v128.load(from + i, 128);
    v128.store(to + (i << 1), zipLow(a, b));
    v128.store(to + (i << 1), zipHigh(a, b), 16);
  }
}

/**
 * 16 vectors at `scratch`, one a row in the order of a tile's bytes, become 16 columns of bytes.
 *
 * @param scratch u8[512]: the second half is used in between
 */
function transpose(scratch: usize): void {
  zipRound(scratch, scratch + 256);
  zipRound(scratch + 256, scratch);
  zipRound(scratch, scratch + 256);
  zipRound(scratch + 256, scratch);
}

/** Which row of a tile has byte `b` of a column. */
// @ts-ignore: decorator
@inline
function rowOfByte(b: usize): usize {
  return (b >> 1) | ((b & 1) << 3);
}

/** 8 codes of 2 bits in each u16 lane → the 8 bits at `which` (0 or 1) of each code, in a byte. */
// @ts-ignore: decorator
@inline
function gatherBits(codes: v128, which: i32): v128 {
  let x = v128.and(i16x8.shr_u(codes, which), i16x8.splat(0x5555));
  x = v128.and(v128.or(x, i16x8.shr_u(x, 1)), i16x8.splat(0x3333));
  x = v128.and(v128.or(x, i16x8.shr_u(x, 2)), i16x8.splat(0x0f0f));
  return v128.and(v128.or(x, i16x8.shr_u(x, 4)), i16x8.splat(0xff));
}

/** A plane of 128 ternary columns, 16 bytes, from their 32 bytes of codes. */
// @ts-ignore: decorator
@inline
function planeT2(first: v128, second: v128, which: i32): v128 {
  return i8x16.narrow_i16x8_u(gatherBits(first, which), gatherBits(second, which));
}

/**
 * tiles ← ±1 weights in the tile layout.
 *
 * @param bits b1[rows, cols] in blocks, `rowBytes` from a row to the next, `stride` from a block to the next
 * @param tiles ⌈rows/16⌉ · kp · 2 bytes
 * @param scratch u8[512], 16-byte aligned
 */
export function tileB1(
  bits: usize, tiles: usize, scratch: usize,
  rows: usize, cols: usize, kp: usize, rowBytes: usize, stride: usize,
): void {
  const groups = kp >> 3;
  for (let r: usize = 0; r < rows; r += TILE_ROWS, tiles += groups << 4) {
    for (let c: usize = 0, block = bits + r * rowBytes; c < kp; c += BLOCK, block += stride) {
      const left = cols > c ? min(BLOCK, cols - c) : 0, whole = left == BLOCK;
      const bytes = (left + 7) >> 3, ragged = left & 7, mask: u32 = (1 << <u32>ragged) - 1;
      for (let b: usize = 0; b < 16; b++) {
        const row = rowOfByte(b), at = block + row * rowBytes;
        let v = i8x16.splat(0);
        if (r + row < rows) v = whole ? v128.load(at) : loadPart(at, bytes, 0);
        v128.store(scratch + (b << 4), v);
        if (ragged && r + row < rows) {
          const last = scratch + (b << 4) + bytes - 1;
          store<u8>(last, <u8>(<u32>load<u8>(last) & mask));
        }
      }
      transpose(scratch);
      memory.copy(tiles + (c << 1), scratch, min(BLOCK, kp - c) << 1);
    }
  }
}

/**
 * tiles ← ternary codes (weight + 1, two bits) in the tile layout: ⌈rows/16⌉ · kp · 4 bytes.
 *
 * @param codes t2[rows, cols] in blocks of 128 columns; a row's last byte is padded with the code 1
 * @param scratch u8[1024], 16-byte aligned
 */
export function tileT2(
  codes: usize, tiles: usize, scratch: usize,
  rows: usize, cols: usize, kp: usize, rowBytes: usize, stride: usize,
): void {
  const groups = kp >> 3, scratch2 = scratch + 512;
  for (let r: usize = 0; r < rows; r += TILE_ROWS, tiles += groups << 5) {
    for (let c: usize = 0, block = codes + r * rowBytes; c < kp; c += BLOCK, block += stride) {
      const left = cols > c ? min(BLOCK, cols - c) : 0, bytes = (left + 3) >> 2;
      for (let b: usize = 0; b < 16; b++) {
        const row = rowOfByte(b), at = block + row * rowBytes;
        let first = i8x16.splat(0), second = first;
        if (r + row < rows) {
          first = bytes >= 16 ? v128.load(at) : loadPart(at, bytes, 0x55);
          second = bytes == 32 ? v128.load(at, 16) : loadPart(at + 16, bytes > 16 ? bytes - 16 : 0, 0x55);
        }
        const isTwo = planeT2(first, second, 1);
        v128.store(scratch + (b << 4), v128.or(isTwo, planeT2(first, second, 0)));
        v128.store(scratch2 + (b << 4), isTwo);
      }
      transpose(scratch);
      transpose(scratch2);
      const columns = min(BLOCK, kp - c) >> 3;
      for (let g: usize = 0; g < columns; g++) {
        const to = tiles + (((c >> 3) + g) << 5);
        v128.store(to, v128.load(scratch + (g << 4)));
        v128.store(to, v128.load(scratch2 + (g << 4)), 16);
      }
    }
  }
}

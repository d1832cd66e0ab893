// From the row-major layouts to the tiles that the table-lookup products read.
//
// A tile is 32 rows. For each group of 4 columns it holds 16 bytes; a nibble holds one row's 4
// weight bits, column k in bit 0 … column k + 3 in bit 3:
//
//   byte      0    1    2    3    4    5   …   14   15
//   low       r0   r8   r1   r9   r2   r10 …   r7   r15
//   high      r16  r24  r17  r25  r18  r26 …   r23  r31
//
// The rows are dealt to even and odd bytes so that the product, which widens even and odd bytes
// apart, gets its results in the order of the rows. Ternary tiles hold 32 bytes a group: the plane
// "code ≥ 1" and then the plane "code = 2", so that W̃ = plane₁ + plane₂ − 1.
// Columns are padded to `groups` · 4: b1 with 0 bits, ternary with the weight 0 (code 1). Rows are
// padded to a multiple of 32 with 0 bits; nobody reads their results.
//
// Bound   A byte gather per nibble; runs once per matrix and step, about 1/M of the product's work.

/** Rows in a tile. */
const TILE_ROWS: usize = 32;

/** Where row r of 16 has its byte: rows 0–7 on even bytes, 8–15 on odd ones. */
// @ts-ignore: decorator
@inline
function byteOfRow(r: usize): usize {
  return ((r & 7) << 1) | ((r >> 3) & 1);
}

/** Columns 4g … 4g + 3 of a "rows" row of bits; 0 beyond its end. */
// @ts-ignore: decorator
@inline
function bitsOfGroup(row: usize, g: usize, rowBytes: usize): i32 {
  if ((g >> 1) >= rowBytes) return 0;
  return (<i32>load<u8>(row + (g >> 1)) >> <i32>((g & 1) << 2)) & 15;
}

/**
 * tiles ← bits in the tile layout.
 *
 * @param bits b1[rows, cols] in the "rows" layout with 0 padding, rowBytes a row
 * @param tiles ⌈rows/32⌉ · groups · 16 bytes
 * @param groups column groups of a tile: at least ⌈cols/4⌉
 */
export function tileB1(
  bits: usize, tiles: usize, rows: usize, rowBytes: usize, groups: usize,
): void {
  memory.fill(tiles, 0, ((rows + TILE_ROWS - 1) / TILE_ROWS) * (groups << 4));
  for (let r: usize = 0; r < rows; r++) {
    const row = bits + r * rowBytes;
    const inTile = r % TILE_ROWS;
    const at = tiles + (r / TILE_ROWS) * (groups << 4) + byteOfRow(inTile & 15);
    const shift = inTile < 16 ? 0 : 4;
    for (let g: usize = 0; g < groups; g++) {
      const to = at + (g << 4);
      store<u8>(to, load<u8>(to) | <u8>(bitsOfGroup(row, g, rowBytes) << shift));
    }
  }
}

/** Bit i of the result: whether 2-bit code i of `byte` has the bit `which` (0 or 1) set. */
// @ts-ignore: decorator
@inline
function gatherBit(byte: i32, which: i32): i32 {
  const b = byte >> which;
  return (b & 1) | ((b >> 1) & 2) | ((b >> 2) & 4) | ((b >> 3) & 8);
}

/** tiles ← codes in the ternary tile layout: ⌈rows/32⌉ · groups · 32 bytes. */
export function tileT2(
  codes: usize, tiles: usize, rows: usize, rowBytes: usize, groups: usize,
): void {
  memory.fill(tiles, 0, ((rows + TILE_ROWS - 1) / TILE_ROWS) * (groups << 5));
  for (let r: usize = 0; r < rows; r++) {
    const row = codes + r * rowBytes;
    const inTile = r % TILE_ROWS;
    const at = tiles + (r / TILE_ROWS) * (groups << 5) + byteOfRow(inTile & 15);
    const shift = inTile < 16 ? 0 : 4;
    for (let g: usize = 0; g < groups; g++) {
      const byte = g < rowBytes ? <i32>load<u8>(row + g) : 0x55;
      const isTwo = gatherBit(byte, 1);
      const atLeastOne = gatherBit(byte, 0) | isTwo;
      const to = at + (g << 5);
      store<u8>(to, load<u8>(to) | <u8>(atLeastOne << shift));
      store<u8>(to, load<u8>(to, 16) | <u8>(isTwo << shift), 16);
    }
  }
}

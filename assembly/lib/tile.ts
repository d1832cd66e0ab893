// The tile layout of packed weights, as far as the products need to know it; see kernels/tile.ts.
//
// A v128 of a tile has one byte for each of 16 rows: 8 columns of that row. Rows 0–7 are on even
// bytes and rows 8–15 on odd ones, so that sums which widen even and odd bytes apart come out in
// the order of the rows.

/** Rows in a tile. */
export const TILE_ROWS: usize = 16;

/** Bytes of a tile's results: i32[16] or f32[16]. */
export const TILE_RESULT: usize = 64;

/** y ← low + 16·high, or y + it, for four rows; low and high i32x4. */
// @ts-ignore: decorator
@inline
function put(y: usize, low: v128, high: v128, add: bool): void {
  const v = i32x4.add(low, i32x4.shl(high, 4));
  v128.store(y, add ? i32x4.add(v128.load(y), v) : v);
}

/** y ← low + 16·high, or y + it, for the 8 rows of even or of odd bytes; low and high u16x8. */
// @ts-ignore: decorator
@inline
export function putRows8(y: usize, low: v128, high: v128, add: bool): void {
  put(y, i32x4.extend_low_i16x8_u(low), i32x4.extend_low_i16x8_u(high), add);
  put(y + 16, i32x4.extend_high_i16x8_u(low), i32x4.extend_high_i16x8_u(high), add);
}

/** The 16 i32 at y ← (y − bias) · 2^shift − sum. */
// @ts-ignore: decorator
@inline
export function finishRows(y: usize, bias: i32, shift: i32, sum: i32): void {
  const vbias = i32x4.splat(bias), vsum = i32x4.splat(sum);
  for (let at = y; at < y + TILE_RESULT; at += 16) {
    v128.store(at, i32x4.sub(i32x4.shl(i32x4.sub(v128.load(at), vbias), shift), vsum));
  }
}

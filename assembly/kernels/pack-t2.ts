// Ternary weights: f32[rows, cols] → 2 bits each.
//
//   γ = max(mean |W|, 1e−5)        W̃ = RoundClip(W / γ, −1, 1)        code = W̃ + 1 ∈ {0, 1, 2}
//
// RoundClip rounds halves to even, so 0.5 becomes 0.
// Layout  "rows": row-major, 2 bits a weight, least significant first, `rowBytes` bytes a row (at
//         least ⌈cols/4⌉). Padding codes are 1, which is the weight 0.
// Bound   Reading W.
// Source  Ma et al. 2024, The Era of 1-bit LLMs, §2 (arXiv 2402.17764).

/** Four padding codes: 01 01 01 01. */
const ZEROS: u8 = 0x55;

/** Bits 0 … 3 to bits 0, 2, 4, 6. */
// @ts-ignore: decorator
@inline
function spread(bits: i32): i32 {
  const pairs = (bits | (bits << 2)) & 0x33;
  return (pairs | (pairs << 1)) & 0x55;
}

/**
 * The codes of four weights: 2 above 1/2, 0 below −1/2, else 1; halves, rounded to even, and NaN are 1.
 *
 * @param inverse 1/γ in all lanes
 */
// @ts-ignore: decorator
@inline
function codes4(w: v128, inverse: v128): i32 {
  const x = f32x4.mul(w, inverse), half = f32x4.splat(0.5);
  const two = i32x4.bitmask(f32x4.gt(x, half)), none = i32x4.bitmask(f32x4.lt(x, f32x4.neg(half)));
  return (spread(two) << 1) | spread((two | none) ^ 15);
}

/** codes ← RoundClip(W · inverse) + 1, "rows" layout. */
export function packT2(
  w: usize, inverse: f32, codes: usize, rows: usize, cols: usize, rowBytes: usize,
): void {
  const vinverse = f32x4.splat(inverse);
  for (let r: usize = 0; r < rows; r++, codes += rowBytes) {
    memory.fill(codes, ZEROS, rowBytes);
    let c: usize = 0;
    for (; c + 4 <= cols; c += 4, w += 16) store<u8>(codes + (c >> 2), <u8>codes4(v128.load(w), vinverse));
    if (c == cols) continue;
    let rest = i32x4.splat(0); // padding is the weight 0
    for (let i = cols - c; i > 0; i--) {
      const shifted = v128.shuffle<i32>(rest, rest, 0, 0, 1, 2);
      rest = f32x4.replace_lane(shifted, 0, load<f32>(w + ((i - 1) << 2)));
    }
    store<u8>(codes + (c >> 2), <u8>codes4(rest, vinverse));
    w += (cols - c) << 2;
  }
}

/**
 * out ← scale[r] · {−1, 0, 1}, f32[rows, cols]: the weights as backward sees them.
 *
 * @param scale f32[rows]
 */
export function expandT2(
  codes: usize, scale: usize, out: usize, rows: usize, cols: usize, rowBytes: usize,
): void {
  const masks = i32x4(3, 12, 48, 192), one = f32x4.splat(1);
  const places = f32x4(1, 0.25, 0.0625, 0.015625);
  for (let r: usize = 0; r < rows; r++) {
    const value = load<f32>(scale + (r << 2)), vvalue = f32x4.splat(value);
    let c: usize = 0;
    for (; c + 4 <= cols; c += 4, out += 16) {
      const bits = v128.and(i32x4.splat(<i32>load<u8>(codes + (c >> 2))), masks);
      const code = f32x4.mul(f32x4.convert_i32x4_s(bits), places);
      v128.store(out, f32x4.mul(f32x4.sub(code, one), vvalue));
    }
    for (; c < cols; c++, out += 4) {
      const bits = (<i32>load<u8>(codes + (c >> 2)) >> <i32>((c & 3) << 1)) & 3;
      store<f32>(out, <f32>(bits - 1) * value);
    }
    codes += rowBytes;
  }
}

/**
 * sums[r] ← Σ over columns of {−1, 0, 1} (i32[rows]): Σ codes minus their number, in which the padding
 * codes of 1 cancel.
 */
export function rowSumsT2(
  codes: usize, sums: usize, rows: usize, cols: usize, rowBytes: usize,
): void {
  for (let r: usize = 0; r < rows; r++, codes += rowBytes) {
    let total: i64 = 0, b: usize = 0;
    for (; b + 8 <= rowBytes; b += 8) {
      const bits = load<i64>(codes + b);
      total += popcnt<i64>(bits & 0x5555555555555555) + 2 * popcnt<i64>((bits >> 1) & 0x5555555555555555);
    }
    for (; b < rowBytes; b++) {
      const bits = <i64>load<u8>(codes + b);
      total += popcnt<i64>(bits & 0x55) + 2 * popcnt<i64>((bits >> 1) & 0x55);
    }
    store<i32>(sums + (r << 2), <i32>total - <i32>(rowBytes << 2));
  }
}

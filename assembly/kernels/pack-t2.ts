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

/** The code of one weight: 0, 1 or 2. `inverse` is 1/γ. */
// @ts-ignore: decorator
@inline
function code(w: f32, inverse: f32): i32 {
  return <i32>max<f32>(-1, min<f32>(1, nearest<f32>(w * inverse))) + 1;
}

/** codes ← RoundClip(W · inverse) + 1, "rows" layout. */
export function packT2(
  w: usize, inverse: f32, codes: usize, rows: usize, cols: usize, rowBytes: usize,
): void {
  for (let r: usize = 0; r < rows; r++) {
    memory.fill(codes, ZEROS, rowBytes);
    for (let c: usize = 0; c < cols; c += 4) {
      let byte: i32 = 0x55;
      const quad = min<usize>(4, cols - c);
      for (let i: usize = 0; i < quad; i++, w += 4) {
        const shift = <i32>(i << 1);
        byte = (byte & ~(3 << shift)) | (code(load<f32>(w), inverse) << shift);
      }
      store<u8>(codes + (c >> 2), <u8>byte);
    }
    codes += rowBytes;
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

/** sums[r] ← Σ over columns of {−1, 0, 1} (i32[rows]). */
export function rowSumsT2(
  codes: usize, sums: usize, rows: usize, cols: usize, rowBytes: usize,
): void {
  for (let r: usize = 0; r < rows; r++) {
    let sum = 0;
    for (let c: usize = 0; c < cols; c++) {
      sum += ((<i32>load<u8>(codes + (c >> 2)) >> <i32>((c & 3) << 1)) & 3) - 1;
    }
    codes += rowBytes;
    store<i32>(sums + (r << 2), sum);
  }
}

// Activation quantizers: f32[M, K] → i8[M, Kp], one scale per row (token), 1 … 8 bits.
//
//   Q = 2^(bits−1) − 1      γ = max |x|         code = round(x · Q/γ)          x ≈ code · γ/Q
//   shifted                 η = min x, γ = max (x − η)    code = round((x − η) · Q/γ) ∈ [0, Q]
//   bits = 1                Q = 1, γ = mean |x|           code = x > 0 ? 1 : −1
//
// Halves round to even. γ is kept at least 1e−5, so a row of zeros gives codes 0. The paper writes
// Q = 2^(bits−1) and clips to Q − ε; its authors' code uses 2^(bits−1) − 1, which cannot clip.
// A row is padded with code 0 to Kp columns. The sum of its codes is kept: the products need it.
//
// Bound   Reading x twice; the second time it is in L1.
// Source  Wang et al. 2023, BitNet, Eq. 4–6 (arXiv 2310.11453); Ma et al. 2024, The Era of 1-bit
//         LLMs: Training Tips, Code and FAQ; bits = 1 as in XNOR-Net (arXiv 1603.05279).

import { maxF32x4, sumI32x4, sumF32x4 } from '../lib/simd';

/** Smallest γ. */
const GAMMA_MIN: f32 = 1e-5;

/**
 * Adding 1.5 · 2^23 rounds to a whole number, halves to even, and leaves it in the low bits: three
 * operations where nearest and trunc_sat are a dozen. In memory, because engines build a constant vector
 * anew at each use (`lib/math.ts`).
 */
const ROUND: usize = memory.data<f32>([12582912, 12582912, 12582912, 12582912], 16);

/** max |x| of f32[k]; NaN if there is one: without signs, the bits of floats are in their order. */
function absmax(x: usize, k: usize): f32 {
  let vmax = i32x4.splat(0);
  let i: usize = 0;
  for (; i + 4 <= k; i += 4) vmax = i32x4.max_s(vmax, f32x4.abs(v128.load(x + (i << 2))));
  let result = maxF32x4(vmax);
  for (; i < k; i++) result = max(result, abs(load<f32>(x + (i << 2))));
  return result;
}

/** nearest((x − shift) · inverse) of four values, of size below 2^22; 0 where it is NaN. */
// @ts-ignore: decorator
@inline
function codesOf(x: usize, vshift: v128, vinverse: v128): v128 {
  const scaled = f32x4.mul(f32x4.sub(v128.load(x), vshift), vinverse), round = v128.load(ROUND);
  return v128.and(i32x4.sub(f32x4.add(scaled, round), round), f32x4.eq(scaled, scaled));
}

/** q ← nearest((x − shift) · inverse) for k values, then 0 up to kp; returns the sum of codes. */
function quantizeRow(x: usize, q: usize, k: usize, kp: usize, shift: f32, inverse: f32): i32 {
  const vshift = f32x4.splat(shift), vinverse = f32x4.splat(inverse);
  let vsum = i32x4.splat(0);
  let i: usize = 0;
  for (; i + 16 <= k; i += 16) {
    const at = x + (i << 2);
    const a = codesOf(at, vshift, vinverse), b = codesOf(at + 16, vshift, vinverse);
    const c = codesOf(at + 32, vshift, vinverse), d = codesOf(at + 48, vshift, vinverse);
    vsum = i32x4.add(vsum, i32x4.add(i32x4.add(a, b), i32x4.add(c, d)));
    const low = i16x8.narrow_i32x4_s(a, b), high = i16x8.narrow_i32x4_s(c, d);
    v128.store(q + i, i8x16.narrow_i16x8_s(low, high));
  }
  for (; i + 4 <= k; i += 4) {
    const codes = codesOf(x + (i << 2), vshift, vinverse);
    vsum = i32x4.add(vsum, codes);
    const narrow = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(codes, codes), codes);
    v128.store32_lane(q + i, narrow, 0);
  }
  let sum = sumI32x4(vsum);
  for (; i < k; i++) {
    const code = <i32>nearest<f32>((load<f32>(x + (i << 2)) - shift) * inverse);
    sum += code;
    store<i8>(q + i, <i8>code);
  }
  memory.fill(q + k, 0, kp - k);
  return sum;
}

/**
 * Signed absmax quantization by row, 2 … 8 bits.
 *
 * @param x f32[m, k]
 * @param q i8[m, kp], kp ≥ k
 * @param scale f32[m] ← γ/Q
 * @param sums i32[m] ← Σ codes
 */
export function quantAbsmaxI8(
  x: usize, q: usize, scale: usize, sums: usize, m: usize, k: usize, kp: usize, bits: i32,
): void {
  const levels = <f32>((1 << (bits - 1)) - 1);
  for (let i: usize = 0; i < m; i++) {
    const gamma = max(absmax(x, k), GAMMA_MIN);
    store<i32>(sums + (i << 2), quantizeRow(x, q, k, kp, 0, levels / gamma));
    store<f32>(scale + (i << 2), gamma / levels);
    x += k << 2;
    q += kp;
  }
}

/**
 * Shifted quantization by row for the inputs of a non-linearity: codes in [0, Q], 2 … 8 bits.
 *
 * @param shift f32[m] ← η = min x, so that x ≈ code · scale + η
 */
export function quantShiftedI8(
  x: usize, q: usize, scale: usize, shift: usize, sums: usize,
  m: usize, k: usize, kp: usize, bits: i32,
): void {
  const levels = <f32>((1 << (bits - 1)) - 1);
  for (let i: usize = 0; i < m; i++) {
    let low = load<f32>(x), high = low;
    for (let j: usize = 1; j < k; j++) {
      const value = load<f32>(x + (j << 2));
      low = min(low, value);
      high = max(high, value);
    }
    const gamma = max(high - low, GAMMA_MIN);
    store<i32>(sums + (i << 2), quantizeRow(x, q, k, kp, low, levels / gamma));
    store<f32>(scale + (i << 2), gamma / levels);
    store<f32>(shift + (i << 2), low);
    x += k << 2;
    q += kp;
  }
}

/**
 * Signed absmax quantization of every `span` columns of a row by themselves, 2 … 8 bits. The scale is
 * repeated for every part of `part` columns, and each has its own sum.
 *
 * @param x f32[m, k]
 * @param q i8[m, kp], kp ≥ k a multiple of `span`, and that of `part`; codes beyond k are 0
 * @param scales f32[m, kp/part] ← γ/Q
 * @param sums i32[m, kp/part] ← Σ codes
 */
export function quantBlockI8(
  x: usize, q: usize, scales: usize, sums: usize,
  m: usize, k: usize, kp: usize, part: usize, span: usize, bits: i32,
): void {
  const levels = <f32>((1 << (bits - 1)) - 1);
  for (let i: usize = 0; i < m; i++, x += k << 2) {
    for (let c: usize = 0; c < kp; c += span) {
      const gamma = max(absmax(x + (c << 2), c < k ? min(span, k - c) : 0), GAMMA_MIN);
      for (let p = c; p < c + span; p += part, q += part, scales += 4, sums += 4) {
        const columns = p < k ? min(part, k - p) : 0;
        store<i32>(sums, quantizeRow(x + (p << 2), q, columns, part, 0, levels / gamma));
        store<f32>(scales, gamma / levels);
      }
    }
  }
}

/**
 * Scales of parts in fixed point: ξ = round(γ/Γ · 32,767), Γ the largest of a row.
 *
 * @param scales f32[m, parts], positive
 * @param xi i16[m, parts] ← ξ; factors f32[m] ← Γ
 */
export function fixScales(scales: usize, xi: usize, factors: usize, m: usize, parts: usize): void {
  for (let i: usize = 0; i < m; i++, scales += parts << 2, xi += parts << 1) {
    let most: f32 = 0;
    for (let p: usize = 0; p < parts; p++) most = max(most, load<f32>(scales + (p << 2)));
    const inverse: f32 = <f32>32767 / most;
    for (let p: usize = 0; p < parts; p++)
      store<i16>(xi + (p << 1), <i16>nearest<f32>(load<f32>(scales + (p << 2)) * inverse));
    store<f32>(factors + (i << 2), most);
  }
}

/** Sign quantization by row (1 bit): codes ±1, scale = mean |x|. */
export function quantSignI8(
  x: usize, q: usize, scale: usize, sums: usize, m: usize, k: usize, kp: usize,
): void {
  for (let i: usize = 0; i < m; i++) {
    let vsum = f32x4.splat(0);
    let j: usize = 0;
    for (; j + 4 <= k; j += 4) vsum = f32x4.add(vsum, f32x4.abs(v128.load(x + (j << 2))));
    let total = sumF32x4(vsum);
    for (; j < k; j++) total += abs(load<f32>(x + (j << 2)));

    let codeSum = 0;
    for (j = 0; j < k; j++) {
      const code = load<f32>(x + (j << 2)) > 0 ? 1 : -1;
      codeSum += code;
      store<i8>(q + j, <i8>code);
    }
    memory.fill(q + k, 0, kp - k);
    store<f32>(scale + (i << 2), max(total / <f32>k, GAMMA_MIN));
    store<i32>(sums + (i << 2), codeSum);
    x += k << 2;
    q += kp;
  }
}

/**
 * out ← code · scale[row] + shift[row], f32[m, k]: the activations as backward sees them.
 *
 * @param shift f32[m], or 0 for none
 */
export function dequantI8(
  q: usize, scale: usize, shift: usize, out: usize, m: usize, k: usize, kp: usize,
): void {
  for (let i: usize = 0; i < m; i++) {
    const vscale = v128.load32_splat(scale + (i << 2));
    const vshift = shift ? v128.load32_splat(shift + (i << 2)) : f32x4.splat(0);
    let j: usize = 0;
    for (; j + 4 <= k; j += 4, out += 16) {
      const bytes = v128.load32_zero(q + j);
      const codes = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(bytes));
      v128.store(out, f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(codes), vscale), vshift));
    }
    for (; j < k; j++, out += 4) {
      const value = <f32>load<i8>(q + j) * f32x4.extract_lane(vscale, 0);
      store<f32>(out, value + f32x4.extract_lane(vshift, 0));
    }
    q += kp;
  }
}

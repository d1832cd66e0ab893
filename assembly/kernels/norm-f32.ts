// LayerNorm and RMSNorm by row, forward and backward, f32[M, C].
//
//   LayerNorm  x̂ = (x − mean) · r,  r = 1/√(var + ε)         RMSNorm  x̂ = x · r,  r = 1/√(mean x² + ε)
//   y = x̂ · gain
//   dx̂ = dy · gain      dx = r · (dx̂ − [mean dx̂] − x̂ · mean(dx̂ · x̂))      dgain += Σ_rows dy · x̂
//
// The bracket belongs to LayerNorm alone. Statistics are summed in f64 in two fixed lanes; mean and
// r are kept per row (f32[M, 2]) for backward. RMSNorm is the case `centre` = false, mean 0.
//
// Bound   Reading: two passes over a row that is in L1 after the first.
// Source  Ba et al. 2016 (arXiv 1607.06450); Zhang & Sennrich 2019 (arXiv 1910.07467).

import { addWidenF64, sumF64x2 } from '../lib/simd';

/** Σ x of f32[c] in f64. */
// @ts-ignore: decorator
@inline
function rowSum(x: usize, c: usize): f64 {
  let vsum = f64x2.splat(0);
  let j: usize = 0;
  for (; j + 4 <= c; j += 4) vsum = addWidenF64(vsum, v128.load(x + (j << 2)));
  let sum = sumF64x2(vsum);
  for (; j < c; j++) sum += <f64>load<f32>(x + (j << 2));
  return sum;
}

/** Σ (x − mean)² of f32[c] in f64, the differences and squares in f32. */
// @ts-ignore: decorator
@inline
function rowSquares(x: usize, mean: f32, c: usize): f64 {
  let vsum = f64x2.splat(0);
  const vmean = f32x4.splat(mean);
  let j: usize = 0;
  for (; j + 4 <= c; j += 4) {
    const d = f32x4.sub(v128.load(x + (j << 2)), vmean);
    vsum = addWidenF64(vsum, f32x4.mul(d, d));
  }
  let sum = sumF64x2(vsum);
  for (; j < c; j++) {
    const d = load<f32>(x + (j << 2)) - mean;
    sum += <f64>(d * d);
  }
  return sum;
}

/**
 * y ← norm(x) · gain, by row.
 *
 * @param gain f32[c], or 0 for 1
 * @param stats f32[m, 2] ← mean and r
 */
export function normF32(
  x: usize, gain: usize, y: usize, stats: usize, m: usize, c: usize, eps: f32, centre: bool,
): void {
  for (let i: usize = 0; i < m; i++, x += c << 2, stats += 8) {
    const mean: f32 = centre ? <f32>(rowSum(x, c) / <f64>c) : 0;
    const r = <f32>(1.0 / sqrt<f64>(rowSquares(x, mean, c) / <f64>c + <f64>eps));
    store<f32>(stats, mean, 0);
    store<f32>(stats, r, 4);
    const vmean = f32x4.splat(mean), vr = f32x4.splat(r);
    let j: usize = 0;
    for (; j + 4 <= c; j += 4, y += 16) {
      let v = f32x4.mul(f32x4.sub(v128.load(x + (j << 2)), vmean), vr);
      if (gain) v = f32x4.mul(v, v128.load(gain + (j << 2)));
      v128.store(y, v);
    }
    for (; j < c; j++, y += 4) {
      let v = (load<f32>(x + (j << 2)) - mean) * r;
      if (gain) v *= load<f32>(gain + (j << 2));
      store<f32>(y, v);
    }
  }
}

/** Σ dx̂ and Σ dx̂·x̂ of one row (f64, two lanes of the result); dgain += dy · x̂. */
// @ts-ignore: decorator
@inline
function rowMoments(
  dy: usize, x: usize, gain: usize, dgain: usize, c: usize, mean: f32, r: f32,
): v128 {
  const vmean = f32x4.splat(mean), vr = f32x4.splat(r);
  let sum = f64x2.splat(0), dot = sum;
  let j: usize = 0;
  for (; j + 4 <= c; j += 4) {
    const at = j << 2;
    const hat = f32x4.mul(f32x4.sub(v128.load(x + at), vmean), vr);
    let d = v128.load(dy + at);
    if (gain) {
      v128.store(dgain + at, f32x4.add(v128.load(dgain + at), f32x4.mul(d, hat)));
      d = f32x4.mul(d, v128.load(gain + at));
    }
    sum = addWidenF64(sum, d);
    dot = addWidenF64(dot, f32x4.mul(d, hat));
  }
  let total = sumF64x2(sum), totalDot = sumF64x2(dot);
  for (; j < c; j++) {
    const at = j << 2;
    const hat = (load<f32>(x + at) - mean) * r;
    let d = load<f32>(dy + at);
    if (gain) {
      store<f32>(dgain + at, load<f32>(dgain + at) + d * hat);
      d *= load<f32>(gain + at);
    }
    total += <f64>d;
    totalDot += <f64>(d * hat);
  }
  return f64x2.replace_lane(f64x2.splat(total), 1, totalDot);
}

/**
 * dx ← gradient of x, or dx += it with `accumulate`; dgain += gradient of gain (skipped where gain
 * is 0).
 *
 * @param stats f32[m, 2] from the forward pass
 * @param dx f32[m, c]; without `accumulate` it may be the same memory as dy
 */
export function normBackwardF32(
  dy: usize, x: usize, gain: usize, stats: usize, dx: usize, dgain: usize,
  m: usize, c: usize, centre: bool, accumulate: bool,
): void {
  for (let i: usize = 0; i < m; i++, stats += 8) {
    const mean = load<f32>(stats), r = load<f32>(stats, 4);
    const moments = rowMoments(dy, x, gain, dgain, c, mean, r);
    const meanD: f32 = centre ? <f32>(f64x2.extract_lane(moments, 0) / <f64>c) : 0;
    const meanDot = <f32>(f64x2.extract_lane(moments, 1) / <f64>c);
    const vmean = f32x4.splat(mean), vr = f32x4.splat(r);
    const vmeanD = f32x4.splat(meanD), vmeanDot = f32x4.splat(meanDot);
    let j: usize = 0;
    for (; j + 4 <= c; j += 4) {
      const at = j << 2;
      const hat = f32x4.mul(f32x4.sub(v128.load(x + at), vmean), vr);
      let d = v128.load(dy + at);
      if (gain) d = f32x4.mul(d, v128.load(gain + at));
      d = f32x4.sub(f32x4.sub(d, vmeanD), f32x4.mul(hat, vmeanDot));
      d = f32x4.mul(vr, d);
      v128.store(dx + at, accumulate ? f32x4.add(v128.load(dx + at), d) : d);
    }
    for (; j < c; j++) {
      const at = j << 2;
      const hat = (load<f32>(x + at) - mean) * r, d = load<f32>(dy + at);
      const dhat = gain ? d * load<f32>(gain + at) : d;
      const value = r * (dhat - meanD - hat * meanDot);
      store<f32>(dx + at, accumulate ? load<f32>(dx + at) + value : value);
    }
    x += c << 2;
    dy += c << 2;
    dx += c << 2;
  }
}

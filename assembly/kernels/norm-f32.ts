// LayerNorm and RMSNorm by row, forward and backward, f32[M, C].
//
//   LayerNorm  x̂ = (x − mean) · r,  r = 1/√(var + ε)         RMSNorm  x̂ = x · r,  r = 1/√(mean x² + ε)
//   y = x̂ · gain
//   dx̂ = dy · gain      dx = r · (dx̂ − [mean dx̂] − x̂ · mean(dx̂ · x̂))      dgain += Σ_rows dy · x̂
//
// The bracket belongs to LayerNorm alone. Statistics are summed in f64 in two fixed lanes; mean and
// r are kept per row (f32[M, 2]) for backward. RMSNorm is the case `centre` = false, mean 0.
//
// Bound   Forward, the additions of f64, each of which waits for the one before: four rows pass
//         together, so that four sums wait at a time. Backward, reading: two passes, the second in L1.
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

/** stats ← mean and r, from the mean and the sum of squares. */
// @ts-ignore: decorator
@inline
function storeStats(stats: usize, mean: f32, squares: f64, c: usize, eps: f32): void {
  store<f32>(stats, mean, 0);
  store<f32>(stats, <f32>(1.0 / sqrt<f64>(squares / <f64>c + <f64>eps)), 4);
}

/** stats ← mean and r of one row. */
function rowStats(x: usize, stats: usize, c: usize, eps: f32, centre: bool): void {
  const mean: f32 = centre ? <f32>(rowSum(x, c) / <f64>c) : 0;
  storeStats(stats, mean, rowSquares(x, mean, c), c, eps);
}

/** The same for four rows together, c a multiple of 4; each row's sums are those of `rowStats`. */
function rowStats4(x: usize, stats: usize, c: usize, eps: f32, centre: bool): void {
  const bytes = c << 2, end = x + bytes, bytes2 = bytes << 1, bytes3 = bytes + bytes2;
  let mean0: f32 = 0, mean1: f32 = 0, mean2: f32 = 0, mean3: f32 = 0;
  let sum0 = f64x2.splat(0), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  if (centre) {
    for (let at = x; at < end; at += 16) {
      sum0 = addWidenF64(sum0, v128.load(at));
      sum1 = addWidenF64(sum1, v128.load(at + bytes));
      sum2 = addWidenF64(sum2, v128.load(at + bytes2));
      sum3 = addWidenF64(sum3, v128.load(at + bytes3));
    }
    mean0 = <f32>(sumF64x2(sum0) / <f64>c);
    mean1 = <f32>(sumF64x2(sum1) / <f64>c);
    mean2 = <f32>(sumF64x2(sum2) / <f64>c);
    mean3 = <f32>(sumF64x2(sum3) / <f64>c);
    sum0 = sum1 = sum2 = sum3 = f64x2.splat(0);
  }
  const vmean0 = f32x4.splat(mean0), vmean1 = f32x4.splat(mean1);
  const vmean2 = f32x4.splat(mean2), vmean3 = f32x4.splat(mean3);
  for (let at = x; at < end; at += 16) {
    const d0 = f32x4.sub(v128.load(at), vmean0), d1 = f32x4.sub(v128.load(at + bytes), vmean1);
    const d2 = f32x4.sub(v128.load(at + bytes2), vmean2);
    const d3 = f32x4.sub(v128.load(at + bytes3), vmean3);
    sum0 = addWidenF64(sum0, f32x4.mul(d0, d0));
    sum1 = addWidenF64(sum1, f32x4.mul(d1, d1));
    sum2 = addWidenF64(sum2, f32x4.mul(d2, d2));
    sum3 = addWidenF64(sum3, f32x4.mul(d3, d3));
  }
  storeStats(stats, mean0, sumF64x2(sum0), c, eps);
  storeStats(stats + 8, mean1, sumF64x2(sum1), c, eps);
  storeStats(stats + 16, mean2, sumF64x2(sum2), c, eps);
  storeStats(stats + 24, mean3, sumF64x2(sum3), c, eps);
}

/** y ← (x − mean) · r · gain for one row. */
// @ts-ignore: decorator
@inline
function normRow(x: usize, gain: usize, y: usize, c: usize, mean: f32, r: f32): void {
  const vmean = f32x4.splat(mean), vr = f32x4.splat(r);
  let j: usize = 0;
  for (; j + 4 <= c; j += 4) {
    let v = f32x4.mul(f32x4.sub(v128.load(x + (j << 2)), vmean), vr);
    if (gain) v = f32x4.mul(v, v128.load(gain + (j << 2)));
    v128.store(y + (j << 2), v);
  }
  for (; j < c; j++) {
    let v = (load<f32>(x + (j << 2)) - mean) * r;
    if (gain) v *= load<f32>(gain + (j << 2));
    store<f32>(y + (j << 2), v);
  }
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
  for (let i: usize = 0, ready: usize = 0; i < m; i++, x += c << 2, y += c << 2, stats += 8) {
    if (i == ready) {
      const four = (c & 3) == 0 && i + 4 <= m;
      if (four) rowStats4(x, stats, c, eps, centre);
      else rowStats(x, stats, c, eps, centre);
      ready += four ? 4 : 1;
    }
    normRow(x, gain, y, c, load<f32>(stats), load<f32>(stats, 4));
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

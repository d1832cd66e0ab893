// Elastic activation quantization: f32[M, K] → i8[M, Kp] by one learned scale s, 2 … 8 bits; and its
// gradients.
//
//   Q = 2^(bits−1) − 1      v = x/s      code = round(clip(v, −Q, Q))      x ≈ code · s
//   dx = |v| < Q ? d : 0                 ds = Σ d · (|v| < Q ? code − v : code)
//
// d is the gradient of code · s: rounding is passed straight through, clipping is not. Halves round to
// even. v is x times the rounded 1/s, in both directions alike. A row is padded with code 0 to Kp columns.
//
// Bound   Arithmetic. Not vectorized, and backward not shared by threads: small code, and the products
//         take far longer.
// Source  Esser et al. 2020, Learned Step Size Quantization (arXiv 1902.08153), Eq. 1–3; Liu et al.
//         2022, BiT (arXiv 2205.13016), whose name "elastic" the BitNet paper uses.

/** round(clip(v, −Q, Q)); NaN stays NaN. */
// @ts-ignore: decorator
@inline
function roundClipped(v: f32, levels: f32): f32 {
  return nearest<f32>(max(min(v, levels), -levels));
}

/**
 * Codes by one scale.
 *
 * @param x f32[m, k]
 * @param q i8[m, kp], kp ≥ k
 * @param scale f32[m] ← s, or NaN for a row that has a number that is not finite
 * @param sums i32[m] ← Σ codes
 * @param s above 0
 */
export function quantElasticI8(
  x: usize, q: usize, scale: usize, sums: usize, m: usize, k: usize, kp: usize, bits: i32, s: f32,
): void {
  const inverse: f32 = 1 / s, levels = <f32>((1 << (bits - 1)) - 1);
  for (; m; m--, scale += 4, sums += 4, q += kp) {
    let sum = 0, own = s;
    for (let j: usize = 0; j < k; j++, x += 4) {
      const value = load<f32>(x), code = <i32>roundClipped(value * inverse, levels);
      own += value * 0; // NaN of what is not finite
      sum += code;
      store<i8>(q + j, <i8>code);
    }
    memory.fill(q + k, 0, kp - k);
    store<f32>(scale, own);
    store<i32>(sums, sum);
  }
}

/**
 * Gradients of x, in place, and of s: f32 terms summed in f64, in their order.
 *
 * @param d f32[n]: the gradient of code · s; ← that of x
 * @param x f32[n]: what was quantized
 * @param s as it was then
 * @returns ds
 */
export function elasticBackwardF32(d: usize, x: usize, n: usize, bits: i32, s: f32): f64 {
  const inverse: f32 = 1 / s, levels = <f32>((1 << (bits - 1)) - 1);
  let sum: f64 = 0;
  for (; n; n--, d += 4, x += 4) {
    const v = load<f32>(x) * inverse, inside = abs(v) < levels;
    sum += <f64>(load<f32>(d) * (roundClipped(v, levels) - (inside ? v : 0)));
    if (!inside) store<f32>(d, 0);
  }
  return sum;
}

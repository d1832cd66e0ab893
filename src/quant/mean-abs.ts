/**
 * Mean and mean of absolute values, as all weight quantizers take them.
 *
 * Sums are f64 in two fixed lanes, elements 0 and 2 of every four in one and 1 and 3 in the
 * other, and the elements after the last four at the end: the order of the kernels, so that a
 * matrix packed here has the bits and the scale that the engine gives it.
 * @module
 */

/**
 * mean = Σ w / n and meanAbs = Σ |w| / n, rounded to f32.
 *
 * @param values f32[n], n ≥ 1
 */
export function meanAbs(values: Float32Array): { mean: number; meanAbs: number } {
  const n = values.length, fours = n & ~3;
  let sum0 = 0, sum1 = 0, abs0 = 0, abs1 = 0;
  for (let i = 0; i < fours; i += 2) {
    sum0 += values[i];
    sum1 += values[i + 1];
    abs0 += Math.abs(values[i]);
    abs1 += Math.abs(values[i + 1]);
  }
  let sum = sum0 + sum1, abs = abs0 + abs1;
  for (let i = fours; i < n; i++) {
    sum += values[i];
    abs += Math.abs(values[i]);
  }
  return { mean: Math.fround(sum / n), meanAbs: Math.fround(abs / n) };
}

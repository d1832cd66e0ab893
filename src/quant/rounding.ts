/**
 * Rounding as the kernels do it: to the nearest integer, halves to the even neighbour.
 *
 * `Math.round` takes halves upwards, which would shift the mean of the codes.
 * Source  IEEE 754-2019, roundTiesToEven; Ma et al. 2024 (arXiv 2402.17764) round so.
 * @module
 */

/**
 * The integer nearest to `x`; NaN and infinities are returned as they are.
 *
 * @example
 * [0.5, 1.5, 2.5, -0.5, -1.5].map(roundHalfEven); // [0, 2, 2, -0, -2]
 */
export function roundHalfEven(x: number): number {
  const up = Math.round(x);
  // up − x is exact: below 2^52 both are multiples of the same small power of two.
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
}

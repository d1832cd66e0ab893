/**
 * e^x from + − · / alone, so that every engine gets the same bits; the inverse of
 * `corpus/natural-log.ts`.
 *
 *   e^x = 2^k · e^r,  k = round(x / ln 2),  |r| ≤ ln 2 / 2;  e^r by its series to r¹⁷/17!
 *
 * The first term left out, r¹⁸/18!, is below 2⁻⁸⁰. Results are within a few units in the last place
 * for |x| ≤ 100, which is what fits need.
 * @module
 */
import { checkNumber } from '../check.ts';

const LN2 = 0.6931471805599453;
const TERMS = 17;

/**
 * @param x from −700 to 700: the result is a normal f64
 * @throws {RangeError} If it is not.
 * @example
 * exponential(0); // 1
 */
export function exponential(x: number): number {
  checkNumber('exponential', 'x', x, -700, 700);
  const k = Math.round(x / LN2), r = x - k * LN2;
  let series = 1;
  for (let n = TERMS; n >= 1; n--) series = 1 + (series * r) / n;
  let power = 1;
  for (let i = 0; i < Math.abs(k); i++) power *= 2;
  return k < 0 ? series / power : series * power;
}

/**
 * Natural logarithm from + − · / alone, so that every engine gets the same bits.
 *
 *   x = m · 2^e with √½ ≤ m < √2;   ln x = e · ln 2 + 2 · artanh z,   z = (m − 1) / (m + 1)
 *   artanh z = z + z³/3 + z⁵/5 + …
 *
 * The engines' own logarithm may differ in the last bit from one to the next.
 * Source: Abramowitz & Stegun 1964, Handbook of Mathematical Functions, 4.1.27.
 * @module
 */

const LN2 = 0.6931471805599453;

/** |z| ≤ 0.1716, so the first term left out, z²⁵/25, is below 2⁻⁶⁶. */
const LAST_POWER = 23;

/**
 * ln x in nats, within 2⁻⁵¹ times the larger of |ln x| and ½.
 *
 * @param x positive and finite
 * @throws {RangeError} If it is not.
 * @example
 * naturalLog(1); // 0
 */
export function naturalLog(x: number): number {
  if (!(x > 0 && x < Infinity)) throw new RangeError(`naturalLog: "x" expected > 0, got ${x}`);
  let m = x;
  let e = 0;
  for (; m >= Math.SQRT2; e++) m /= 2; // exact: a power of two
  for (; m < Math.SQRT1_2; e--) m *= 2;
  const z = (m - 1) / (m + 1);
  let series = 0;
  for (let power = LAST_POWER; power >= 1; power -= 2) series = series * z * z + 1 / power;
  return e * LN2 + 2 * z * series;
}

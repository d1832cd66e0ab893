/**
 * IEEE 754 binary16, written to be read: the twin of `assembly/kernels/half-f16.ts`.
 *
 *   16 bits   sign · exponent (5 bits, bias 15) · mantissa (10 bits)
 *   normal    (1 + m/1024) · 2^(e − 15), e from 1 to 30        subnormal (e = 0)   m/1024 · 2^−14
 *   e = 31    infinity if m is 0, else NaN
 *
 * Source  IEEE 754-2019, 3.4.
 * @module
 */

/** The value of a half. */
export function decodeF16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1, e = (bits >> 10) & 31, m = bits & 1023;
  if (e === 31) return m ? NaN : sign * Infinity;
  return sign * (e ? (1 + m / 1024) * 2 ** (e - 15) : (m / 1024) * 2 ** -14);
}

/** The half nearest to x, of two equally near the one with an even last bit. */
export function encodeF16(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0, a = Math.abs(x);
  if (Number.isNaN(x)) return 0x7e00;
  if (a >= 65520) return sign | 0x7c00;
  const exponent = a < 2 ** -14 ? -14 : Math.floor(Math.log2(a));
  // In units of the last place; log2 may be one too large just below a power of two.
  let unit = 2 ** (exponent - 10);
  if (a < 2 ** exponent && exponent > -14) unit /= 2;
  const count = roundHalfEven(a / unit);
  return sign | (unit === 2 ** -24 ? count : count + (Math.log2(unit) + 24) * 1024);
}

function roundHalfEven(x: number): number {
  const low = Math.floor(x), rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}

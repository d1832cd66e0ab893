/**
 * IEEE binary16 to numbers and back on the host, for scales and small tables; tensors go through the kernels.
 *
 * Shifted left by 13 bits a half is a f32 whose exponent is 112 too small: one exact multiplication.
 * Source  IEEE 754-2019, 3.4.
 * @module
 */

import { roundHalfEven } from './rounding.ts';

const bits = new Uint32Array(1), value = new Float32Array(bits.buffer);

/**
 * The number that 16 bits stand for; infinities and NaN as such.
 *
 * @example
 * halfToNumber(0x3c00); // 1
 */
export function halfToNumber(half: number): number {
  bits[0] = (half & 0x7fff) << 13;
  const size = value[0] * 2 ** 112;
  const finite = size < 65_536 ? size : (half & 0x3ff) === 0 ? Infinity : NaN;
  return half & 0x8000 ? -finite : finite;
}

/**
 * The half nearest to a number, of two equally near the even one.
 *
 * @example
 * numberToHalf(1); // 0x3c00
 */
export function numberToHalf(x: number): number {
  value[0] = x;
  const sign = bits[0] >>> 16 & 0x8000, size = bits[0] & 0x7fff_ffff;
  if (size > 0x7f80_0000) return sign | 0x7e00;
  if (size >= 0x477f_f000) return sign | 0x7c00; // 65,520 and more
  if (size < 0x3880_0000) return sign | roundHalfEven(Math.abs(value[0]) * 2 ** 24); // below 2^−14
  return sign | (size - 0x3800_0000 + 0xfff + (size >>> 13 & 1)) >>> 13;
}

/** Whether 16 bits are a finite half. */
export const isFiniteHalf = (half: number): boolean => (half & 0x7c00) !== 0x7c00;

/**
 * IEEE binary16 to numbers on the host, for scales and small tables; tensors go through the kernels.
 *
 * Shifted left by 13 bits a half is a f32 whose exponent is 112 too small: one exact multiplication.
 * Source  IEEE 754-2019, 3.4.
 * @module
 */

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

/** Whether 16 bits are a finite half. */
export const isFiniteHalf = (half: number): boolean => (half & 0x7c00) !== 0x7c00;

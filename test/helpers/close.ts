/**
 * Comparing numbers: bit for bit, within a named tolerance, and in units in the last place.
 *
 * Any NaN equals any other NaN: WebAssembly leaves the bits of a NaN to the engine.
 * @module
 */
import * as assert from 'uvu/assert';

/** How far apart two floats may be: |actual − expected| ≤ absolute + relative · |expected|. */
export interface Tolerance {
  /** Where the numbers come from; part of the message of a failure. */
  readonly name: string;
  readonly absolute: number;
  readonly relative: number;
}

/** Fails unless every value is within the tolerance. NaN and infinities must match exactly. */
export function close(
  actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: Tolerance, label = '',
): void {
  const { name, absolute, relative } = tolerance;
  assert.is(actual.length, expected.length, `${label} length`);
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i], e = expected[i];
    if (Object.is(a, e) || a === e) continue;
    if (!(Math.abs(a - e) <= absolute + relative * Math.abs(e)))
      assert.unreachable(
        `${label}[${i}] is ${a}, expected ${e}, differs by ${a - e} (${name})`);
  }
}

/** The bits of f32 values as u32, every NaN as 0x7fc00000. */
export function bitsOf(values: Float32Array): Uint32Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length).slice();
  for (let i = 0; i < bits.length; i++) if (Number.isNaN(values[i])) bits[i] = 0x7fc00000;
  return bits;
}

/** Fails unless all values have the same bits: −0 is not 0. */
export function sameBits(actual: Float32Array, expected: Float32Array, label = ''): void {
  assert.is(actual.length, expected.length, `${label} length`);
  const a = bitsOf(actual), e = bitsOf(expected);
  for (let i = 0; i < e.length; i++) {
    if (a[i] !== e[i])
      assert.unreachable(
        `${label}[${i}] is ${show(actual[i], a[i])}, expected ${show(expected[i], e[i])}`);
  }
}

const show = (value: number, bits: number): string =>
  `${Object.is(value, -0) ? '-0' : value} (0x${bits.toString(16).padStart(8, '0')})`;

/** Fails unless the integers are the same; names the first that is not. */
export function sameIntegers(
  actual: ArrayLike<number>, expected: ArrayLike<number>, label = '',
): void {
  assert.is(actual.length, expected.length, `${label} length`);
  for (let i = 0; i < expected.length; i++)
    if (actual[i] !== expected[i])
      assert.unreachable(`${label}[${i}] is ${actual[i]}, expected ${expected[i]}`);
}

/** Distance between two numbers in units of the last place of the expected one. */
function ulps(actual: number, expected: number, digits: number, minExponent: number): number {
  if (Object.is(actual, expected) || actual === expected) return 0;
  if (!Number.isFinite(actual) || !Number.isFinite(expected)) return Infinity;
  const magnitude = Math.abs(expected);
  let exponent = Math.floor(Math.log2(magnitude));
  if (2 ** exponent > magnitude) exponent--; // log2 rounds up just below a power of two
  return Math.abs(actual - expected) / 2 ** (Math.max(minExponent, exponent) - digits);
}

/**
 * Error of an f32 in f32 ulps against a value known in f64; 0.5 is correct rounding. Beyond the
 * largest f32 only the infinity is right.
 */
export const ulpsF32 = (actual: number, exact: number): number =>
  ulps(actual, Number.isFinite(Math.fround(exact)) ? exact : Math.fround(exact), 23, -126);

/** Error of an f64 in f64 ulps. */
export const ulpsF64 = (actual: number, expected: number): number =>
  ulps(actual, expected, 52, -1022);

/** FNV-1a of the bits of values without NaN: one number that changes when any bit does. */
export function hashBits(values: Float32Array | Float64Array): number {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

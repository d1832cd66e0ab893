/**
 * Seeded random arrays: the same arguments give the same array on every engine.
 * @module
 */
import { Rng } from '../../src/rng.ts';

/** f32[n], about normal with standard deviation `scale`, |value| ≤ 6 · scale. */
export function randomF32(n: number, seed: number, scale = 1): Float32Array {
  const rng = new Rng(seed);
  return Float32Array.from({ length: n }, () => rng.nextNormal() * scale);
}

/** Integers, uniform on min … max. */
function integers(n: number, seed: number, min: number, max: number): number[] {
  const rng = new Rng(seed);
  return Array.from({ length: n }, () => min + rng.nextBelow(max - min + 1));
}

/** i8[n], uniform on min … max. */
export const randomI8 = (n: number, seed: number, min = -128, max = 127): Int8Array =>
  Int8Array.from(integers(n, seed, min, max));

/** i32[n], uniform on min … max. */
export const randomI32 = (n: number, seed: number, min: number, max: number): Int32Array =>
  Int32Array.from(integers(n, seed, min, max));

/** i8[n] of −1 and 1. */
export const randomSigns = (n: number, seed: number): Int8Array =>
  Int8Array.from(integers(n, seed, 0, 1), (bit) => 2 * bit - 1);

/** i8[n] of −1, 0 and 1. */
export const randomTernary = (n: number, seed: number): Int8Array =>
  Int8Array.from(integers(n, seed, -1, 1));

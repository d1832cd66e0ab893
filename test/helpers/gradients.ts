/**
 * Proving gradients: finite differences, and how alike two gradients are.
 *
 *   df/dx_i ≈ (f(x + h·e_i) − f(x − h·e_i)) / 2h      error h²·f‴/6, and rounding of f over h
 * @module
 */
import type { Tolerance } from './close.ts';

/** h = 1e−5 leaves h²·f‴/6 ≈ 1e−10 and rounding 1e−16/h ≈ 1e−11 of functions of size 1. */
export const DIFFERENCES_F64: Tolerance = {
  name: 'central differences in f64', absolute: 2e-8, relative: 2e-7,
};

/** Central differences of a function of f64[n]; x is not changed. */
export function differences(
  f: (x: Float64Array) => number, x: ArrayLike<number>, h = 1e-5,
): Float64Array {
  const point = Float64Array.from(x);
  return Float64Array.from(x, (value, i) => {
    point[i] = value + h;
    const above = f(point);
    point[i] = value - h;
    const below = f(point);
    point[i] = value;
    return (above - below) / (2 * h);
  });
}

/** Σ a·b: with a fixed random `a`, the scalar whose gradient of b is a. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Cosine of the angle between two gradients; 1 where they agree but for length. */
export const cosine = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

/** Largest |a − b| as a share of the largest |b|. */
export function largestError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let error = 0, size = 0;
  for (let i = 0; i < b.length; i++) {
    error = Math.max(error, Math.abs(a[i] - b[i]));
    size = Math.max(size, Math.abs(b[i]));
  }
  return error / size;
}

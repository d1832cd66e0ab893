/**
 * Twins of the elementary functions: what they should give, by the engine's own `Math`.
 *
 * The kernels' bits differ from these by the errors stated in `test/kernels/math.test.ts`;
 * `Math` itself may differ between engines, which is why only this folder uses it.
 * @module
 */

/** f64 functions, one value at a time. */
export const { exp, log, sin, cos, pow } = Math;

/** e^x in f64 per element: the kernel gives it in f32. */
export const expF32 = (x: Float32Array): Float64Array => Float64Array.from(x, Math.exp);

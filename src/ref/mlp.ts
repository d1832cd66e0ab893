/**
 * Non-linearities and element-wise products, written to be read: the twin of
 * `assembly/kernels/activation-f32.ts`.
 *
 *   relu  max(x, 0)      relu2  max(x, 0)²      silu  x · σ(x)
 *   gelu  x/2 · (1 + tanh u),  u = √(2/π)·(x + 0.044715·x³)
 *
 * Source: Hendrycks & Gimpel 2016 (arXiv 1606.08415); Shazeer 2020 (arXiv 2002.05202); So et al.
 * 2021 (arXiv 2109.08668).
 * @module
 */

type Values = ArrayLike<number>;

const map = (x: Values, f: (x: number) => number): Float64Array => Float64Array.from(x, f);

/** dx = dy · slope(x) */
const chain = (dy: Values, x: Values, slope: (x: number) => number): Float64Array =>
  Float64Array.from(x, (value, i) => dy[i] * slope(value));

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** max(x, 0) */
export const relu = (x: Values): Float64Array => map(x, (v) => Math.max(v, 0));

/** dx = dy where x > 0, else 0: at the corner the slope is taken to be 0. */
export const reluBackward = (dy: Values, x: Values): Float64Array =>
  chain(dy, x, (v) => (v > 0 ? 1 : 0));

/** max(x, 0)² */
export const relu2 = (x: Values): Float64Array => map(x, (v) => Math.max(v, 0) ** 2);

/** dx = dy · 2·max(x, 0) */
export const relu2Backward = (dy: Values, x: Values): Float64Array =>
  chain(dy, x, (v) => 2 * Math.max(v, 0));

/** x · σ(x) */
export const silu = (x: Values): Float64Array => map(x, (v) => v * sigmoid(v));

/** dx = dy · σ·(1 + x·(1 − σ)) */
export const siluBackward = (dy: Values, x: Values): Float64Array =>
  chain(dy, x, (v) => sigmoid(v) * (1 + v * (1 - sigmoid(v))));

const ROOT = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/** x/2 · (1 + tanh u), u = √(2/π)·(x + 0.044715·x³) */
export const gelu = (x: Values): Float64Array =>
  map(x, (v) => (v / 2) * (1 + Math.tanh(ROOT * (v + CUBIC * v ** 3))));

/** dx = dy · ½·((1 + t) + x·(1 − t²)·u′), t = tanh u, u′ = √(2/π)·(1 + 3·0.044715·x²) */
export const geluBackward = (dy: Values, x: Values): Float64Array =>
  chain(dy, x, (v) => {
    const t = Math.tanh(ROOT * (v + CUBIC * v ** 3));
    const slope = ROOT * (1 + 3 * CUBIC * v ** 2);
    return (1 + t + v * (1 - t * t) * slope) / 2;
  });

/**
 * Gradients of h = act(z) · u.
 *
 *   dz = dh · u · act′(z)        du = dh · act(z)
 */
export const gateBackward = (
  act: (z: Values) => Float64Array, actBackward: (dy: Values, z: Values) => Float64Array,
  dh: Values, z: Values, u: Values,
): { dz: Float64Array; du: Float64Array } =>
  ({ dz: actBackward(mul(dh, u), z), du: mul(dh, act(z)) });

/** a · b by element: the gate of SwiGLU and ReLU²-GLU, h = act(z) · u. */
export const mul = (a: Values, b: Values): Float64Array => Float64Array.from(a, (v, i) => v * b[i]);

/** a + b by element. */
export const add = (a: Values, b: Values): Float64Array => Float64Array.from(a, (v, i) => v + b[i]);

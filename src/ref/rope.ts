/**
 * Rotary position embedding, written to be read: the twin of `assembly/kernels/rope-f32.ts`.
 *
 *   (a, b) → (a·cos θ − b·sin θ, a·sin θ + b·cos θ)      θ = position · base^(−2i/D)
 *
 * The pair is (x[i], x[i + D/2]) of one head of D values. Backward is the rotation by −θ.
 * Source: Su et al. 2021, RoFormer (arXiv 2104.09864).
 * @module
 */

/** Cosines, then sines, of `half` angles at each position: f64[positions, 2, half]. */
export function ropeTable(positions: number, half: number, base: number): Float64Array {
  const table = new Float64Array(positions * 2 * half);
  for (let p = 0; p < positions; p++) {
    for (let i = 0; i < half; i++) {
      const angle = p * base ** (-i / half);
      table[p * 2 * half + i] = Math.cos(angle);
      table[p * 2 * half + half + i] = Math.sin(angle);
    }
  }
  return table;
}

/** Rows of `stride` values that begin with `heads` heads of 2 · half. */
export interface RopeShape {
  readonly heads: number;
  readonly half: number;
  /** Distance of two rows, in values; what lies behind the heads is left alone. */
  readonly stride: number;
}

/**
 * A copy of x with every head rotated.
 *
 * @param x f64[positions.length, stride]
 * @param table from `ropeTable`
 * @param positions of each row
 * @param direction 1 forward, −1 backward
 */
export function rope(
  x: ArrayLike<number>, table: ArrayLike<number>, positions: ArrayLike<number>,
  { heads, half, stride }: RopeShape, direction: number,
): Float64Array {
  const y = Float64Array.from(x);
  for (let row = 0; row < positions.length; row++) {
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < half; i++) {
        const at = row * stride + h * 2 * half + i;
        const cos = table[positions[row] * 2 * half + i];
        const sin = table[positions[row] * 2 * half + half + i] * direction;
        const a = x[at], b = x[at + half];
        y[at] = a * cos - b * sin;
        y[at + half] = a * sin + b * cos;
      }
    }
  }
  return y;
}

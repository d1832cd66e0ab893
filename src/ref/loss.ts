/**
 * Softmax and cross-entropy by row, written to be read: the twin of
 * `assembly/kernels/loss-f32.ts`.
 *
 *   p = softmax(z)      loss = −ln p[target]      dz = (p − onehot) · scale
 *
 * The largest logit is subtracted first, so that no exponential overflows; p does not change.
 * @module
 */

/** p = softmax(z) of each row of f64[rows, cols]; −Infinity gives 0. */
export function softmax(z: ArrayLike<number>, rows: number, cols: number): Float64Array {
  const p = new Float64Array(rows * cols);
  for (let at = 0; at < p.length; at += cols) {
    let largest = -Infinity, sum = 0;
    for (let j = at; j < at + cols; j++) largest = Math.max(largest, z[j]);
    for (let j = at; j < at + cols; j++) sum += p[j] = Math.exp(z[j] - largest);
    for (let j = at; j < at + cols; j++) p[j] /= sum;
  }
  return p;
}

/** log Σ_j e^(z_j), without overflow. */
function logSumExp(z: ArrayLike<number>, at: number, cols: number): number {
  let largest = -Infinity, sum = 0;
  for (let j = at; j < at + cols; j++) largest = Math.max(largest, z[j]);
  for (let j = at; j < at + cols; j++) sum += Math.exp(z[j] - largest);
  return largest + Math.log(sum);
}

/**
 * Cross-entropy of each row in nats, and its gradient times `scale`.
 *
 * @param z f64[rows, cols] logits
 * @param targets rows indices; a negative one leaves the row out: loss 0, gradient 0
 * @returns losses f64[rows], dz f64[rows, cols]
 */
export function crossEntropy(
  z: ArrayLike<number>, targets: ArrayLike<number>, rows: number, cols: number, scale: number,
): { losses: Float64Array; dz: Float64Array } {
  const losses = new Float64Array(rows);
  const dz = softmax(z, rows, cols);
  for (let i = 0; i < rows; i++) {
    const at = i * cols, target = targets[i];
    if (target < 0) {
      dz.fill(0, at, at + cols);
      continue;
    }
    losses[i] = logSumExp(z, at, cols) - z[at + target];
    dz[at + target] -= 1;
    for (let j = at; j < at + cols; j++) dz[j] *= scale;
  }
  return { losses, dz };
}

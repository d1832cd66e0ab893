/**
 * Cross-entropy in nats, with the gradient of the logits.
 * @module
 */
import type { Compute, Matrix } from './matrix.ts';

/** Logits that are worth a thread's while. */
const GRAIN = 8192;

/**
 * Loss of each row, and its gradient in place of the logits where `gradScale` is given.
 *
 * @param logits f32[M, V]; overwritten with (softmax − onehot) · gradScale
 * @param targets address of i32[M]; −1 leaves a row out
 * @returns f32[M], a copy
 */
export function crossEntropy(
  { engine, workspace }: Compute, logits: Matrix, targets: number, gradScale?: number,
): Float32Array {
  const mark = workspace.mark();
  const losses = workspace.alloc(logits.rows * 4);
  const gradient = gradScale === undefined ? 0 : logits.ptr;
  const { ptr, rows, cols } = logits;
  engine.split('crossEntropyF32', rows, 1, Math.ceil(GRAIN / cols), (from, to) => {
    const at = from * cols * 4;
    return [
      ptr + at, targets + from * 4, losses + from * 4, gradient && gradient + at, to - from, cols,
      gradScale ?? 0];
  });
  const result = engine.f32(losses, logits.rows).slice();
  workspace.release(mark);
  return result;
}

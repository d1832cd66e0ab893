/**
 * One block of the transformer.
 *
 *   x ← x + attention(norm₁(x))
 *   x ← x + mlp(norm₂(x))
 * @module
 */
import { add } from '../ops/activation.ts';
import type { Matrix } from '../ops/matrix.ts';
import type { Attention } from './attention.ts';
import type { Mlp } from './mlp.ts';
import type { Norm } from './norm.ts';
import type { Pass } from './pass.ts';

export interface BlockParts {
  readonly inputNorm: Norm;
  readonly attention: Attention;
  readonly postAttentionNorm: Norm;
  readonly mlp: Mlp;
}

export class Block {
  readonly parts: BlockParts;

  constructor(parts: BlockParts) {
    this.parts = parts;
  }

  /** The new residual stream; in `x` itself unless backward will need the old one. */
  forward(x: Matrix, pass: Pass): Matrix {
    const { inputNorm, attention, postAttentionNorm, mlp } = this.parts;
    const mark = pass.workspace.mark();
    const into = pass.training ? undefined : x;
    const middle = add(pass, x, attention.forward(inputNorm.forward(x, pass), pass), into);
    const end = add(
      pass, middle, mlp.forward(postAttentionNorm.forward(middle, pass), pass), into);
    if (!pass.training) pass.workspace.release(mark);
    return end;
  }

  /** The gradient of the old residual stream, in `dy` itself. */
  backward(dy: Matrix, pass: Pass): Matrix {
    const { inputNorm, attention, postAttentionNorm, mlp } = this.parts;
    const dMiddle = postAttentionNorm.backward(mlp.backward(dy, pass), pass, dy);
    return inputNorm.backward(attention.backward(dMiddle, pass), pass, dMiddle);
  }
}

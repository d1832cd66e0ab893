/**
 * A linear layer whose packed weights have a scale per block of columns, as the files of 1-bit and ternary
 * models have them. It is run, not trained.
 *
 *   y[n] = Σ_b d[n, b] · Σ_s γ_s/Q · (W̃ · x̃)[n, part s of block b]
 *
 * How the activations are quantized belongs to the model: one scale a token where it was trained so, a scale
 * per block where only its weights are packed.
 * @module
 */
import type { BlockQuantization } from '../ops/block-gemm.ts';
import { blockGemm, quantizeBlocks } from '../ops/block-gemm.ts';
import type { BlockWeights } from '../ops/block-weights.ts';
import type { Matrix } from '../ops/matrix.ts';
import { newMatrix } from '../ops/matrix.ts';
import type { Pass } from './pass.ts';
import type { Projection } from './projection.ts';

/** One matrix of a BlockLinear. */
export interface BlockPart {
  readonly name: string;
  readonly packed: BlockWeights;
  readonly quantization: BlockQuantization;
}

export class BlockLinear implements Projection {
  readonly parts: readonly BlockPart[];

  /** @param parts that share an input, and so its quantization */
  constructor(parts: readonly BlockPart[]) {
    this.parts = parts;
  }

  /** Nothing: packed weights do not change. */
  prepare(): void {}

  forward(x: Matrix, pass: Pass): Matrix[] {
    const weights = this.parts.map(({ packed }) => packed);
    const outs = weights.map(({ rows }) => newMatrix(pass, x.rows, rows));
    const mark = pass.workspace.mark();
    const quantized = quantizeBlocks(pass, x, weights[0], this.parts[0].quantization);
    blockGemm(pass, quantized, weights, outs);
    pass.workspace.release(mark);
    return outs;
  }

  /** @throws {RangeError} Always: these weights are not trained. */
  backward(): Matrix {
    throw new RangeError('backward: weights with a scale per block are not trained');
  }

  /** Nothing: a matrix may be embedding and head, so it belongs to the weights. */
  dispose(): void {}
}

/**
 * Watches the weights of one packed matrix flip while it is trained.
 *
 * A latent weight moves a little at every step; what the network computes with changes only when it
 * crosses its matrix's threshold. A flip is such a change between two steps, counted exactly: words
 * of codes are compared by XOR, one bit (b1) or one pair of bits (t2) a weight.
 * @module
 */
import { checkInteger, show } from '../check.ts';
import { TrainingError } from '../errors.ts';
import type { BitWeights } from '../ops/bit-weights.ts';
import { BITS, rowBytes } from '../quant/layout.ts';
import type { Trainer } from './trainer.ts';

/** Which signs are to be seen. */
export interface WatchOptions {
  /** Name of a packed matrix, such as `model.layers.0.self_attn.q_proj.weight`. */
  readonly tensor: string;
  /** Rows and columns at its upper left that a view shows. Default: all. */
  readonly rows?: number;
  readonly cols?: number;
}

/** The signs of a part of a matrix after a step. */
export interface SignView {
  readonly tensor: string;
  /** Steps done. */
  readonly step: number;
  readonly rows: number;
  readonly cols: number;
  /** i8[rows, cols], row-major: −1, 0 or +1. */
  readonly codes: Int8Array<ArrayBuffer>;
  /** Weights of the whole matrix. */
  readonly weights: number;
  /** Flips in the whole matrix since the watch began, and in the last step alone. */
  readonly flips: number;
  readonly lastFlips: number;
}

export class SignWatch {
  readonly #trainer: Trainer;
  readonly #packed: BitWeights;
  readonly #view: { tensor: string; rows: number; cols: number };
  #before: Int32Array;
  #flips = 0;
  #lastFlips = 0;

  /**
   * @throws {TrainingError} BAD_CONFIG if the model has no packed matrix of that name.
   * @throws {RangeError} If a view of that size is not in it.
   */
  constructor(trainer: Trainer, { tensor, rows, cols }: WatchOptions) {
    const { config, weights } = trainer;
    const spec = weights.specs.find(({ name, role }) => name === tensor && role === 'projection');
    if (!spec || config.weights === 'f32')
      throw new TrainingError('BAD_CONFIG',
        `watch: "tensor" expected a matrix of packed weights, got ${show(tensor)}`,
        { field: 'watch', actual: tensor });
    this.#view = { tensor, rows: rows ?? spec.rows, cols: cols ?? spec.cols };
    checkInteger('watch', 'rows', this.#view.rows, 1, spec.rows);
    checkInteger('watch', 'cols', this.#view.cols, 1, spec.cols);
    this.#trainer = trainer;
    this.#packed = weights.bitPart(tensor).packed;
    this.#before = this.#words();
  }

  /** Counts what the last step flipped. To be called after every step. */
  update(): void {
    const now = this.#words(), { kind } = this.#packed;
    this.#lastFlips = 0;
    for (let i = 0; i < now.length; i++)
      this.#lastFlips += flipsIn(this.#before[i] ^ now[i], kind);
    this.#flips += this.#lastFlips;
    this.#before = now;
  }

  /** What there is to see now. */
  view(): SignView {
    const { kind, rows: allRows, cols: allCols } = this.#packed;
    const { rows, cols } = this.#view, bytes = rowBytes(kind, allCols), width = BITS[kind];
    const packed = new Uint8Array(this.#before.buffer), codes = new Int8Array(rows * cols);
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < cols; c++) {
        const bit = c * width, byte = packed[r * bytes + (bit >> 3)] >> (bit & 7);
        codes[r * cols + c] = kind === 'b1' ? (byte & 1) * 2 - 1 : (byte & 3) - 1;
      }
    return {
      ...this.#view, codes, step: this.#trainer.stepsDone, weights: allRows * allCols,
      flips: this.#flips, lastFlips: this.#lastFlips,
    };
  }

  /** A copy of the matrix's codes as the next step will use them. */
  #words(): Int32Array {
    const { model } = this.#trainer, { kind, rows, cols, codes } = this.#packed;
    model.prepare();
    return model.engine.i32(codes, (rows * rowBytes(kind, cols)) / 4).slice();
  }
}

/** Weights that differ, of the 32 or 16 in a word of differences. */
function flipsIn(difference: number, kind: BitWeights['kind']): number {
  let bits = kind === 'b1' ? difference : (difference | (difference >>> 1)) & 0x55555555;
  let count = 0;
  for (; bits !== 0; bits &= bits - 1) count++;
  return count;
}

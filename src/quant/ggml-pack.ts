/**
 * Packed rows of our files as blocks of GGUF, each with the scale 1: the opposite of `ggml-packed.ts`.
 *
 *   Q1_0    b1, 128 columns     Q2_0    t2, 64 columns     TQ2_0   t2, 256 columns
 *
 * The scale of the matrix does not fit in a half without loss; it goes beside the tensor.
 *
 * Source  ggml `src/ggml-quants.c`.
 * @module
 */
import { GGML_FORMATS } from './ggml-types.ts';

/** Types that rows can be packed as. */
export type PackTarget = 'Q1_0' | 'Q2_0' | 'TQ2_0';

/** The half 1, least significant byte first. */
const ONE = [0x00, 0x3c];

/**
 * Blocks of rows whose columns are a multiple of a block's.
 *
 * @param codes b1 bits or t2 codes of whole rows, one after the other without padding
 * @example
 * packGgml('Q1_0', new Uint8Array(16)); // 00 3c, then sixteen zeros: 128 times −1
 */
export function packGgml(type: PackTarget, codes: Uint8Array): Uint8Array {
  const { bytes: size } = GGML_FORMATS[type], each = size - 2, blocks = codes.length / each;
  const out = new Uint8Array(blocks * size);
  for (let b = 0; b < blocks; b++) {
    const from = b * each, to = b * size;
    if (type === 'TQ2_0') {
      for (const half of [0, 32]) packPlanes(codes, from + half, out, to + half);
      out.set(ONE, to + each);
    } else {
      out.set(ONE, to);
      out.set(codes.subarray(from, from + each), to + 2);
    }
  }
  return out;
}

/** 128 codes in order to four planes of 32 columns, the first in the low bits. */
function packPlanes(codes: Uint8Array, from: number, out: Uint8Array, to: number): void {
  for (let c = 0; c < 128; c++) {
    const code = codes[from + (c >> 2)] >> (2 * (c & 3)) & 3;
    out[to + (c & 31)] |= code << (2 * (c >> 5));
  }
}

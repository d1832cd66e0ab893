/**
 * Packed rows of our files as blocks of GGUF, all with one scale: the opposite of `ggml-packed.ts`.
 *
 *   Q1_0    b1, 128 columns     Q2_0    t2, 64 columns     TQ2_0   t2, 256 columns
 *
 * Source  ggml `src/ggml-quants.c`.
 * @module
 */
import { GGML_FORMATS } from './ggml-types.ts';
import type { BitKind } from './layout.ts';

/** Types that rows can be packed as. */
export type PackTarget = 'Q1_0' | 'Q2_0' | 'TQ2_0';

/** What the rows are, of each. */
export const PACK_KINDS: Readonly<Record<PackTarget, BitKind>> = { Q1_0: 'b1', Q2_0: 't2', TQ2_0: 't2' };

/** The half 1. */
const ONE = 0x3c00;

/**
 * Blocks of rows whose columns are a multiple of a block's.
 *
 * @param codes b1 bits or t2 codes of whole rows, one after the other without padding
 * @param scale f16 bits
 * @example
 * packGgml('Q1_0', new Uint8Array(16)); // 00 3c, then sixteen zeros: 128 times −1
 */
export function packGgml(type: PackTarget, codes: Uint8Array, scale = ONE): Uint8Array {
  const { bytes: size } = GGML_FORMATS[type], each = size - 2, blocks = codes.length / each;
  const out = new Uint8Array(blocks * size), half = [scale & 0xff, scale >> 8];
  for (let b = 0; b < blocks; b++) {
    const from = b * each, to = b * size;
    if (type === 'TQ2_0') {
      for (const part of [0, 32]) packPlanes(codes, from + part, out, to + part);
      out.set(half, to + each);
    } else {
      out.set(half, to);
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

/**
 * Twins of the weight packers: f32 ↔ packed rows, and sums of rows.
 *
 *   b1   bit 1 is +1, bit 0 is −1         t2   code = weight + 1
 *
 * Row-major, least significant bit first, `rowBytes` bytes a row (`src/quant/layout.ts`).
 * Source  Wang et al. 2023 (arXiv 2310.11453); Ma et al. 2024 (arXiv 2402.17764).
 * @module
 */
import { packTernary } from '../quant/absmean.ts';
import type { BitKind } from '../quant/layout.ts';
import { meanAbs } from '../quant/mean-abs.ts';
import { packSigns } from '../quant/sign.ts';

/** f32[2]: mean W and mean |W|. */
export function meanAbsF32(w: Float32Array): Float32Array {
  const stats = meanAbs(w);
  return Float32Array.of(stats.mean, stats.meanAbs);
}

/** b1[rows, cols] ← W > mean. */
export const packB1 = packSigns;

/** t2[rows, cols] ← RoundClip(W · inverse) + 1. */
export const packT2 = packTernary;

/** i8[rows, cols] of −1, 0, +1 from packed rows of `rowBytes` bytes. */
export function unpack(
  kind: BitKind, codes: Uint8Array, rows: number, cols: number, rowBytes: number,
): Int8Array {
  const weights = new Int8Array(rows * cols);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < cols; c++) {
      const row = r * rowBytes;
      weights[r * cols + c] = kind === 'b1'
        ? 2 * ((codes[row + (c >> 3)] >> (c & 7)) & 1) - 1
        : ((codes[row + (c >> 2)] >> ((c & 3) * 2)) & 3) - 1;
    }
  return weights;
}

/** f32[rows, cols] ← scale[row] · weight: what backward sees. */
export function expand(
  kind: BitKind, codes: Uint8Array, scale: Float32Array,
  rows: number, cols: number, rowBytes: number,
): Float32Array {
  const weights = unpack(kind, codes, rows, cols, rowBytes);
  return Float32Array.from(weights, (w, i) => w * scale[Math.floor(i / cols)]);
}

/** i32[rows]: Σ weights of each row. */
export function rowSums(
  kind: BitKind, codes: Uint8Array, rows: number, cols: number, rowBytes: number,
): Int32Array {
  const weights = unpack(kind, codes, rows, cols, rowBytes);
  const sums = new Int32Array(rows);
  weights.forEach((w, i) => { sums[Math.floor(i / cols)] += w; });
  return sums;
}

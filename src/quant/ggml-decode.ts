/**
 * Every element type of GGUF that is read, to f32: for norms, embeddings and heads, and as the oracle of
 * the packed formats.
 *
 *   F16, BF16   the number                     Q8_0   f16 d | i8 q[32]             x = d·q
 *   Q4_0   f16 d | u8 q[16]: low nibbles 16 columns, high nibbles the next 16     x = d·(q − 8)
 *   Q4_K   f16 d | f16 dmin | 12 bytes of 6-bit scales and minima | u8 q[128]     x = d·s·q − dmin·m
 *   Q6_K   u8 low[128] | u8 high[64] | i8 s[16] | f16 d                           x = d·s·(q − 32)
 *   packed formats: see `ggml-packed.ts`                                          x = d·(code − 1), ±d
 *
 * Each value is rounded to f32 once from its exact product, as C's float arithmetic does.
 * Source  ggml `src/ggml-common.h`, `src/ggml-quants.c`.
 * @module
 */
import type { PackedType } from './ggml-packed.ts';
import { isPackedType, packedCodes, packedKind, packedScales } from './ggml-packed.ts';
import type { GgmlType } from './ggml-types.ts';
import { GGML_FORMATS } from './ggml-types.ts';
import { halfToNumber } from './half.ts';

const { fround } = Math;

/** Decodes the block at `from` into `out` at `to`. */
type DecodeBlock = (bytes: Uint8Array, from: number, out: Float32Array, to: number) => void;

const half = (bytes: Uint8Array, at: number): number => halfToNumber(bytes[at] | bytes[at + 1] << 8);
const signed = (byte: number): number => byte << 24 >> 24;

const DECODERS: Readonly<Record<Exclude<GgmlType, PackedType | 'F32' | 'BF16'>, DecodeBlock>> = {
  F16: (bytes, from, out, to) => { out[to] = half(bytes, from); },
  Q8_0: (bytes, from, out, to) => {
    const d = half(bytes, from);
    for (let j = 0; j < 32; j++) out[to + j] = d * signed(bytes[from + 2 + j]);
  },
  Q4_0: (bytes, from, out, to) => {
    const d = half(bytes, from);
    for (let j = 0; j < 16; j++) {
      const q = bytes[from + 2 + j];
      out[to + j] = d * ((q & 15) - 8);
      out[to + 16 + j] = d * ((q >> 4) - 8);
    }
  },
  Q4_K: decodeQ4K,
  Q6_K: decodeQ6K,
};

/** Scale and minimum of sub-block j of Q4_K, 6 bits each, from the 12 bytes at `s`. */
function scaleAndMin(bytes: Uint8Array, s: number, j: number): [number, number] {
  if (j < 4) return [bytes[s + j] & 63, bytes[s + j + 4] & 63];
  return [
    bytes[s + j + 4] & 15 | bytes[s + j - 4] >> 6 << 4, bytes[s + j + 4] >> 4 | bytes[s + j] >> 6 << 4,
  ];
}

function decodeQ4K(bytes: Uint8Array, from: number, out: Float32Array, to: number): void {
  const d = half(bytes, from), dmin = half(bytes, from + 2);
  for (let j = 0; j < 8; j++) {
    const [scale, min] = scaleAndMin(bytes, from + 4, j), shift = 4 * (j & 1);
    const step = fround(d * scale), low = fround(dmin * min), q = from + 16 + 32 * (j >> 1);
    for (let i = 0; i < 32; i++)
      out[to + 32 * j + i] = fround(step * (bytes[q + i] >> shift & 15)) - low;
  }
}

function decodeQ6K(bytes: Uint8Array, from: number, out: Float32Array, to: number): void {
  const d = half(bytes, from + 208);
  for (let j = 0; j < 256; j++) {
    const part = j >> 7, run = j >> 5 & 3, l = j & 31; // 128 columns, 32 of them, one of them
    const low = bytes[from + 64 * part + 32 * (run & 1) + l] >> 4 * (run >> 1) & 15;
    const high = bytes[from + 128 + 32 * part + l] >> 2 * run & 3;
    const scale = signed(bytes[from + 192 + 8 * part + 2 * run + (l >> 4)]);
    out[to + j] = fround(d * scale) * ((low | high << 4) - 32);
  }
}

/**
 * The values of whole blocks.
 *
 * @param bytes u8[n] of a file: whole blocks, without a tail
 * @param scale of the tensor, for I2_S
 * @example
 * decodeGgml('F16', Uint8Array.of(0x00, 0x3c, 0x00, 0xc0)); // Float32Array [1, -2]
 */
export function decodeGgml(type: GgmlType, bytes: Uint8Array, scale = 1): Float32Array {
  if (type === 'F32') return new Float32Array(new Uint8Array(bytes).buffer); // a copy, also of a Buffer
  if (type === 'BF16') return decodeBf16(bytes);
  if (isPackedType(type)) return decodePacked(type, bytes, scale);
  const { elements, bytes: size } = GGML_FORMATS[type], decode = DECODERS[type];
  const blocks = Math.floor(bytes.length / size), out = new Float32Array(blocks * elements);
  for (let b = 0; b < blocks; b++) decode(bytes, b * size, out, b * elements);
  return out;
}

/** The upper half of an f32 each. */
function decodeBf16(bytes: Uint8Array): Float32Array {
  const bits = new Uint32Array(bytes.length >> 1);
  for (let i = 0, at = 0; i < bits.length; i++, at += 2) bits[i] = bytes[at] << 16 | bytes[at + 1] << 24;
  return new Float32Array(bits.buffer);
}

function decodePacked(type: PackedType, bytes: Uint8Array, scale: number): Float32Array {
  const { elements } = GGML_FORMATS[type], codes = packedCodes(type, bytes);
  const scales = packedScales(type, bytes), binary = packedKind(type) === 'b1';
  const out = new Float32Array(codes.length * (binary ? 8 : 4));
  for (let i = 0; i < out.length; i++) {
    const weight = binary ? 2 * (codes[i >> 3] >> (i & 7) & 1) - 1 : (codes[i >> 2] >> 2 * (i & 3) & 3) - 1;
    out[i] = weight * (scales.length ? halfToNumber(scales[Math.floor(i / elements)]) : scale);
  }
  return out;
}

/**
 * The 1-bit and ternary formats of GGUF, from a file's bytes to the rows of codes that the tile kernels
 * read: b1 bits, or t2 codes (weight + 1, two bits each), least significant first.
 *
 *   Q1_0    f16 d | 16 bytes             bit j & 7 of byte j >> 3; 128 columns
 *   Q2_0    f16 d | 16 bytes             codes in order, low bits first; 64 columns. PQ2_0: 32 bytes, 128
 *   TQ2_0   64 bytes | f16 d             byte m of each 32 has columns m, 32 + m, 64 + m, 96 + m, low bits
 *                                        first; 256 columns
 *   I2_S    32 bytes                     the same four columns, high bits first; one f32 scale a tensor
 *   TQ1_0   48 + 4 bytes | f16 d         five trits a byte, the last four bytes four; 256 columns
 *   PTQ1_0  24 + 2 bytes | f16 d         the same with stages of 16, 8 and 2 bytes; 128 columns
 *
 * A byte of five trits t₀ … t₄ is ⌈(81·t₀ + 27·t₁ + 9·t₂ + 3·t₃ + t₄) · 256/243⌉.
 *
 * Source  ggml `src/ggml-quants.c`; bitnet.cpp `src/ggml-bitnet-mad.cpp`; the Prism fork for P….
 * @module
 */
import type { GgmlType } from './ggml-types.ts';
import { GGML_FORMATS } from './ggml-types.ts';
import type { BitKind } from './layout.ts';

/** Types whose weights are packed in one or two bits. */
export type PackedType = 'Q1_0' | 'Q1_0_G32' | 'Q2_0' | 'PQ2_0' | 'TQ1_0' | 'TQ2_0' | 'PTQ1_0' | 'I2_S';

interface Packing {
  readonly kind: BitKind;
  /** Where a block has its f16 scale; undefined where the tensor has one f32. */
  readonly scaleAt?: number;
  /** Writes the codes of the block at `from` to `out` at `to`. */
  readonly unpack: (bytes: Uint8Array, from: number, out: Uint8Array, to: number) => void;
}

/** Codes that lie in a block in order. */
const inOrder = (count: number): Packing['unpack'] => (bytes, from, out, to) => {
  for (let i = 0; i < count; i++) out[to + i] = bytes[from + 2 + i];
};

/** 128 codes of two bits in 32 bytes, four planes of 32 columns; plane l is `first + step · l` bits up. */
function unpackPlanes(
  bytes: Uint8Array, from: number, out: Uint8Array, to: number, first: number, step: number,
): void {
  for (let i = 0; i < 8; i++) {
    const at = from + 4 * i;
    const four = bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24;
    for (let l = 0; l < 4; l++) {
      const codes = four >>> (first + step * l) & 0x03030303;
      out[to + 8 * l + i] = codes | codes >>> 6 | codes >>> 12 | codes >>> 18;
    }
  }
}

/** Sizes of the stages of trits: bytes, and trits in each. */
type Stages = readonly (readonly [bytes: number, trits: number])[];

const unpackTrits = (stages: Stages): Packing['unpack'] => (bytes, from, out, to) => {
  let column = 0;
  for (const [count, trits] of stages) {
    for (let n = 0; n < trits; n++)
      for (let m = 0; m < count; m++, column++) {
        const code = TRITS[bytes[from + m]] >> (2 * n) & 3, place = to + (column >> 2);
        out[place] = column & 3 ? out[place] | code << (2 * (column & 3)) : code;
      }
    from += count;
  }
};

/** The five trits of every byte, two bits each, the first lowest; 3s where no five trits give the byte. */
const TRITS: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) => {
  let codes = 0, sum = 0;
  for (let n = 0, rest = byte; n < 5; n++, rest = (rest * 3) & 255) {
    const trit = (rest * 3) >> 8;
    codes |= trit << (2 * n);
    sum = sum * 3 + trit;
  }
  return Math.floor((sum * 256 + 242) / 243) === byte ? codes : 0x3ff;
});

const PACKINGS: Readonly<Record<PackedType, Packing>> = {
  Q1_0: { kind: 'b1', scaleAt: 0, unpack: inOrder(16) },
  Q1_0_G32: { kind: 'b1', scaleAt: 0, unpack: inOrder(4) },
  Q2_0: { kind: 't2', scaleAt: 0, unpack: inOrder(16) },
  PQ2_0: { kind: 't2', scaleAt: 0, unpack: inOrder(32) },
  TQ2_0: {
    kind: 't2', scaleAt: 64, unpack: (bytes, from, out, to) => {
      unpackPlanes(bytes, from, out, to, 0, 2);
      unpackPlanes(bytes, from + 32, out, to + 32, 0, 2);
    },
  },
  I2_S: { kind: 't2', unpack: (bytes, from, out, to) => unpackPlanes(bytes, from, out, to, 6, -2) },
  TQ1_0: { kind: 't2', scaleAt: 52, unpack: unpackTrits([[32, 5], [16, 5], [4, 4]]) },
  PTQ1_0: { kind: 't2', scaleAt: 26, unpack: unpackTrits([[16, 5], [8, 5], [2, 4]]) },
};

/** Whether a type is packed in one or two bits. */
export const isPackedType = (type: GgmlType): type is PackedType => Object.hasOwn(PACKINGS, type);

/** The kind of a packed type's weights. */
export const packedKind = (type: PackedType): BitKind => PACKINGS[type].kind;

/**
 * Codes of whole blocks, in order.
 *
 * @param bytes u8[n] of a file: whole blocks, without a tail
 * @returns b1 bits or t2 codes, without padding; a code 3 where the file has one, or has a byte that no
 *   trits give
 */
export function packedCodes(type: PackedType, bytes: Uint8Array): Uint8Array {
  const { elements, bytes: size } = GGML_FORMATS[type], { kind, unpack } = PACKINGS[type];
  const blocks = Math.floor(bytes.length / size), each = kind === 'b1' ? elements / 8 : elements / 4;
  const out = new Uint8Array(blocks * each);
  for (let b = 0; b < blocks; b++) unpack(bytes, b * size, out, b * each);
  return out;
}

/** f16 bits of the scale of each block. A type with one scale a tensor has none. */
export function packedScales(type: PackedType, bytes: Uint8Array): Uint16Array {
  const { bytes: size } = GGML_FORMATS[type], { scaleAt } = PACKINGS[type];
  if (scaleAt === undefined) return new Uint16Array(0);
  const scales = new Uint16Array(Math.floor(bytes.length / size));
  for (let b = 0, at = scaleAt; b < scales.length; b++, at += size)
    scales[b] = bytes[at] | bytes[at + 1] << 8;
  return scales;
}

/** How the codes of a type lie in its blocks, where a kernel unpacks them. */
export type CodeOrder =
  | { readonly order: 'rows'; readonly from: number; readonly bytes: number }
  | { readonly order: 'planes'; readonly groups: number; readonly first: number; readonly step: number };

const ORDERS: Readonly<Partial<Record<PackedType, CodeOrder>>> = {
  Q1_0: { order: 'rows', from: 2, bytes: 16 }, Q2_0: { order: 'rows', from: 2, bytes: 16 },
  PQ2_0: { order: 'rows', from: 2, bytes: 32 },
  TQ2_0: { order: 'planes', groups: 2, first: 0, step: 2 },
  I2_S: { order: 'planes', groups: 1, first: 6, step: -2 },
};

/** The order of a type's codes; undefined where only `packedCodes` unpacks them. */
export const codeOrder = (type: PackedType): CodeOrder | undefined => ORDERS[type];

/** Index of the first byte with a code 3, which stands for no weight; −1 if there is none. */
export function invalidCode(kind: BitKind, codes: Uint8Array): number {
  if (kind === 'b1') return -1;
  for (let i = 0; i < codes.length; i++) if (codes[i] & (codes[i] >> 1) & 0x55) return i;
  return -1;
}

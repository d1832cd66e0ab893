/**
 * Element types of GGUF tensors: numbers, names, sizes, and which of the colliding ones a tensor has.
 *
 * Forks of ggml gave the same number to different layouts. What a file means shows in the bytes that
 * it allots to a tensor, the distance to the next one:
 *
 *   36   I2_S: elements/4 + 32 bytes                  (removed from ggml: IQ4_NL_4_4)
 *   38   TL1 of bitnet.cpp                            (removed from ggml: IQ4_NL_8_8)
 *   39   MXFP4 17 bytes for 32 elements               TL2 of bitnet.cpp
 *   40   NVFP4 36 bytes for 64 elements               Q1_0 of early Prism files: 6 bytes for 32
 *   42   Q2_0  18 bytes for 64 elements               Q2_0 of early Prism files: 34 for 128, = PQ2_0
 *
 * Source  ggml `include/ggml.h`, `src/ggml-common.h`; bitnet.cpp `include/ggml-bitnet.h`; the Prism fork.
 * @module
 */

/** Element types that are read, by the name that ggml gives them. */
export type GgmlType =
  | 'F32' | 'F16' | 'BF16' | 'Q8_0' | 'Q4_0' | 'Q4_K' | 'Q6_K' | 'TQ1_0' | 'TQ2_0' | 'I2_S'
  | 'Q1_0' | 'Q1_0_G32' | 'Q2_0' | 'PQ2_0' | 'PTQ1_0';

/** Elements of a block, its bytes, and bytes that follow the last one. */
export interface BlockFormat {
  readonly elements: number;
  readonly bytes: number;
  /** Bytes behind the blocks of a tensor. */
  readonly tail: number;
}

const format = (elements: number, bytes: number, tail = 0): BlockFormat => ({ elements, bytes, tail });

/** The layout of each type. */
export const GGML_FORMATS: Readonly<Record<GgmlType, BlockFormat>> = {
  F32: format(1, 4), F16: format(1, 2), BF16: format(1, 2), Q8_0: format(32, 34), Q4_0: format(32, 18),
  Q4_K: format(256, 144), Q6_K: format(256, 210), TQ1_0: format(256, 54), TQ2_0: format(256, 66),
  // One scale for the tensor follows, an f32 in 32 bytes.
  I2_S: format(128, 32, 32),
  Q1_0: format(128, 18), Q1_0_G32: format(32, 6), Q2_0: format(64, 18), PQ2_0: format(128, 34),
  PTQ1_0: format(128, 28),
};

/** Types that a number may stand for, likeliest first. */
const CANDIDATES: ReadonlyMap<number, readonly GgmlType[]> = new Map([
  [0, ['F32']], [1, ['F16']], [2, ['Q4_0']], [8, ['Q8_0']], [12, ['Q4_K']], [14, ['Q6_K']],
  [30, ['BF16']], [34, ['TQ1_0']], [35, ['TQ2_0']], [36, ['I2_S']], [40, ['Q1_0_G32']],
  [41, ['Q1_0']], [42, ['Q2_0', 'PQ2_0']], [142, ['PQ2_0']], [143, ['PTQ1_0']],
] satisfies [number, GgmlType[]][]);

/** Names of the numbers that are not read, for the refusal. */
const REFUSED: ReadonlyMap<number, string> = new Map([
  [3, 'Q4_1'], [4, 'Q4_2, removed from ggml'], [5, 'Q4_3, removed from ggml'], [6, 'Q5_0'], [7, 'Q5_1'],
  [9, 'Q8_1'], [10, 'Q2_K'], [11, 'Q3_K'], [13, 'Q5_K'], [15, 'Q8_K'], [16, 'IQ2_XXS'], [17, 'IQ2_XS'],
  [18, 'IQ3_XXS'], [19, 'IQ1_S'], [20, 'IQ4_NL'], [21, 'IQ3_S'], [22, 'IQ2_S'], [23, 'IQ4_XS'],
  [24, 'I8'], [25, 'I16'], [26, 'I32'], [27, 'I64'], [28, 'F64'], [29, 'IQ1_M'],
  [31, 'Q4_0_4_4, removed from ggml'], [32, 'Q4_0_4_8, removed from ggml'],
  [33, 'Q4_0_8_8, removed from ggml'], [36, 'IQ4_NL_4_4, removed from ggml'], [37, 'I8_S'],
  [38, 'TL1, whose layout depends on the build that wrote it; convert the model to I2_S or TQ2_0'],
  [39, 'MXFP4, or TL2, whose layout depends on the build that wrote it'], [40, 'NVFP4'],
]);

/** What the number is called where it is not read. */
export const refusedName = (id: number): string => REFUSED.get(id) ?? 'unknown to ggml';

/** The number that is written for a type. */
export function ggmlId(type: GgmlType): number {
  for (const [id, types] of CANDIDATES) if (types[0] === type) return id;
  throw new RangeError(`ggmlId: ${type} is not written`);
}

/** Types that the number may stand for: none if it is not read. */
export const ggmlCandidates = (id: number): readonly GgmlType[] => CANDIDATES.get(id) ?? [];

/** Bytes of `elements` elements, whole blocks; NaN if they are none. */
export function ggmlBytes(type: GgmlType, elements: number): number {
  const { elements: each, bytes, tail } = GGML_FORMATS[type];
  return elements % each === 0 ? (elements / each) * bytes + tail : NaN;
}

/** Whether the colliding number means a type that cannot be read, by the bytes allotted. */
export const isNvfp4 = (id: number, elements: number, allotted: number): boolean =>
  id === 40 && elements % 64 === 0 && allotted >= (elements / 64) * 36;

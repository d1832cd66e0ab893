/**
 * A model between two kinds of files: its configuration, its tokenizer, and its tensors one by one, in forms
 * that each kind can be written from.
 * @module
 */
import { ModelFileError } from '../errors.ts';
import type { BitNetConfig } from '../model/config.ts';
import type { TensorSpec } from '../model/tensors.ts';
import { decodeGgml } from '../quant/ggml-decode.ts';
import { numberToHalf } from '../quant/half.ts';
import type { BitKind } from '../quant/layout.ts';
import { checkFinite } from './gguf-tensors.ts';

/** Element types of floats in files. */
export type FloatType = 'F32' | 'F16' | 'BF16';

/** Floats [rows, cols], as a file has them. */
export interface FloatPart {
  readonly type: FloatType;
  readonly data: Uint8Array;
}

/** Packed weights with one scale. */
export interface BitPart {
  readonly type: BitKind;
  /** u8[rows, ⌈cols · bits/8⌉] in the "rows" layout. */
  readonly codes: Uint8Array;
  readonly scale: number;
}

/** The kinds of files that a model can be in. */
export type ModelFormat = 'onebit' | 'gguf' | 'huggingface';

export interface ModelParts {
  readonly format: ModelFormat;
  readonly name: string;
  readonly config: BitNetConfig;
  /** JSON of the tokenizer: ours, or a `tokenizer.json`. */
  readonly tokenizer: string;
  readonly chatTemplate?: string;
  /** Ids that end a text. */
  readonly endTokens: readonly number[];
  /** What `read` will give. */
  typeOf(spec: TensorSpec): FloatType | BitKind;
  /** Reads a tensor. @throws {ModelFileError} If no other file can have it; see `convertModel`. */
  read(spec: TensorSpec): Promise<FloatPart | BitPart>;
  close(): Promise<void>;
}

/** Bytes of a value of each type. */
export const FLOAT_BYTES: Readonly<Record<FloatType, number>> = { F32: 4, F16: 2, BF16: 2 };

/** Whether a part is packed. */
export const isBits = (part: FloatPart | BitPart): part is BitPart =>
  part.type === 'b1' || part.type === 't2';

/**
 * Floats as another type: to F16 the nearest, to F32 the same.
 *
 * @throws {ModelFileError} NON_FINITE_WEIGHT, also if a value is too large for a half
 */
export function floatsAs({ type, data }: FloatPart, to: 'F32' | 'F16', tensor: string): Uint8Array {
  const values = checkFinite(decodeGgml(type, data), tensor);
  if (type === to) return data;
  if (to === 'F32') return new Uint8Array(values.buffer);
  const halves = Uint16Array.from(values, numberToHalf);
  const over = halves.findIndex((half) => (half & 0x7fff) === 0x7c00);
  if (over >= 0)
    throw new ModelFileError('NON_FINITE_WEIGHT', `${tensor} has ${values[over]}, which is too large for f16`,
      { field: tensor, offset: over, actual: values[over] });
  return new Uint8Array(halves.buffer);
}

/** The refusal of what a kind of file has no place for. */
export function unwritable(field: string, reason: string, actual?: unknown): never {
  throw new ModelFileError('UNSUPPORTED', `${field}: ${reason}`, { field, actual });
}

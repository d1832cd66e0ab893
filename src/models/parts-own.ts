/**
 * The parts of one of our own files.
 * @module
 */
import { ModelFileError } from '../errors.ts';
import type { ByteSource } from '../io/byte-source.ts';
import { readExactly } from '../io/byte-source.ts';
import type { BitNetConfig } from '../model/config.ts';
import { isTable, tableKind } from '../model/file-tables.ts';
import type { ModelHeader } from '../model/file.ts';
import { readModelHeader } from '../model/file.ts';
import { floatsOf } from '../model/floats.ts';
import type { TensorSpec } from '../model/tensors.ts';
import { invalidCode } from '../quant/ggml-packed.ts';
import type { BitPart, FloatPart, ModelParts } from './parts.ts';
import { unwritable } from './parts.ts';

/** What else a file of ours may say: of models that came from elsewhere. */
export const TEMPLATE_FIELD = 'chatTemplate', END_FIELD = 'endTokens';

/**
 * @param bytes the whole file
 * @throws {ModelFileError} As `readModelHeader`.
 */
export function partsOfOwn(bytes: Uint8Array, name: string): ModelParts {
  const header = readModelHeader(bytes, name), { config, tokenizer, file } = header;
  return {
    format: 'onebit', name, config, tokenizer, ...extrasOf(header),
    typeOf: (spec) => isPacked(spec, config) ? config.weights as 'b1' | 't2'
      : isTable(spec) && tableKind(file.tensors, spec) === 'f16' ? 'F16' : 'F32',
    read: async (spec) => readPart(header, spec, name),
    close: async () => undefined,
  };
}

/** The chat template and the ids that end a text. */
export function extrasOf({ file }: ModelHeader): Pick<ModelParts, 'chatTemplate' | 'endTokens'> {
  const ends = (file.metadata.get(END_FIELD) ?? '').split(',').filter((id) => /^\d+$/.test(id)).map(Number);
  return { chatTemplate: file.metadata.get(TEMPLATE_FIELD), endTokens: ends };
}

const isPacked = ({ role }: TensorSpec, config: BitNetConfig): boolean =>
  role === 'projection' && config.weights !== 'f32';

function readPart({ config, file }: ModelHeader, spec: TensorSpec, name: string): FloatPart | BitPart {
  const { data } = file.tensors.get(spec.name)!;
  if (isPacked(spec, config)) {
    const scales = floatsOf(file, `${spec.name}_scale`, name);
    if (scales.length > 1) return unwritable('quantizationGroups', 'other files have one scale a matrix');
    const type = config.weights as 'b1' | 't2';
    if (invalidCode(type, data) >= 0)
      throw new ModelFileError('INVALID_CODE', `${spec.name} has a code 3, which is no weight`,
        { file: name, field: spec.name, expected: 'codes 0, 1 or 2', actual: 3 });
    return { type, codes: data, scale: scales[0] };
  }
  const kind = isTable(spec) ? tableKind(file.tensors, spec) : 'f32';
  if (kind !== 'i8') return { type: kind === 'f16' ? 'F16' : 'F32', data };
  const codes = new Int8Array(data.buffer, data.byteOffset, data.length);
  const scales = floatsOf(file, `${spec.name}_scale`, name);
  const values = Float32Array.from(codes, (code, i) => code * scales[Math.floor(i / spec.cols)]);
  return { type: 'F32', data: new Uint8Array(values.buffer) };
}

/** Whether a file begins as safetensors do: the length of a header, and the header. */
export async function isSafetensors(bytes: ByteSource): Promise<boolean> {
  if (bytes.size < 9) return false;
  const first = await readExactly(bytes, 0, 9), view = new DataView(first.buffer, first.byteOffset);
  return first[8] === 0x7b && view.getBigUint64(0, true) < BigInt(bytes.size);
}

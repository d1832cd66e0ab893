/**
 * The parts of a GGUF file.
 * @module
 */
import { tokenizerFromGguf } from '../chat/gguf-tokenizer.ts';
import { TOKENIZER_KEY } from '../chat/own-tokenizer.ts';
import { ModelFileError } from '../errors.ts';
import type { OpenedSource } from '../hub/open.ts';
import { readExactly } from '../io/byte-source.ts';
import { readGguf } from '../io/gguf.ts';
import type { BitNetConfig } from '../model/config.ts';
import { exactCodes } from '../quant/exact-codes.ts';
import { decodeGgml } from '../quant/ggml-decode.ts';
import type { PackedType } from '../quant/ggml-packed.ts';
import { invalidCode, isPackedType, packedCodes, packedKind, packedScales } from '../quant/ggml-packed.ts';
import type { GgmlType } from '../quant/ggml-types.ts';
import { GGML_FORMATS } from '../quant/ggml-types.ts';
import { halfToNumber } from '../quant/half.ts';
import type { BitKind } from '../quant/layout.ts';
import type { PlannedTensor } from './gguf-plan.ts';
import { planGguf } from './gguf-plan.ts';
import { bytesOfRow, inHalves } from './gguf-rows.ts';
import { notExact } from './gguf-tensors.ts';
import type { BitPart, FloatPart, FloatType, ModelParts } from './parts.ts';
import { unwritable } from './parts.ts';

/**
 * @param opened closed with the parts
 * @throws {ModelFileError} As `readGguf` and `planGguf`; UNSUPPORTED if projections differ in kind
 */
export async function partsOfGguf(opened: OpenedSource, name: string): Promise<ModelParts> {
  const plan = planGguf(await readGguf(opened.bytes, name), {}, name), { metadata } = plan.file;
  const planned = new Map(plan.tensors.map((tensor) => [tensor.spec.name, tensor]));
  const own = metadata.get(TOKENIZER_KEY), rows = plan.config.vocabSize;
  const tokenizer = typeof own === 'string' ? undefined : tokenizerFromGguf(metadata, { rows });
  const config: BitNetConfig = {
    // An f32 of the file is as exact as seven digits.
    ...plan.config, normEps: Number(plan.config.normEps.toPrecision(7)),
  };
  if (plan.ropeFactors)
    unwritable(plan.ropeFactors.name, 'divides rotary frequencies, for which other files have no place');
  for (const { spec, tensor } of plan.tensors) checkUniform(config, spec.role, tensor);
  return {
    format: 'gguf', name, config, tokenizer: tokenizer?.toJson() ?? own as string,
    chatTemplate: plan.chatTemplate, endTokens: tokenizer?.endTokens ?? [],
    typeOf: (spec) => spec.role === 'projection' && config.weights !== 'f32' ? config.weights
      : floatType(planned.get(spec.name)!.tensor.type),
    read: (spec) => readPart(opened, planned.get(spec.name)!, config, name),
    close: () => opened.close(),
  };
}

const floatType = (type: GgmlType): FloatType => (type === 'F16' || type === 'BF16' ? type : 'F32');

/** Other files have one kind of weights. */
function checkUniform(
  { weights }: BitNetConfig, role: string, { name, type }: { name: string; type: GgmlType },
): void {
  if (role === 'projection' && isPackedType(type) && packedKind(type) !== weights)
    unwritable(name, `is ${type}, where other projections are ${weights}`, type);
}

async function readPart(
  { bytes: source }: OpenedSource, { spec, tensor, reorder, scale }: PlannedTensor, config: BitNetConfig,
  file: string,
): Promise<FloatPart | BitPart> {
  const { rows, cols, role } = spec, { type, offset } = tensor, length = bytesOfRow(tensor) * rows;
  const all = await readExactly(source, offset, offset + tensor.bytes, file);
  const inFile = all.subarray(0, length);
  const data = reorder ? inHalves(inFile, length / rows, rows, reorder) : inFile;
  const factor = scale ? await floatAt(source, scale.offset) : 1;
  if (isPackedType(type) && role === 'projection') {
    const codes = packedCodes(type, data);
    if (invalidCode(packedKind(type), codes) >= 0)
      throw new ModelFileError('INVALID_CODE', `${tensor.name} has a code 3, which is no weight`,
        { file, field: tensor.name });
    const one = type === 'I2_S' ? new DataView(all.buffer, all.byteOffset).getFloat32(length, true)
      : oneScale(type, data, tensor.name);
    return { type: packedKind(type), codes, scale: Math.fround(one * factor) };
  }
  const raw = type === 'F32' || type === 'F16' || type === 'BF16' ? data
    : new Uint8Array(decodeGgml(type, data).buffer);
  if (factor !== 1 && (role !== 'projection' || config.weights === 'f32'))
    unwritable(scale!.name, 'is beside floats, for which other files have no place', factor);
  if (role !== 'projection' || config.weights === 'f32') return { type: floatType(type), data: raw };
  const kind = config.weights as BitKind, values = decodeGgml(floatType(type), raw);
  const found = exactCodes(kind, values, rows, cols) ?? notExact(tensor.name, kind, file);
  return { type: kind, codes: found.codes, scale: Math.fround(found.scale * factor) };
}

/** The scale of all blocks. */
function oneScale(type: PackedType, data: Uint8Array, name: string): number {
  const scales = packedScales(type, data);
  if (scales.some((bits) => bits !== scales[0]))
    unwritable(name, `blocks of ${GGML_FORMATS[type].elements} columns have scales of their own; other files `
      + 'have one a matrix', type);
  return halfToNumber(scales[0]);
}

async function floatAt(source: OpenedSource['bytes'], at: number): Promise<number> {
  const bytes = await readExactly(source, at, at + 4);
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true);
}

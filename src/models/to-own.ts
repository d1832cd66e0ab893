/**
 * A model as one of our own files.
 * @module
 */
import type { NamedTensor } from '../io/safetensors.ts';
import { encodeSafetensors } from '../io/safetensors.ts';
import type { TensorSpec } from '../model/tensors.ts';
import { tensorSpecs } from '../model/tensors.ts';
import { fileRowBytes } from '../quant/layout.ts';
import type { ModelParts } from './parts.ts';
import { floatsAs, isBits } from './parts.ts';
import { END_FIELD, TEMPLATE_FIELD } from './parts-own.ts';

export interface OwnOptions {
  /** Element type of embedding and head. Default f32 where they are that, else f16. */
  readonly embeddings?: 'f16' | 'f32';
}

/** @throws {ModelFileError} NON_FINITE_WEIGHT, INVALID_CODE */
export async function writeOwn(parts: ModelParts, options: OwnOptions): Promise<Uint8Array> {
  const { config, tokenizer, chatTemplate, endTokens } = parts, tensors: NamedTensor[] = [];
  for (const spec of tensorSpecs(config)) tensors.push(...await tensorsOf(parts, spec, options));
  const metadata = {
    format: 'onebit', version: '1', config: JSON.stringify(config), tokenizer,
    ...(chatTemplate === undefined ? {} : { [TEMPLATE_FIELD]: chatTemplate }),
    ...(endTokens.length === 0 ? {} : { [END_FIELD]: endTokens.join() }),
  };
  return encodeSafetensors(tensors, metadata, { checksum: true });
}

async function tensorsOf(
  parts: ModelParts, spec: TensorSpec, { embeddings }: OwnOptions,
): Promise<NamedTensor[]> {
  const { name, rows, cols, role } = spec, part = await parts.read(spec);
  if (isBits(part)) {
    const scale = new Uint8Array(Float32Array.of(part.scale).buffer);
    return [
      { name, dtype: 'U8', shape: [rows, fileRowBytes(part.type, cols)], data: part.codes },
      { name: `${name}_scale`, dtype: 'F32', shape: [1], data: scale },
    ];
  }
  const isTable = role === 'embedding' || role === 'head';
  const dtype = isTable && (embeddings ?? (part.type === 'F32' ? 'f32' : 'f16')) === 'f16' ? 'F16' : 'F32';
  return [{ name, dtype, shape: role === 'norm' ? [cols] : [rows, cols], data: floatsAs(part, dtype, name) }];
}

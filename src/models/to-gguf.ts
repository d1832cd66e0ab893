/**
 * A model as a GGUF file.
 *
 *   bitnet          sub-norms and SiLU: the architecture that llama.cpp runs
 *   bitnet-b1.58    sub-norms and ReLU²: that of bitnet.cpp
 *   qwen3, llama    no sub-norms, with norms of query and key or without
 *
 * With sub-norms the scale of a matrix is a tensor beside it, `….scale`, as f32: nothing is lost. Elsewhere
 * blocks have it as f16. Where columns are no multiple of a block's, weights are written out as F16, ±1 and 0
 * exactly, and `onebit.weights` says what they are.
 *
 * Source  ggml `docs/gguf.md`; llama.cpp `src/llama-arch.cpp`, `src/models/bitnet.cpp`.
 * @module
 */
import { ggufTokenizer } from '../chat/own-tokenizer.ts';
import type { ChunkedFile } from '../io/chunks.ts';
import type { GgufEntry, GgufField } from '../io/gguf-writer.ts';
import { ggufFile } from '../io/gguf-writer.ts';
import type { BitNetConfig } from '../model/config.ts';
import type { TensorSpec } from '../model/tensors.ts';
import { headDim, tensorSpecs } from '../model/tensors.ts';
import { ternaryOfSigns, writtenOut } from '../quant/exact-codes.ts';
import type { PackTarget } from '../quant/ggml-pack.ts';
import { PACK_KINDS, packGgml } from '../quant/ggml-pack.ts';
import type { GgmlType } from '../quant/ggml-types.ts';
import { GGML_FORMATS } from '../quant/ggml-types.ts';
import { numberToHalf } from '../quant/half.ts';
import type { BitKind } from '../quant/layout.ts';
import { fileRowBytes } from '../quant/layout.ts';
import { ggufName } from './gguf-names.ts';
import { WEIGHTS_KEY } from './gguf-plan.ts';
import type { BitPart, FloatPart, ModelParts } from './parts.ts';
import { FLOAT_BYTES, floatsAs, isBits, unwritable } from './parts.ts';
import { checkWritable } from './writable.ts';

/** Element types that projections can be written as. */
export type ProjectionType = 'q1_0' | 'q2_0' | 'tq2_0' | 'f16' | 'f32';

export const PROJECTION_TYPES: readonly ProjectionType[] = ['q1_0', 'q2_0', 'tq2_0', 'f16', 'f32'];

export interface GgufOptions {
  /** Default: the smallest that loses nothing, tensor by tensor. */
  readonly type?: ProjectionType;
  /** Element type of embedding and head. Default: as they are. */
  readonly embeddings?: 'f16' | 'f32';
}

/**
 * @throws {ModelFileError} UNSUPPORTED naming the field of the configuration, or the tensor
 * @throws {TokenizerError} UNSUPPORTED
 */
export function writeGguf(
  parts: ModelParts, options: GgufOptions,
): { readonly file: ChunkedFile; readonly notices: readonly string[] } {
  const { config } = parts, architecture = architectureFor(config), beside = config.subNorms;
  checkWritable(config, 'GGUF');
  const readPart = keepingLast(parts);
  const tensors = tensorSpecs(config).flatMap((spec): GgufEntry[] => {
    const type = typeFor(spec, parts, options);
    const shape = spec.role === 'norm' ? [spec.cols] : [spec.rows, spec.cols];
    const name = ggufName(spec.name), bits = isBitType(parts.typeOf(spec));
    const reorder = architecture === 'llama' && /\.(q|k)_proj\./.test(spec.name) ? headDim(config) : 0;
    const read = async (): Promise<Uint8Array> => {
      const part = inPairs(await readPart(spec), spec, reorder);
      return isBits(part) ? encodeBits(part, spec, type, beside) : encodeFloats(part, type, spec.name);
    };
    const entry: GgufEntry = { name, type, shape, read };
    if (!bits || !beside) return [entry];
    const scale = async (): Promise<Uint8Array> =>
      new Uint8Array(Float32Array.of((await readPart(spec) as BitPart).scale).buffer);
    return [entry, { name: name.replace(/weight$/, 'scale'), type: 'F32', shape: [1], read: scale }];
  });
  const metadata = {
    ...configFields(config, architecture), ...ggufTokenizer(parts.tokenizer),
    ...(config.weights === 'f32' ? {}
      : { [WEIGHTS_KEY]: { type: 'string', value: config.weights } as const }),
    ...(parts.chatTemplate === undefined ? {}
      : { 'tokenizer.chat_template': { type: 'string', value: parts.chatTemplate } as const }),
  };
  return { file: ggufFile(metadata, tensors), notices: noticesOf(config, architecture) };
}

/** Reads tensors; the last is kept, as its scale is asked for next. */
function keepingLast(parts: ModelParts): ModelParts['read'] {
  let last: { readonly name: string; readonly part: Promise<FloatPart | BitPart> } | undefined;
  return (spec) => {
    if (last?.name !== spec.name) last = { name: spec.name, part: parts.read(spec) };
    return last.part;
  };
}

const isBitType = (type: string): type is BitKind => type === 'b1' || type === 't2';

function architectureFor({ subNorms, hiddenAct, queryKeyNorms }: BitNetConfig): string {
  if (subNorms && queryKeyNorms)
    return unwritable('queryKeyNorms', 'no architecture of GGUF has them beside sub-norms', true);
  if (subNorms) return hiddenAct === 'relu2' ? 'bitnet-b1.58' : 'bitnet';
  if (hiddenAct !== 'silu')
    return unwritable('hiddenAct', 'without sub-norms GGUF has silu alone', hiddenAct);
  return queryKeyNorms ? 'qwen3' : 'llama';
}

/** What other programs do with the file. */
function noticesOf({ tieWordEmbeddings, weights }: BitNetConfig, architecture: string): string[] {
  return [
    ...(architecture === 'bitnet' && !tieWordEmbeddings
      ? ['llama.cpp refuses this architecture with a head of its own; with tied embeddings it runs']
      : []),
    ...(architecture === 'bitnet-b1.58'
      ? ['bitnet.cpp and onebit know this architecture, llama.cpp does not'] : []),
    ...(weights !== 'f32' && !architecture.startsWith('bitnet')
      ? ['scales are rounded to f16, of which blocks have one each'] : []),
  ];
}

function typeFor(spec: TensorSpec, parts: ModelParts, { type, embeddings }: GgufOptions): GgmlType {
  const own = parts.typeOf(spec), wanted = type?.toUpperCase() as Uppercase<ProjectionType> | undefined;
  if (spec.role === 'norm') return 'F32';
  if (spec.role !== 'projection')
    return embeddings === 'f16' ? 'F16' : embeddings === 'f32' || isBitType(own) ? 'F32' : own;
  if (wanted === 'F16' || wanted === 'F32') return wanted;
  if (!isBitType(own))
    return wanted === undefined ? own
      : unwritable(spec.name, `is floats, which ${wanted} would change; train or quantize them first`, own);
  const target = wanted ?? (own === 'b1' ? 'Q1_0' : 'TQ2_0'), { elements } = GGML_FORMATS[target];
  if (wanted === 'Q1_0' && own === 't2') unwritable(spec.name, 'has three values, Q1_0 has two', own);
  if (spec.cols % elements === 0) return target;
  return wanted === undefined ? 'F16' : unwritable(spec.name,
    `has ${spec.cols} columns, no multiple of the ${elements} of ${target}; without a type it is F16`);
}

/** Rows of the heads of query and key in the order of neighbour pairs: row i + h · size/2 goes to 2i + h. */
function inPairs(
  part: FloatPart | BitPart, { rows, cols }: TensorSpec, size: number,
): FloatPart | BitPart {
  if (size === 0) return part;
  const bytes = isBits(part) ? fileRowBytes(part.type, cols) : cols * FLOAT_BYTES[part.type];
  const from = isBits(part) ? part.codes : part.data, out = new Uint8Array(from.length);
  for (let row = 0; row < rows; row++) {
    const i = row % size, to = row - i + (i < size / 2 ? 2 * i : 2 * i - size + 1);
    out.set(from.subarray(row * bytes, (row + 1) * bytes), to * bytes);
  }
  return isBits(part) ? { ...part, codes: out } : { ...part, data: out };
}

/** @param beside the scale is beside the tensor, not in it */
function encodeBits(
  { type: kind, codes, scale }: BitPart, { rows, cols, name }: TensorSpec, type: GgmlType, beside: boolean,
): Uint8Array {
  const one = beside ? 1 : scale;
  if (type === 'F32' || type === 'F16') {
    const values = writtenOut(kind, { codes, scale: one }, rows, cols);
    return floatsAs({ type: 'F32', data: new Uint8Array(values.buffer) }, type, name);
  }
  const target = type as PackTarget;
  const rowCodes = PACK_KINDS[target] === kind ? codes : ternaryOfSigns(codes, rows, cols);
  return packGgml(target, rowCodes, numberToHalf(one));
}

const encodeFloats = (part: FloatPart, type: GgmlType, name: string): Uint8Array =>
  type === 'BF16' ? part.data : floatsAs(part, type as 'F32' | 'F16', name);

function configFields(c: BitNetConfig, architecture: string): Record<string, GgufField> {
  const u32 = (value: number): GgufField => ({ type: 'u32', value });
  const f32 = (value: number): GgufField => ({ type: 'f32', value });
  const text = (value: string): GgufField => ({ type: 'string', value });
  const fields: Record<string, GgufField> = {
    'context_length': u32(c.maxPositionEmbeddings), 'embedding_length': u32(c.hiddenSize),
    'block_count': u32(c.numHiddenLayers), 'feed_forward_length': u32(c.intermediateSize),
    'attention.head_count': u32(c.numAttentionHeads), 'attention.head_count_kv': u32(c.numKeyValueHeads),
    'attention.key_length': u32(headDim(c)), 'attention.value_length': u32(headDim(c)),
    'attention.layer_norm_rms_epsilon': f32(c.normEps), 'rope.dimension_count': u32(headDim(c)),
    'rope.freq_base': f32(c.ropeTheta), 'vocab_size': u32(c.vocabSize),
    ...(c.ropeScaling === undefined ? {} : {
      'rope.scaling.type': text('yarn'), 'rope.scaling.factor': f32(c.ropeScaling.factor),
      'rope.scaling.original_context_length': u32(c.ropeScaling.originalMaxPositionEmbeddings),
      'rope.scaling.yarn_beta_fast': f32(c.ropeScaling.betaFast),
      'rope.scaling.yarn_beta_slow': f32(c.ropeScaling.betaSlow),
    }),
  };
  return {
    'general.architecture': text(architecture), 'general.name': text('onebit'),
    'general.quantization_version': u32(2),
    ...Object.fromEntries(Object.entries(fields).map(([key, field]) => [`${architecture}.${key}`, field])),
  };
}

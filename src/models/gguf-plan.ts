/**
 * What a GGUF file holds, set against what its model needs, from the header alone: which tensor is what, how
 * it will be kept in memory, and how much that takes.
 *
 *   packed types       as they are, in tiles: one or two bits a weight and its scales
 *   F32                floats
 *   F16, BF16, Q…      halves
 *   F32, F16 of a projection, where `onebit.weights` says that they are 1-bit weights written out: packed
 * @module
 */
import { ModelFileError, quote } from '../errors.ts';
import type { GgufFile, GgufTensor } from '../io/gguf.ts';
import type { BitNetConfig } from '../model/config.ts';
import type { TensorSpec } from '../model/tensors.ts';
import { EMBEDDING, tensorSpecs } from '../model/tensors.ts';
import type { BlockQuantization } from '../ops/block-gemm.ts';
import { paddedTo } from '../ops/block-weights.ts';
import { tableRowBytes } from '../ops/table.ts';
import { isPackedType, packedKind } from '../quant/ggml-packed.ts';
import { GGML_FORMATS } from '../quant/ggml-types.ts';
import type { BitKind } from '../quant/layout.ts';
import { BITS, paddedRows, tileBytes } from '../quant/layout.ts';
import { embeddingFacts } from './embedding-facts.ts';
import type { Architecture } from './gguf-config.ts';
import { architectureOf, configOf } from './gguf-config.ts';
import { Metadata } from '../io/gguf-metadata.ts';
import { ggufName } from './gguf-names.ts';
import type { ModelPlan } from './model-plan.ts';
import { ROPE_FACTORS } from './rope-factors.ts';

/**
 * How activations meet packed weights.
 *
 *   i8      8 bits, one scale a token: how the BitNet family is trained; its default
 *   block   8 bits, a scale for each block of the weights: the default where only weights were packed
 *   q8_0    8 bits, an f16 scale for 32 columns, as llama.cpp has it for Q1_0 and Q2_0
 *   q8_k    8 bits, a scale for 256 columns, as llama.cpp has it for TQ1_0 and TQ2_0
 *   f32     not quantized; all weights are expanded to floats, which takes up to 32 times the memory
 */
export type Activations = 'i8' | 'block' | 'q8_0' | 'q8_k' | 'f32';

export const ACTIVATIONS: readonly Activations[] = ['i8', 'block', 'q8_0', 'q8_k', 'f32'];

/** The quantization of a block product that each stands for. */
export const QUANTIZATIONS: Readonly<Record<Exclude<Activations, 'f32'>, BlockQuantization>> = {
  i8: { span: 'token' }, block: {}, q8_0: { part: 32, halfScales: true }, q8_k: { span: 256 },
};

/** A tensor of the file and what becomes of it. */
export interface PlannedTensor {
  readonly spec: TensorSpec;
  readonly tensor: GgufTensor;
  readonly kept: 'floats' | 'halves' | 'codes' | 'packed' | 'exact';
  /** Rows of each head are to be put back in order: heads' size; 0 if they are. */
  readonly reorder: number;
  /** One number beside a projection or head, which its product is multiplied by. */
  readonly scale?: GgufTensor;
  /** Bytes of memory, when all is loaded. */
  readonly bytes: number;
}

export interface GgufPlan extends ModelPlan {
  readonly file: GgufFile;
  readonly metadata: Metadata;
  readonly architecture: Architecture;
  /** In the order of the file's data. */
  readonly tensors: readonly PlannedTensor[];
  /** What rotary frequencies are divided by, if the file has that. */
  readonly ropeFactors?: GgufTensor;
}

export interface PlanOptions {
  /** Default: how the architecture was trained. */
  readonly activations?: Activations;
  /** Positions at most. Default: those of the model. */
  readonly contextLength?: number;
  /**
   * `i8` keeps embeddings and head that are floats as 8-bit codes with a scale a row: half the memory of
   * f16, and half the time of the head, which is most of a token's in models of few bits. Logits change by
   * a few hundredths of their size. Default: as in the file, rounded to f16 where that is wider.
   */
  readonly embeddings?: 'i8';
}

/**
 * @throws {ModelFileError} MISSING_TENSOR, SHAPE_MISMATCH, UNSUPPORTED_TENSOR, and as `configOf`
 */
export function planGguf(file: GgufFile, options: PlanOptions = {}, name?: string): GgufPlan {
  const metadata = new Metadata(file, name), found = architectureOf(metadata);
  const embedding = tensorOf(file, EMBEDDING, name);
  const { architecture } = found;
  const exact = exactKind(metadata);
  const activations = options.activations ?? (exact || architecture.quantizedActivations ? 'i8' : 'block');
  const config = configOf(metadata, {
    vocabSize: embedding.rows, tied: !file.tensors.has('output.weight'), weights: exact ?? weightsOf(file),
    contextLength: options.contextLength,
  });
  const tensors = tensorSpecs(config).map((spec): PlannedTensor => {
    const tensor = tensorOf(file, spec.name, name);
    checkShape(spec, tensor, name);
    checkKind(spec, tensor, name);
    const reorder = architecture.neighbourPairs && /\.(q|k)_proj\./.test(spec.name) ? config.headDim! : 0;
    const scale = scaleBeside(file, spec, tensor, name);
    return { spec, tensor, reorder, scale, ...keeping(spec, tensor, activations, exact, options.embeddings) };
  });
  const ropeFactors = numbersOf(file, ROPE_FACTORS, config.headDim! / 2, name);
  checkAllUsed(file, tensors, ropeFactors, name);
  const template = file.metadata.get('tokenizer.chat_template');
  return {
    file, metadata, architectureName: found.name, architecture, activations, config, ropeFactors,
    chatTemplate: typeof template === 'string' ? template : undefined,
    embedding: embeddingFacts(metadata, found.name),
    tensors: tensors.toSorted((a, b) => a.tensor.offset - b.tensor.offset),
    bytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function tensorOf(file: GgufFile, name: string, fileName?: string): GgufTensor {
  const own = ggufName(name), tensor = file.tensors.get(own);
  if (!tensor)
    throw new ModelFileError('MISSING_TENSOR', `the file has no tensor ${own}`,
      { file: fileName, field: own });
  return tensor;
}

/** The key by which our own files say what their projections are, where tensors have a wider type. */
export const WEIGHTS_KEY = 'onebit.weights';

function exactKind(metadata: Metadata): BitKind | undefined {
  const kind = metadata.text(WEIGHTS_KEY);
  if (kind === undefined || kind === 'b1' || kind === 't2') return kind;
  return metadata.fail('BAD_HPARAM', WEIGHTS_KEY, 'b1 or t2', kind);
}

/** `blk.N.attn_q.scale` beside `blk.N.attn_q.weight`. */
const scaleBeside = (
  file: GgufFile, { role }: TensorSpec, { name }: GgufTensor, fileName?: string,
): GgufTensor | undefined =>
  role === 'projection' || role === 'head'
    ? numbersOf(file, name.replace(/weight$/, 'scale'), 1, fileName) : undefined;

/** A tensor of `count` floats, if the file has it. */
function numbersOf(file: GgufFile, own: string, count: number, name?: string): GgufTensor | undefined {
  const tensor = file.tensors.get(own);
  if (!tensor) return undefined;
  checkShape({ rows: 1, cols: count }, tensor, name);
  if (tensor.type !== 'F32')
    throw new ModelFileError('UNSUPPORTED_TENSOR_TYPE', `${own} is ${tensor.type}, expected F32`,
      { file: name, field: own, expected: 'F32', actual: tensor.type });
  return tensor;
}

/** Kind of most of the weights, for what a configuration says of itself. */
function weightsOf(file: GgufFile): BitNetConfig['weights'] {
  const type = file.tensors.get('blk.0.ffn_up.weight')?.type;
  return type !== undefined && isPackedType(type) ? packedKind(type) : 'f32';
}

function checkShape(
  { rows, cols }: Pick<TensorSpec, 'rows' | 'cols'>, tensor: GgufTensor, file?: string,
): void {
  if (tensor.rows === rows && tensor.cols === cols) return;
  const expected = `[${rows}, ${cols}]`, actual = `[${tensor.rows}, ${tensor.cols}]`;
  throw new ModelFileError('SHAPE_MISMATCH', `${tensor.name} expected ${expected}, found ${actual}`,
    { file, field: tensor.name, expected, actual });
}

/** One scale a tensor is what projections have; rows that are gathered need theirs. */
function checkKind({ role }: TensorSpec, { name, type }: GgufTensor, file?: string): void {
  if (type === 'I2_S' && role !== 'projection')
    throw new ModelFileError('UNSUPPORTED_TENSOR_TYPE', `${name} is I2_S, which only projections may be`,
      { file, field: name, actual: type });
  if (role === 'norm' && type !== 'F32' && type !== 'F16' && type !== 'BF16')
    throw new ModelFileError('UNSUPPORTED_TENSOR_TYPE', `${name} is ${type}; norms are floats`,
      { file, field: name, actual: type });
}

/** A tensor that nothing reads would change what the model says: a bias, an adapter, another scale. */
function checkAllUsed(
  file: GgufFile, tensors: readonly PlannedTensor[], ropeFactors: GgufTensor | undefined, name?: string,
): void {
  const used = new Set(
    [ropeFactors?.name, ...tensors.flatMap(({ tensor, scale }) => [tensor.name, scale?.name])]);
  const rest = [...file.tensors.keys()].filter((tensor) => !used.has(tensor));
  if (rest.length > 0)
    throw new ModelFileError('UNSUPPORTED_TENSOR',
      `the model has ${rest.length} tensors that are not understood here, as ${quote(rest[0])}`,
      { file: name, field: rest[0], actual: rest.length });
}

/** How a tensor is kept, and the bytes that takes. */
function keeping(
  { role, rows, cols }: TensorSpec, { type }: GgufTensor, activations: Activations, exact?: BitKind,
  embeddings?: 'i8',
): Pick<PlannedTensor, 'kept' | 'bytes'> {
  const packed = isPackedType(type);
  if (exact && role === 'projection' && !packed && activations === 'i8')
    return { kept: 'exact', bytes: tileBytes(exact, rows, cols) + rows * 8 };
  if (role === 'norm') return { kept: 'floats', bytes: rows * cols * 4 };
  if (embeddings === 'i8' && role !== 'projection' && !packed)
    return { kept: 'codes', bytes: codeBytes(rows, cols) };
  // Matrices of floats are kept in panels beside the rows.
  if (type === 'F32' || (packed && activations === 'f32')) return { kept: 'floats', bytes: rows * cols * 8 };
  if (!packed) return { kept: 'halves', bytes: rows * cols * 2 };
  return { kept: 'packed', bytes: packedBytes(packedKind(type), rows, cols, GGML_FORMATS[type].elements) };
}

/** Bytes of a table of 8-bit codes with its scales. */
export const codeBytes = (rows: number, cols: number): number => rows * (tableRowBytes('i8', cols) + 4);

function packedBytes(kind: BitKind, rows: number, cols: number, block: number): number {
  const np = paddedRows(rows), kp = paddedTo(cols, block);
  return (np * kp * BITS[kind]) / 8 + (np * kp * 2) / block;
}

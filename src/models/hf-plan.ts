/**
 * What a Hugging Face model holds, set against what it needs, from headers alone.
 *
 *   U8 [rows/4, cols] and weight_scale   four ternary weights a byte: kept packed
 *   BF16, F16, F32 of a projection       latent weights, quantized as they arrive; or weights: as halves
 *   other BF16, F16                      halves; norms, and F32: floats
 * @module
 */
import { ModelFileError, quote } from '../errors.ts';
import type { TensorEntry, TensorTable } from '../io/safetensors-table.ts';
import type { TensorSpec } from '../model/tensors.ts';
import { EMBEDDING, HEAD, tensorSpecs } from '../model/tensors.ts';
import type { BitKind } from '../quant/layout.ts';
import { tileBytes } from '../quant/layout.ts';
import type { PlanOptions } from './gguf-plan.ts';
import { codeBytes } from './gguf-plan.ts';
import type { HfConfig } from './hf-config.ts';
import { configOfHf } from './hf-config.ts';
import type { ModelPlan } from './model-plan.ts';

/** A tensor and what becomes of it. */
export interface PlannedHfTensor {
  readonly spec: TensorSpec;
  readonly tensor: TensorEntry;
  readonly kept: 'floats' | 'halves' | 'codes' | 'packed' | 'quantized';
  /** Of packed weights. */
  readonly scale?: TensorEntry;
  /** Bytes of memory. */
  readonly bytes: number;
}

export interface HfPlan extends ModelPlan, HfConfig {
  /** File by file, in the order of its data. */
  readonly tensors: readonly PlannedHfTensor[];
}

export interface HfPlanOptions extends PlanOptions {
  /** Quantize float weights of projections to one bit or three values, where the file does not say so. */
  readonly weights?: BitKind;
}

/** Other names of tensors, in 1bitLLM's files. */
const ALIASES: readonly (readonly [string, string])[] = [
  ['self_attn.attn_sub_norm', 'self_attn.inner_attn_ln'], ['mlp.ffn_sub_norm', 'mlp.ffn_layernorm'],
];
/** Tensors that are computed, not learned. */
const COMPUTED = /\.rotary_emb\.inv_freq$/;
const FLOATS = ['F32', 'F16', 'BF16'];

/**
 * @param json parsed `config.json`
 * @throws {ModelFileError} MISSING_TENSOR, SHAPE_MISMATCH, UNSUPPORTED_TENSOR, UNSUPPORTED_TENSOR_TYPE, and
 *   as `configOfHf`
 */
export function planHf(
  json: Readonly<Record<string, unknown>>, { tensors }: TensorTable, options: HfPlanOptions = {},
): HfPlan {
  const names = [...tensors.keys()];
  const has = (part: string): boolean => names.some((name) => name.includes(part));
  const embedding = found(tensors, EMBEDDING);
  const settled = configOfHf(json, {
    subNorms: ALIASES[0].some((part) => has(part)), packed: has('_proj.weight_scale'),
    head: tensors.has(HEAD),
    vocabSize: embedding.shape[0] ?? 0, contextLength: options.contextLength, weights: options.weights,
  });
  const { config, scheme } = settled, quantized = scheme.kind !== 'floats';
  const activations = options.activations ?? (quantized ? 'i8' : 'f32');
  const only = quantized ? 'i8' : 'f32';
  if (activations !== only)
    throw new ModelFileError('UNSUPPORTED',
      `activations ${quote(activations)}: ${quantized ? 'quantized' : 'float'} weights of safetensors files `
      + `run with ${quote(only)}`, { field: 'activations', expected: only, actual: activations });
  const planned = tensorSpecs(config).map((spec) => planTensor(tensors, settled, spec, options.embeddings));
  checkAllUsed(tensors, planned, config.tieWordEmbeddings);
  const files = [...new Set(planned.map(({ tensor }) => tensor.source))];
  const order = ({ tensor }: PlannedHfTensor): number => files.indexOf(tensor.source);
  return {
    ...settled, activations, bytes: planned.reduce((sum, { bytes }) => sum + bytes, 0),
    tensors: planned.toSorted((a, b) => order(a) - order(b) || a.tensor.offset - b.tensor.offset),
  };
}

function found(tensors: TensorTable['tensors'], name: string): TensorEntry {
  const other = ALIASES.find(([ours]) => name.includes(ours));
  const tensor = tensors.get(name) ?? (other && tensors.get(name.replace(...other)));
  if (tensor) return tensor;
  throw new ModelFileError('MISSING_TENSOR', `there is no tensor ${name}`, { field: name });
}

function planTensor(
  tensors: TensorTable['tensors'], { config, scheme }: HfConfig, spec: TensorSpec, embeddings?: 'i8',
): PlannedHfTensor {
  const { name, rows, cols, role } = spec, tensor = found(tensors, name), count = rows * cols;
  const packs = role === 'projection' && scheme.kind === 'packed' && tensor.dtype === 'U8';
  const shape = packs ? [rows / 4, cols] : role === 'norm' ? [cols] : [rows, cols];
  checkTensor(tensor, packs ? ['U8'] : FLOATS, shape);
  const inTiles = (kind: BitKind): number => tileBytes(kind, rows, cols) + rows * 8;
  if (packs) {
    const scale = found(tensors, `${name}_scale`);
    checkTensor(scale, FLOATS, [1], []);
    return { spec, tensor, kept: 'packed', scale, bytes: inTiles('t2') };
  }
  if (role === 'norm') return { spec, tensor, kept: 'floats', bytes: count * 4 };
  if (role === 'projection' && scheme.kind === 'latent')
    return { spec, tensor, kept: 'quantized', bytes: inTiles(config.weights as BitKind) };
  if (embeddings === 'i8' && role !== 'projection')
    return { spec, tensor, kept: 'codes', bytes: codeBytes(rows, cols) };
  if (tensor.dtype === 'F32') return { spec, tensor, kept: 'floats', bytes: count * 8 };
  return { spec, tensor, kept: 'halves', bytes: count * 2 };
}

/** @param shapes any of these will do */
function checkTensor(
  { name, dtype, shape, file }: TensorEntry, dtypes: readonly string[], ...shapes: number[][]
): void {
  if (!dtypes.includes(dtype))
    throw new ModelFileError('UNSUPPORTED_TENSOR_TYPE', `${name} is ${dtype}, expected ${dtypes.join(', ')}`,
      { file, field: name, expected: dtypes.join(', '), actual: dtype });
  if (shapes.some((expected) => `${expected}` === `${shape}`)) return;
  const expected = `[${shapes[0].join(', ')}]`, actual = `[${shape.join(', ')}]`;
  throw new ModelFileError('SHAPE_MISMATCH', `${name} expected ${expected}, found ${actual}`,
    { file, field: name, expected, actual });
}

/** A tensor that nothing reads would change what the model says: a bias, an adapter, another norm. */
function checkAllUsed(
  tensors: TensorTable['tensors'], planned: readonly PlannedHfTensor[], tied: boolean,
): void {
  const used = new Set(planned.flatMap(({ tensor, scale }) => [tensor, scale]));
  const rest = [...tensors.values()].filter((tensor) =>
    !used.has(tensor) && !COMPUTED.test(tensor.name) && !(tied && tensor.name === HEAD));
  if (rest.length > 0)
    throw new ModelFileError('UNSUPPORTED_TENSOR',
      `the model has ${rest.length} tensors that are not understood here, as ${quote(rest[0].name)}`,
      { file: rest[0].file, field: rest[0].name, actual: rest.length });
}

/**
 * The tensors of a model: names, shapes, roles. The one description that initialization, export,
 * loading and counting read.
 *
 * Names are those of a Hugging Face checkpoint. With quantization groups the row-parallel
 * projections (o_proj, down_proj) are stored one tensor a group: `….o_proj.0.weight`. The learned scale
 * of an input has the name of the last matrix that reads it: `….v_proj.input_scale`.
 * @module
 */
import type { BitNetConfig } from './config.ts';

/** What a tensor is for. `projection` is what BitLinear packs, `scale` what its input is quantized by. */
export type Role = 'embedding' | 'projection' | 'head' | 'norm' | 'scale';

export interface TensorSpec {
  readonly name: string;
  readonly rows: number;
  readonly cols: number;
  readonly role: Role;
  /** Writes to the residual stream: initialized smaller, by 1/√(2·layers). */
  readonly residual: boolean;
}

/** Names of the tensors of layer i: `layerName(3, 'self_attn.q_proj')`. */
export const layerName = (layer: number, rest: string): string =>
  `model.layers.${layer}.${rest}.weight`;

/** Names of a row-parallel projection or its norm: one, or one a group. */
export const groupNames = (layer: number, rest: string, groups: number): string[] =>
  groups === 1
    ? [layerName(layer, rest)]
    : Array.from({ length: groups }, (_, g) => layerName(layer, `${rest}.${g}`));

/** Name of the norm behind the product of a matrix: `….q_proj_norm.weight`. */
export const productNormName = (matrix: string): string => matrix.replace('.weight', '_norm.weight');

/** Name of the learned scale of the input of a BitLinear, by its last matrix. */
export const inputScaleName = (matrix: string): string => matrix.replace('.weight', '.input_scale');

export const EMBEDDING = 'model.embed_tokens.weight';
export const POSITIONS = 'model.embed_positions.weight';
export const FINAL_NORM = 'model.norm.weight';
export const HEAD = 'lm_head.weight';

/** Size of one head. */
export const headDim = (c: BitNetConfig): number => c.headDim ?? c.hiddenSize / c.numAttentionHeads;

/** Whether a tensor is a vector: a norm's gain or a scale, which files store without rows. */
export const isVector = ({ role }: TensorSpec): boolean => role === 'norm' || role === 'scale';

/** All tensors, matrices first, norms and scales of inputs last, in the order of a forward pass. */
export function tensorSpecs(config: BitNetConfig): TensorSpec[] {
  const { vocabSize, hiddenSize, maxPositionEmbeddings } = config;
  const specs: TensorSpec[] = [matrix(EMBEDDING, vocabSize, hiddenSize, 'embedding')];
  if (config.positionEmbedding === 'learned')
    specs.push(matrix(POSITIONS, maxPositionEmbeddings, hiddenSize, 'embedding'));
  for (let i = 0; i < config.numHiddenLayers; i++) specs.push(...layerMatrices(config, i));
  if (!config.tieWordEmbeddings) specs.push(matrix(HEAD, vocabSize, hiddenSize, 'head'));
  for (let i = 0; i < config.numHiddenLayers; i++) specs.push(...layerVectors(config, i));
  specs.push(norm(FINAL_NORM, hiddenSize));
  return specs;
}

function matrix(name: string, rows: number, cols: number, role: Role, residual = false): TensorSpec {
  return { name, rows, cols, role, residual };
}

const norm = (name: string, cols: number): TensorSpec =>
  ({ name, rows: 1, cols, role: 'norm', residual: false });

function layerMatrices(c: BitNetConfig, i: number): TensorSpec[] {
  const { hiddenSize: C, intermediateSize: F, quantizationGroups: G } = c;
  const q = headDim(c) * c.numAttentionHeads, kv = headDim(c) * c.numKeyValueHeads;
  const to = (rest: string, rows: number): TensorSpec =>
    matrix(layerName(i, rest), rows, C, 'projection');
  const back = (rest: string, cols: number): TensorSpec[] =>
    groupNames(i, rest, G).map((name) => matrix(name, C, cols / G, 'projection', true));
  return [
    to('self_attn.q_proj', q), to('self_attn.k_proj', kv), to('self_attn.v_proj', kv),
    ...back('self_attn.o_proj', q),
    ...(c.gatedMlp ? [to('mlp.gate_proj', F)] : []), to('mlp.up_proj', F),
    ...back('mlp.down_proj', F),
  ];
}

function layerVectors(c: BitNetConfig, i: number): TensorSpec[] {
  const { hiddenSize: C, intermediateSize: F, quantizationGroups: G } = c;
  const sub = (rest: string, cols: number): TensorSpec[] =>
    c.subNorms ? groupNames(i, rest, G).map((name) => norm(name, cols / G)) : [];
  return [
    norm(layerName(i, 'input_layernorm'), C),
    ...(c.queryKeyNorms ? ['self_attn.q_norm', 'self_attn.k_norm'] : [])
      .map((rest) => norm(layerName(i, rest), headDim(c))),
    ...sub('self_attn.attn_sub_norm', headDim(c) * c.numAttentionHeads),
    norm(layerName(i, 'post_attention_layernorm'), C), ...sub('mlp.ffn_sub_norm', F),
    ...layerMatrices(c, i).flatMap(({ name, rows }): TensorSpec[] => [
      ...(c.productNorms ? [norm(productNormName(name), rows)] : []),
      // query, key and value share an input, and gate and up: one scale, by the last of them
      ...(c.activationQuantization === 'elastic' && !/[qk]_proj|gate/.test(name)
        ? [{ ...norm(inputScaleName(name), 1), role: 'scale' as const }] : [])]),
  ];
}

/** Number of weights, counted once where embeddings are tied. */
export const parameterCount = (config: BitNetConfig): number =>
  tensorSpecs(config).reduce((sum, { rows, cols }) => sum + rows * cols, 0);

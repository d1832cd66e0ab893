/**
 * From configuration and weights to layers.
 * @module
 */
import { Attention } from '../nn/attention.ts';
import { BitLinear } from '../nn/bit-linear.ts';
import { Block } from '../nn/block.ts';
import { Embedding } from '../nn/embedding.ts';
import { GroupedProjection } from '../nn/grouped-projection.ts';
import { Linear } from '../nn/linear.ts';
import { Mlp } from '../nn/mlp.ts';
import { Norm } from '../nn/norm.ts';
import { normedProjection } from '../nn/normed-projection.ts';
import type { Projection } from '../nn/projection.ts';
import { SideBySide } from '../nn/side-by-side.ts';
import { TableLinear } from '../nn/table-linear.ts';
import { makeRopeTable } from '../ops/rope.ts';
import type { BitNetConfig } from './config.ts';
import {
  EMBEDDING, FINAL_NORM, HEAD, POSITIONS, groupNames, headDim, inputScaleName, layerName, productNormName,
} from './tensors.ts';
import type { ModelWeights } from './weights.ts';

/** The layers of a model, top to bottom. */
export interface Layers {
  readonly embedding: Embedding;
  readonly blocks: readonly Block[];
  readonly finalNorm: Norm;
  readonly head: Projection;
  /** Every projection and the head: what `prepare` must reach. */
  readonly projections: readonly Projection[];
  /** Address of the RoPE table, or 0. */
  readonly ropeTable: number;
}

export function buildLayers(config: BitNetConfig, weights: ModelWeights): Layers {
  const projections: Projection[] = [];
  const keep = <P extends Projection>(projection: P): P => {
    projections.push(projection);
    return projection;
  };
  const ropeTable = config.positionEmbedding === 'rope' ? ropeTableOf(config, weights) : 0;
  const blocks = Array.from({ length: config.numHiddenLayers }, (_, layer) =>
    buildBlock(config, weights, layer, ropeTable, keep));
  const learned = config.positionEmbedding === 'learned';
  return {
    embedding: new Embedding(
      weights.gathered?.(EMBEDDING) ?? weights.table(EMBEDDING) ?? weights.parameter(EMBEDDING),
      learned ? weights.parameter(POSITIONS) : undefined),
    blocks,
    finalNorm: normOf(config, weights, FINAL_NORM),
    head: keep(projection(config, weights, [config.tieWordEmbeddings ? EMBEDDING : HEAD], 1)),
    projections,
    ropeTable,
  };
}

const normOf = (config: BitNetConfig, weights: ModelWeights, name: string): Norm =>
  new Norm(weights.parameter(name), config.normType, config.normEps);

const ropeTableOf = (config: BitNetConfig, { engine, ropeFactors }: ModelWeights): number =>
  makeRopeTable(engine, {
    positions: config.maxPositionEmbeddings, headDim: headDim(config), theta: config.ropeTheta,
    yarn: config.ropeScaling, factors: ropeFactors });

/** Matrices of a block that share an input, with the norms behind their products if there are any. */
function innerProjection(
  config: BitNetConfig, weights: ModelWeights, names: string[], groups: number, shifted = false,
): Projection {
  const inner = projection(config, weights, names, groups, shifted);
  if (!config.productNorms) return inner;
  return normedProjection(inner, names.map((name) => normOf(config, weights, productNormName(name))));
}

/** Matrices that share an input: one layer if they are stored alike, else side by side. */
function projection(
  config: BitNetConfig, weights: ModelWeights, names: string[], groups: number, shifted = false,
): Projection {
  const stored = names.map((name) => weights.stored(name));
  const products = stored.every((kind) => kind === stored[0])
    ? uniformProjection(config, weights, names, groups, shifted)
    : new SideBySide(names.map((name) => uniformProjection(config, weights, [name], groups, shifted)));
  return weights.around?.(products, names) ?? products;
}

function uniformProjection(
  config: BitNetConfig, weights: ModelWeights, names: string[], groups: number, shifted: boolean,
): Projection {
  const kind = weights.stored(names[0]);
  if (kind === 'own') return weights.projection!(names);
  if (kind === 'table') return new TableLinear(names.map((name) => weights.table(name)!));
  if (kind === 'float')
    return new Linear(weights.engine, names.map((name) => weights.parameter(name)));
  const parts = names.map((name) => weights.bitPart(name));
  const quantization = { bits: config.activationBits, shifted };
  const scale = config.activationQuantization === 'elastic'
    ? weights.parameter(inputScaleName(names.at(-1)!)) : undefined;
  return new BitLinear(weights.engine, parts, quantization, groups, scale);
}

/** A projection back to the residual stream, with the norm before it: whole, or by groups. */
function rowParallel(
  config: BitNetConfig, weights: ModelWeights, layer: number, rest: string, normRest: string,
): { out: Projection; subNorm?: Norm } {
  const groups = config.quantizationGroups;
  const names = groupNames(layer, rest, groups);
  const norms = config.subNorms
    ? groupNames(layer, normRest, groups).map((name) => normOf(config, weights, name)) : [];
  const outs = names.map((name) => innerProjection(config, weights, [name], 1));
  if (groups === 1) return { out: outs[0], subNorm: norms[0] };
  return { out: new GroupedProjection(outs.map((out, g) => ({ norm: norms[g], projection: out }))) };
}

/** Norms of every head's query and key, which are RMSNorms in every model that has them. */
function headNorms(
  { queryKeyNorms, normEps }: BitNetConfig, weights: ModelWeights, layer: number,
): { queryNorm?: Norm; keyNorm?: Norm } {
  if (!queryKeyNorms) return {};
  const of = (rest: string): Norm =>
    new Norm(weights.parameter(layerName(layer, rest)), 'rmsnorm', normEps);
  return { queryNorm: of('self_attn.q_norm'), keyNorm: of('self_attn.k_norm') };
}

function buildBlock(
  config: BitNetConfig, weights: ModelWeights, layer: number, ropeTable: number,
  keep: <P extends Projection>(projection: P) => P,
): Block {
  const names = (...rests: string[]): string[] => rests.map((rest) => layerName(layer, rest));
  const { quantizationGroups: groups } = config;
  const qkv = keep(innerProjection(
    config, weights, names('self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'), groups));
  const o = rowParallel(config, weights, layer, 'self_attn.o_proj', 'self_attn.attn_sub_norm');
  const up = keep(innerProjection(
    config, weights, names(...(config.gatedMlp ? ['mlp.gate_proj'] : []), 'mlp.up_proj'), groups,
    config.shiftedMlpInput));
  const down = rowParallel(config, weights, layer, 'mlp.down_proj', 'mlp.ffn_sub_norm');
  const heads = {
    heads: config.numAttentionHeads, kvHeads: config.numKeyValueHeads, headDim: headDim(config),
  };
  return new Block({
    inputNorm: normOf(config, weights, layerName(layer, 'input_layernorm')),
    attention: new Attention(layer, heads, {
      qkv, out: keep(o.out), subNorm: o.subNorm, ropeTable: ropeTable || undefined,
      ...headNorms(config, weights, layer) }),
    postAttentionNorm: normOf(config, weights, layerName(layer, 'post_attention_layernorm')),
    mlp: new Mlp({ up, down: keep(down.out), subNorm: down.subNorm, act: config.hiddenAct }),
  });
}

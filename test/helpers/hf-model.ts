/**
 * Small models as folders of Hugging Face, and the same weights as one of our files: what is read from the
 * folder is compared with what is read from the file.
 */
import type { NamedTensor } from '../../src/io/safetensors.ts';
import { encodeSafetensors } from '../../src/io/safetensors.ts';
import type { BitNetConfig } from '../../src/model/config.ts';
import { checkConfig } from '../../src/model/config.ts';
import { buildModel, readModelHeader } from '../../src/model/file.ts';
import { tensorSpecs } from '../../src/model/tensors.ts';
import { Rng } from '../../src/rng.ts';
import { newEngine } from './tiny-model.ts';

const ENGINE = newEngine();

export type Files = Record<string, Uint8Array>;

/** Weights of a projection: −1, 0, 1, times a scale. */
interface Ternary {
  readonly codes: Int8Array;
  readonly scale: number;
  /** What training keeps: numbers that bf16 has. */
  readonly latent: Float32Array;
}

export interface SmallModel {
  readonly config: BitNetConfig;
  readonly floats: ReadonlyMap<string, Float32Array>;
  readonly projections: ReadonlyMap<string, Ternary>;
}

const VOCAB = 24;

/** Two layers, grouped heads, a width that is no multiple of 16. */
export const smallConfig = (changes: Partial<BitNetConfig> = {}): BitNetConfig => checkConfig({
  vocabSize: VOCAB, hiddenSize: 36, intermediateSize: 52, numHiddenLayers: 2, numAttentionHeads: 4,
  numKeyValueHeads: 2, headDim: 12, maxPositionEmbeddings: 32, weights: 't2', activationBits: 8,
  shiftedMlpInput: false, quantizationGroups: 1, normType: 'rmsnorm', normEps: 1e-5, subNorms: true,
  hiddenAct: 'relu2', gatedMlp: true, positionEmbedding: 'rope', ropeTheta: 10_000, tieWordEmbeddings: true,
  ...changes,
});

/** Random weights: floats are multiples of 1/64, which bf16 and f16 have. */
export function smallModel(changes: Partial<BitNetConfig> = {}, seed = 1): SmallModel {
  const config = smallConfig(changes), rng = new Rng(seed);
  const floats = new Map<string, Float32Array>(), projections = new Map<string, Ternary>();
  for (const { name, rows, cols, role } of tensorSpecs(config)) {
    const values = Float32Array.from({ length: rows * cols }, () =>
      (role === 'norm' ? 64 + rng.nextBelow(32) : rng.nextBelow(129) - 64) / 64);
    if (role === 'projection') projections.set(name, ternary(values));
    else floats.set(name, values);
  }
  return { config, floats, projections };
}

/** RoundClip(W/γ), γ = mean |W|; halves to the even neighbour, which multiples of 1/64 seldom are. */
function ternary(latent: Float32Array): Ternary {
  const mean = Math.fround(latent.reduce((sum, w) => sum + Math.abs(w), 0) / latent.length);
  const codes = Int8Array.from(latent, (w) => (Math.abs(w) / mean > 0.5 ? Math.sign(w) : 0));
  return { codes, scale: mean, latent };
}

/** The weights as f32. */
export const realWeights = ({ codes, scale }: Ternary): Uint8Array =>
  f32(Array.from(codes, (code) => code * scale));

const f32 = (values: ArrayLike<number>): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

/** Upper halves of floats, which lose nothing here. */
const bf16 = (values: Float32Array): Uint8Array =>
  new Uint8Array(Uint16Array.from(new Uint32Array(values.slice().buffer), (bits) => bits >>> 16).buffer);

/** Row r in byte row r mod (rows/4), at bits 2 · ⌊r / (rows/4)⌋. */
function packed({ codes }: Ternary, rows: number, cols: number): Uint8Array {
  const out = new Uint8Array((rows / 4) * cols), quarter = rows / 4;
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < cols; c++)
      out[(r % quarter) * cols + c] |= (codes[r * cols + c] + 1) << (2 * Math.floor(r / quarter));
  return out;
}

/**
 * The logits of the model as our own file has it.
 *
 * @param weights 'f32': the same weights, run as floats
 */
export function ownLogits(
  { config, floats, projections }: SmallModel, ids: readonly number[], weights: 't2' | 'f32' = 't2',
): Float32Array {
  const tensors = tensorSpecs(config).flatMap(({ name, rows, cols, role }): NamedTensor[] => {
    const one = projections.get(name);
    if (one && weights === 'f32')
      return [{ name, dtype: 'F32', shape: [rows, cols], data: realWeights(one) }];
    if (!one) {
      const values = floats.get(name)!;
      return [{ name, dtype: 'F32', shape: role === 'norm' ? [cols] : [rows, cols], data: f32(values) }];
    }
    const bytes = Math.ceil(cols / 4), data = new Uint8Array(rows * bytes).fill(0x55);
    one.codes.forEach((code, i) => {
      const c = i % cols, at = Math.floor(i / cols) * bytes + (c >> 2), up = 2 * (c & 3);
      data[at] = data[at] & ~(3 << up) | (code + 1) << up;
    });
    return [{ name, dtype: 'U8', shape: [rows, bytes], data },
      { name: `${name}_scale`, dtype: 'F32', shape: [1], data: f32([one.scale]) }];
  });
  const json = JSON.stringify({ ...config, weights });
  const metadata = { format: 'onebit', version: '1', config: json, tokenizer: '' };
  // Halves, as tables of bf16 are kept.
  const model = buildModel(
    ENGINE, readModelHeader(encodeSafetensors(tensors, metadata)), undefined, { embeddings: 'f16' });
  const logits = model.logits(ids);
  model.dispose();
  return logits;
}

export interface FolderOptions {
  /** How projections are: packed with a scale that multiplies or divides, or as trained. */
  readonly as: 'multiplies' | 'divides' | 'latent';
  /** Files that the tensors are spread over. Default: one. */
  readonly shards?: number;
  /** Changes of the tensors before they are written. */
  readonly edit?: (tensors: Map<string, NamedTensor>) => void;
  /** Changes of `config.json`. */
  readonly json?: Readonly<Record<string, unknown>>;
}

/** The folder of a model. */
export function hfFiles(model: SmallModel, options: FolderOptions): Files {
  const tensors = new Map<string, NamedTensor>();
  const add = (tensor: NamedTensor): void => void tensors.set(tensor.name, tensor);
  for (const { name, rows, cols, role } of tensorSpecs(model.config)) {
    const one = model.projections.get(name), shape = role === 'norm' ? [cols] : [rows, cols];
    if (!one) add({ name, dtype: 'BF16', shape, data: bf16(model.floats.get(name)!) });
    else if (options.as === 'latent') add({ name, dtype: 'BF16', shape, data: bf16(one.latent) });
    else {
      const scale = options.as === 'divides' ? 1 / one.scale : one.scale;
      add({ name, dtype: 'U8', shape: [rows / 4, cols], data: packed(one, rows, cols) });
      add({ name: `${name}_scale`, dtype: 'F32', shape: [1], data: f32([scale]) });
    }
  }
  options.edit?.(tensors);
  return {
    ...weightFiles([...tensors.values()], options.shards ?? 1), 'tokenizer.json': text(TOKENIZER),
    'config.json': text({ ...hfConfig(model.config, options.as), ...options.json }),
  };
}

export const text = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

const TOKENIZER = {
  model: {
    type: 'BPE', merges: [],
    vocab: Object.fromEntries([...'abcdefghijklmnopqrstuv'].map((c, id) => [c, id])),
  },
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
  added_tokens: [{ id: 22, content: '</s>', special: true }, { id: 23, content: '<end>', special: true }],
};

function hfConfig(c: BitNetConfig, as: FolderOptions['as']): Record<string, unknown> {
  const quantization = {
    quant_method: 'bitnet', linear_class: as === 'divides' ? 'bitlinear' : 'autobitlinear',
    quantization_mode: as === 'latent' ? 'online' : 'offline',
  };
  return {
    model_type: c.subNorms ? 'bitnet' : c.queryKeyNorms ? 'qwen3' : 'llama', hidden_size: c.hiddenSize,
    intermediate_size: c.intermediateSize, num_hidden_layers: c.numHiddenLayers, hidden_act: c.hiddenAct,
    num_attention_heads: c.numAttentionHeads, num_key_value_heads: c.numKeyValueHeads, head_dim: c.headDim,
    max_position_embeddings: c.maxPositionEmbeddings, rms_norm_eps: c.normEps, rope_theta: c.ropeTheta,
    tie_word_embeddings: c.tieWordEmbeddings, vocab_size: c.vocabSize, quantization_config: quantization,
  };
}

function weightFiles(tensors: readonly NamedTensor[], shards: number): Files {
  if (shards === 1) return { 'model.safetensors': encodeSafetensors(tensors) };
  const nameOf = (i: number): string => `model-0000${i + 1}-of-0000${shards}.safetensors`;
  const each = Math.ceil(tensors.length / shards), files: Files = {}, weightMap: Record<string, string> = {};
  for (let i = 0; i < shards; i++) {
    const part = tensors.slice(i * each, (i + 1) * each);
    files[nameOf(i)] = encodeSafetensors(part);
    for (const { name } of part) weightMap[name] = nameOf(i);
  }
  return { ...files, 'model.safetensors.index.json': text({ metadata: {}, weight_map: weightMap }) };
}

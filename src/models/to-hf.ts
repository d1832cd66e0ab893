/**
 * A model as a folder that transformers loads: `config.json`, `model.safetensors`, `tokenizer.json`.
 *
 * Packed weights are U8 with a `weight_scale` that multiplies (`autobitlinear`, offline), as in Microsoft's
 * 2B4T. ±1 weights are written as ternary ones that are never 0.
 *
 * Source  transformers, `modeling_bitnet.py`, `integrations/bitnet.py`.
 * @module
 */
import { huggingFaceTokenizer } from '../chat/own-tokenizer.ts';
import type { ChunkedFile } from '../io/chunks.ts';
import type { SafetensorsEntry } from '../io/safetensors-writer.ts';
import { safetensorsFile } from '../io/safetensors-writer.ts';
import type { BitNetConfig } from '../model/config.ts';
import type { TensorSpec } from '../model/tensors.ts';
import { headDim, tensorSpecs } from '../model/tensors.ts';
import { ternaryOfSigns } from '../quant/exact-codes.ts';
import { packHf } from '../quant/hf-packed.ts';
import type { BitPart, FloatPart, ModelParts } from './parts.ts';
import { floatsAs, isBits, unwritable } from './parts.ts';
import { checkWritable } from './writable.ts';

export interface HfOptions {
  /** Element type of embedding and head, and of projections that are floats. Default: as they are. */
  readonly embeddings?: 'f16' | 'f32';
}

/** @throws {ModelFileError} UNSUPPORTED naming the field of the configuration, or the tensor */
export function writeHf(parts: ModelParts, options: HfOptions): Readonly<Record<string, ChunkedFile>> {
  const { config, endTokens, chatTemplate } = parts;
  checkWritable(config, 'transformers');
  if (config.subNorms && config.queryKeyNorms)
    unwritable('queryKeyNorms', 'no architecture of transformers has them beside sub-norms', true);
  if (config.subNorms && config.weights === 'f32')
    unwritable('weights', 'float weights beside sub-norms are read as latent ones, and quantized', 'f32');
  const entries = tensorSpecs(config).flatMap((spec) => entriesOf(parts, spec, options));
  return {
    'config.json': jsonFile(configOf(config, endTokens)),
    ...(endTokens.length === 0 ? {} : { 'generation_config.json': jsonFile({ eos_token_id: endTokens }) }),
    'model.safetensors': safetensorsFile(entries, { format: 'pt' }),
    'tokenizer.json': textFile(huggingFaceTokenizer(parts.tokenizer)),
    'tokenizer_config.json': jsonFile({
      tokenizer_class: 'PreTrainedTokenizerFast', clean_up_tokenization_spaces: false,
      model_max_length: config.maxPositionEmbeddings,
      ...(chatTemplate === undefined ? {} : { chat_template: chatTemplate }),
    }),
  };
}

function textFile(text: string): ChunkedFile {
  const bytes = new TextEncoder().encode(text);
  return { size: bytes.length, chunks: async function* () { yield bytes; } };
}

const jsonFile = (value: object): ChunkedFile => textFile(`${JSON.stringify(value, null, 2)}\n`);

function entriesOf(parts: ModelParts, spec: TensorSpec, { embeddings }: HfOptions): SafetensorsEntry[] {
  const { name, rows, cols, role } = spec, own = parts.typeOf(spec);
  if (own === 'b1' || own === 't2') {
    if (rows % 4 !== 0)
      unwritable(name, 'transformers packs four rows in one, so they must be a multiple of 4', rows);
    const read = async (): Promise<BitPart> => await parts.read(spec) as BitPart;
    const packed = async (): Promise<Uint8Array> => {
      const { codes } = await read();
      return packHf(own === 't2' ? codes : ternaryOfSigns(codes, rows, cols), rows, cols);
    };
    const scale = async (): Promise<Uint8Array> =>
      new Uint8Array(Float32Array.of((await read()).scale).buffer);
    return [
      { name, dtype: 'U8', shape: [rows / 4, cols], read: packed },
      { name: `${name}_scale`, dtype: 'F32', shape: [1], read: scale },
    ];
  }
  const wanted = role === 'norm' ? 'F32' : embeddings?.toUpperCase() as 'F16' | 'F32' | undefined ?? own;
  const read = async (): Promise<Uint8Array> => {
    const part = await parts.read(spec) as FloatPart;
    return wanted === 'BF16' || isBits(part) ? (part as FloatPart).data : floatsAs(part, wanted, name);
  };
  return [{ name, dtype: wanted, shape: role === 'norm' ? [cols] : [rows, cols], read }];
}

const CLASSES = {
  bitnet: 'BitNetForCausalLM', qwen3: 'Qwen3ForCausalLM', llama: 'LlamaForCausalLM',
} as const;

function configOf(c: BitNetConfig, endTokens: readonly number[]): object {
  const type = c.subNorms ? 'bitnet' : c.queryKeyNorms ? 'qwen3' : 'llama', scaling = c.ropeScaling;
  return {
    architectures: [CLASSES[type]], model_type: type, vocab_size: c.vocabSize, hidden_size: c.hiddenSize,
    intermediate_size: c.intermediateSize, num_hidden_layers: c.numHiddenLayers,
    num_attention_heads: c.numAttentionHeads, num_key_value_heads: c.numKeyValueHeads, head_dim: headDim(c),
    max_position_embeddings: c.maxPositionEmbeddings, hidden_act: c.hiddenAct, rms_norm_eps: c.normEps,
    rope_theta: c.ropeTheta, attention_bias: false, tie_word_embeddings: c.tieWordEmbeddings,
    torch_dtype: 'float32', bos_token_id: null, eos_token_id: endTokens[0] ?? null,
    ...(scaling === undefined ? {} : { rope_scaling: {
      rope_type: scaling.ropeType, factor: scaling.factor,
      beta_fast: scaling.betaFast, beta_slow: scaling.betaSlow,
      original_max_position_embeddings: scaling.originalMaxPositionEmbeddings,
    } }),
    ...(c.weights === 'f32' ? {} : { quantization_config: {
      quant_method: 'bitnet', linear_class: 'autobitlinear', quantization_mode: 'offline',
    } }),
  };
}

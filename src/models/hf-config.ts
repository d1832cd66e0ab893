/**
 * The configuration of a Hugging Face model, from its `config.json`.
 *
 *   bitnet   sub-norms, ReLU² unless it says otherwise (Microsoft's 2B4T; 1bitLLM's, which call it llama)
 *   llama    SwiGLU (HF1BitLLM, Falcon3-1.58bit, Falcon-E)
 *   qwen3    SwiGLU, norms of query and key
 *
 * `quantization_config` says what packed weights mean: with `bitlinear` the output is divided by
 * `weight_scale`, 1 / mean |W|; with `autobitlinear` it is multiplied by it, mean |W|.
 *
 * Source  transformers, `modeling_bitnet.py`, `integrations/bitnet.py`, `quantizers/quantizer_bitnet.py`.
 * @module
 */
import { show } from '../check.ts';
import { ModelFileError } from '../errors.ts';
import type { BitNetConfig, RopeScaling } from '../model/config.ts';
import { checkConfig } from '../model/config.ts';
import type { HiddenAct } from '../ops/activation.ts';

type Json = Readonly<Record<string, unknown>>;

/** What the weights of projections are in the file. */
export type WeightScheme =
  /** Codes with a scale that divides or multiplies. */
  | { readonly kind: 'packed'; readonly divides: boolean }
  /** Floats that are quantized when the model runs. */
  | { readonly kind: 'latent' }
  /** Floats that are the weights. */
  | { readonly kind: 'floats' };

/** What `config.json` says. */
export interface HfConfig {
  readonly architectureName: string;
  readonly scheme: WeightScheme;
  readonly config: BitNetConfig;
}

/** What the tensors say besides. */
export interface HfFacts {
  /** Whether there are norms before output and down projections. */
  readonly subNorms: boolean;
  /** Whether there is a head of its own. */
  readonly head: boolean;
  /** Whether any projection is packed. */
  readonly packed: boolean;
  /** Rows of the embedding. */
  readonly vocabSize: number;
  /** Positions at most. */
  readonly contextLength?: number;
  /** Quantize float weights of projections, where the file does not say so itself. */
  readonly weights?: 'b1' | 't2';
}

/** Typed fields of a JSON object, each with an error that says what was expected. */
class Fields {
  readonly #json: Json;
  readonly #file: string;

  constructor(json: Json, file: string) {
    this.#json = json;
    this.#file = file;
  }

  fail(code: string, field: string, expected: string, actual: unknown): never {
    throw new ModelFileError(code, `${this.#file}: "${field}" expected ${expected}, found ${show(actual)}`,
      { file: this.#file, field, expected, actual });
  }

  /** The value of a field; null is as good as none. */
  get(field: string): unknown {
    return Object.hasOwn(this.#json, field) ? this.#json[field] ?? undefined : undefined;
  }

  number(field: string, min: number, max: number): number | undefined {
    const value = this.get(field);
    if (value === undefined) return undefined;
    if (typeof value !== 'number') return this.fail('WRONG_TYPE', field, 'a number', value);
    if (value >= min && value <= max) return value;
    return this.fail('BAD_HPARAM', field, `a number from ${min} to ${max}`, value);
  }

  count(field: string, max: number): number | undefined {
    const value = this.number(field, 1, max);
    if (value === undefined || Number.isInteger(value)) return value;
    return this.fail('BAD_HPARAM', field, 'a whole number', value);
  }

  required(field: string, max: number): number {
    return this.count(field, max) ?? this.fail('MISSING_KEY', field, 'a whole number', undefined);
  }

  text(field: string): string | undefined {
    const value = this.get(field);
    if (value === undefined || typeof value === 'string') return value;
    return this.fail('WRONG_TYPE', field, 'text', value);
  }

  flag(field: string): boolean {
    const value = this.get(field) ?? false;
    return typeof value === 'boolean' ? value : this.fail('WRONG_TYPE', field, 'true or false', value);
  }

  object(field: string): Fields | undefined {
    const value = this.get(field);
    if (value === undefined) return undefined;
    if (typeof value === 'object' && !Array.isArray(value)) return new Fields(value as Json, this.#file);
    return this.fail('WRONG_TYPE', field, 'an object', value);
  }
}

const FILE = 'config.json';
const MAX_CONTEXT = 2 ** 20;
const ARCHITECTURES = ['bitnet', 'llama', 'qwen3'];
const ACTS: Readonly<Record<string, HiddenAct>> = { silu: 'silu', swish: 'silu', relu2: 'relu2' };

/**
 * The configuration of the model in a folder.
 *
 * @throws {ModelFileError} UNSUPPORTED_ARCHITECTURE, UNSUPPORTED, MISSING_KEY, WRONG_TYPE, BAD_HPARAM naming
 *   the field
 */
export function configOfHf(json: Json, facts: HfFacts): HfConfig {
  const fields = new Fields(json, FILE), name = architectureOf(fields);
  for (const field of ['attention_bias', 'mlp_bias', 'use_sliding_window'])
    if (fields.flag(field)) fields.fail('UNSUPPORTED', field, 'false', true);
  const scheme = schemeOf(fields, name, facts), heads = fields.required('num_attention_heads', 1024);
  const hiddenSize = fields.required('hidden_size', 2 ** 15);
  const context = fields.count('max_position_embeddings', MAX_CONTEXT) ?? 2048;
  const weights = scheme.kind === 'packed' ? 't2' : scheme.kind === 'latent' ? facts.weights ?? 't2' : 'f32';
  const config: BitNetConfig = {
    vocabSize: facts.vocabSize, hiddenSize,
    intermediateSize: fields.required('intermediate_size', 2 ** 17),
    numHiddenLayers: fields.required('num_hidden_layers', 1024),
    numAttentionHeads: heads, numKeyValueHeads: fields.count('num_key_value_heads', 1024) ?? heads,
    maxPositionEmbeddings: Math.min(context, facts.contextLength ?? context),
    weights, activationBits: fields.count('input_bits', 8) ?? 8, shiftedMlpInput: false,
    quantizationGroups: 1, normType: 'rmsnorm', normEps: fields.number('rms_norm_eps', 1e-12, 1) ?? 1e-6,
    subNorms: facts.subNorms, hiddenAct: actOf(fields, name), gatedMlp: true, positionEmbedding: 'rope',
    ...ropeOf(fields, context),
    tieWordEmbeddings: fields.flag('tie_word_embeddings') || !facts.head,
    headDim: fields.count('head_dim', 1024) ?? hiddenSize / heads,
    ...(name === 'qwen3' ? { queryKeyNorms: true } : {}),
  };
  try {
    return { architectureName: name, scheme, config: checkConfig(config) };
  } catch (cause) {
    throw new ModelFileError('BAD_HPARAM', (cause as Error).message, { file: FILE, cause });
  }
}

function architectureOf(fields: Fields): string {
  const name = fields.text('model_type') ?? fields.fail('MISSING_KEY', 'model_type', 'text', undefined);
  if (ARCHITECTURES.includes(name)) return name;
  return fields.fail('UNSUPPORTED_ARCHITECTURE', 'model_type', ARCHITECTURES.join(', '), name);
}

function actOf(fields: Fields, name: string): HiddenAct {
  const act = fields.text('hidden_act') ?? (name === 'bitnet' ? 'relu2' : 'silu');
  if (Object.hasOwn(ACTS, act)) return ACTS[act];
  return fields.fail('UNSUPPORTED', 'hidden_act', 'silu or relu2', act);
}

/** Sub-norms are what the BitNet family is trained with: floats with them are latent weights. */
function schemeOf(fields: Fields, name: string, facts: HfFacts): WeightScheme {
  const quantization = fields.object('quantization_config');
  const latent = facts.weights !== undefined || name === 'bitnet' || facts.subNorms;
  if (!quantization) return latent ? { kind: 'latent' } : { kind: 'floats' };
  const method = quantization.text('quant_method');
  if (method !== 'bitnet')
    return quantization.fail('UNSUPPORTED', 'quantization_config.quant_method', 'bitnet', method);
  if (quantization.flag('use_rms_norm'))
    quantization.fail('UNSUPPORTED', 'quantization_config.use_rms_norm', 'false', true);
  const mode = quantization.text('quantization_mode') ?? 'offline';
  const linear = quantization.text('linear_class') ?? 'bitlinear';
  if (mode !== 'offline' && mode !== 'online')
    quantization.fail('UNSUPPORTED', 'quantization_config.quantization_mode', 'offline or online', mode);
  if (linear !== 'bitlinear' && linear !== 'autobitlinear')
    quantization.fail(
      'UNSUPPORTED', 'quantization_config.linear_class', 'bitlinear or autobitlinear', linear);
  // Master weights come with the configuration of the packed ones, too. Only one class quantizes online.
  if (!facts.packed || (mode === 'online' && linear === 'autobitlinear')) return { kind: 'latent' };
  return { kind: 'packed', divides: linear === 'bitlinear' };
}

/** Theta, and YaRN; both have moved into `rope_parameters` in newer files. */
function ropeOf(
  fields: Fields, context: number,
): { readonly ropeTheta: number; readonly ropeScaling?: RopeScaling } {
  const newer = fields.object('rope_parameters'), scaling = newer ?? fields.object('rope_scaling');
  const ropeTheta = newer?.number('rope_theta', 1, 1e12) ?? fields.number('rope_theta', 1, 1e12) ?? 10_000;
  const type = scaling?.text('rope_type') ?? scaling?.text('type') ?? 'default';
  const factor = scaling?.number('factor', 1e-6, 1e6) ?? 1;
  if (type === 'default' || (type === 'linear' && factor === 1)) return { ropeTheta };
  if (type !== 'yarn') return fields.fail('UNSUPPORTED', 'rope_scaling.rope_type', 'default or yarn', type);
  return {
    ropeTheta, ropeScaling: {
      ropeType: 'yarn', factor,
      originalMaxPositionEmbeddings:
        scaling!.count('original_max_position_embeddings', 2 ** 24) ?? context,
      betaFast: scaling!.number('beta_fast', 1e-3, 1e6) ?? 32,
      betaSlow: scaling!.number('beta_slow', 1e-3, 1e6) ?? 1,
    },
  };
}

/**
 * The configuration of a GGUF model, from its metadata.
 *
 *   qwen3                   SwiGLU, norms of query and key, halves of a head are rotated (Bonsai)
 *   llama                   SwiGLU; neighbours are rotated, so rows of query and key are put back in order
 *   bitnet                  sub-norms; SiLU unless the file says ReLU² (1bitLLM, llama.cpp)
 *   bitnet-b1.58, bitnet-25 sub-norms, ReLU² (Microsoft's 2B4T, bitnet.cpp)
 *
 * Source  ggml `docs/gguf.md`; llama.cpp `src/llama-model.cpp`; bitnet.cpp.
 * @module
 */
import { ModelFileError, quote } from '../errors.ts';
import type { BitNetConfig, RopeScaling } from '../model/config.ts';
import { checkConfig } from '../model/config.ts';
import type { HiddenAct } from '../ops/activation.ts';
import type { Metadata } from '../io/gguf-metadata.ts';

/** What distinguishes an architecture. */
export interface Architecture {
  readonly hiddenAct: HiddenAct;
  readonly subNorms: boolean;
  readonly queryKeyNorms: boolean;
  /** Rotary pairs are neighbours (2i, 2i + 1), not halves (i, i + D/2). */
  readonly neighbourPairs: boolean;
  /** Trained with activations quantized to 8 bits, one scale a token. */
  readonly quantizedActivations: boolean;
}

const BITNET: Architecture = {
  hiddenAct: 'silu', subNorms: true, queryKeyNorms: false, neighbourPairs: false, quantizedActivations: true,
};
const BITNET_B158: Architecture = { ...BITNET, hiddenAct: 'relu2' };

/** The architectures that run, by the name that files give them. */
export const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  'qwen3': { ...BITNET, subNorms: false, queryKeyNorms: true, quantizedActivations: false },
  'llama': { ...BITNET, subNorms: false, neighbourPairs: true },
  'bitnet': BITNET,
  'bitnet-b1.58': BITNET_B158,
  'bitnet-25': BITNET_B158,
};

const CONTEXT_KEY = 'context_length';
const MAX_CONTEXT = 2 ** 20;

/**
 * The architecture that a file names.
 *
 * @throws {ModelFileError} MISSING_KEY; UNSUPPORTED_ARCHITECTURE; HADAMARD_ROTATED
 */
export function architectureOf(metadata: Metadata): { name: string; architecture: Architecture } {
  const key = 'general.architecture', { name: file } = metadata;
  const name = metadata.text(key) ?? metadata.fail('MISSING_KEY', key, 'text', undefined);
  const rotated = [...metadata.file.metadata.keys()].find((k) => k.startsWith('prism.hadamard.'));
  if (rotated)
    throw new ModelFileError('HADAMARD_ROTATED',
      `the weights are rotated (${quote(rotated)}), which is not undone here; use a file without rotation`,
      { file, field: rotated });
  if (!Object.hasOwn(ARCHITECTURES, name))
    throw new ModelFileError('UNSUPPORTED_ARCHITECTURE',
      `the architecture is ${quote(name)}; these run: ${Object.keys(ARCHITECTURES).join(', ')}`,
      { file, field: key, expected: Object.keys(ARCHITECTURES).join(', '), actual: name });
  const found = ARCHITECTURES[name], act = metadata.text(`${name}.hidden_activation`);
  if (act === undefined) return { name, architecture: found };
  return { name, architecture: { ...found, hiddenAct: actOf(metadata, name, act) } };
}

function actOf(metadata: Metadata, arch: string, act: string): HiddenAct {
  const names: Readonly<Record<string, HiddenAct>> = { silu: 'silu', relu2: 'relu2', relu_sqr: 'relu2' };
  if (Object.hasOwn(names, act)) return names[act];
  return metadata.fail('UNSUPPORTED', `${arch}.hidden_activation`, 'silu or relu2', act);
}

/** What a configuration needs besides the metadata. */
export interface ConfigFacts {
  /** Rows of the embedding: metadata and tokens may say another number. */
  readonly vocabSize: number;
  /** Whether the file has no head of its own. */
  readonly tied: boolean;
  readonly weights: BitNetConfig['weights'];
  /** Positions that will be used; at most those of the model. Default: all. */
  readonly contextLength?: number;
}

/**
 * The configuration of the model in a file.
 *
 * @throws {ModelFileError} MISSING_KEY, WRONG_TYPE, BAD_HPARAM, UNSUPPORTED naming the key
 */
export function configOf(metadata: Metadata, facts: ConfigFacts): BitNetConfig {
  const { name, architecture } = architectureOf(metadata), key = (rest: string): string => `${name}.${rest}`;
  const heads = metadata.requiredCount(key('attention.head_count'), 1024);
  const hiddenSize = metadata.requiredCount(key('embedding_length'), 2 ** 15);
  const headDim = metadata.count(key('attention.key_length'), 1024) ?? hiddenSize / heads;
  checkHead(metadata, name, headDim);
  const context = metadata.requiredCount(key(CONTEXT_KEY), MAX_CONTEXT);
  const { hiddenAct, subNorms, queryKeyNorms } = architecture;
  const config: BitNetConfig = {
    vocabSize: facts.vocabSize, hiddenSize,
    intermediateSize: metadata.requiredCount(key('feed_forward_length'), 2 ** 17),
    numHiddenLayers: metadata.requiredCount(key('block_count'), 1024),
    numAttentionHeads: heads,
    numKeyValueHeads: metadata.count(key('attention.head_count_kv'), 1024) ?? heads,
    maxPositionEmbeddings: Math.min(context, facts.contextLength ?? context),
    weights: facts.weights, activationBits: 8, shiftedMlpInput: false, quantizationGroups: 1,
    normType: 'rmsnorm', normEps: metadata.required(key('attention.layer_norm_rms_epsilon'), 1e-12, 1),
    subNorms, hiddenAct, gatedMlp: true, positionEmbedding: 'rope',
    ropeTheta: metadata.number(key('rope.freq_base'), 1, 1e12) ?? 10_000,
    tieWordEmbeddings: facts.tied, headDim,
    ...(queryKeyNorms ? { queryKeyNorms } : {}), ...ropeScalingOf(metadata, name, context),
  };
  try {
    return checkConfig(config);
  } catch (cause) {
    throw new ModelFileError('BAD_HPARAM', (cause as Error).message, { file: metadata.name, cause });
  }
}

/** Keys, values and rotation must have the size of a head. */
function checkHead(metadata: Metadata, arch: string, headDim: number): void {
  for (const rest of ['attention.value_length', 'rope.dimension_count']) {
    const value = metadata.count(`${arch}.${rest}`, 1024) ?? headDim;
    if (value !== headDim)
      metadata.fail('UNSUPPORTED', `${arch}.${rest}`, `${headDim}, the size of a head`, value);
  }
}

function ropeScalingOf(
  metadata: Metadata, arch: string, context: number,
): { ropeScaling?: RopeScaling } {
  const key = (rest: string): string => `${arch}.rope.scaling.${rest}`;
  const type = metadata.text(key('type')) ?? 'none', factor = metadata.number(key('factor'), 1e-6, 1e6) ?? 1;
  if (type === 'none' || factor === 1) return {};
  if (type !== 'yarn') return metadata.fail('UNSUPPORTED', key('type'), 'none or yarn', type);
  return {
    ropeScaling: {
      ropeType: 'yarn', factor,
      originalMaxPositionEmbeddings: metadata.count(key('original_context_length'), 2 ** 24) ?? context,
      betaFast: metadata.number(key('yarn_beta_fast'), 1e-3, 1e6) ?? 32,
      betaSlow: metadata.number(key('yarn_beta_slow'), 1e-3, 1e6) ?? 1,
    },
  };
}

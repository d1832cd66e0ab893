/**
 * One description of every architecture that runs here: field names of a Hugging Face
 * `config.json`, camelCased.
 *
 * Presets
 *   bitnet        arXiv 2310.11453: ±1 weights, LayerNorm, SubLN. The paper names neither activation
 *                 nor positions; GELU and RoPE are ours (RoPE 0.2 nats better than learned positions)
 *   bitnet-b1.58  arXiv 2402.17764: ternary weights, RMSNorm, SwiGLU, RoPE, SubLN
 *   transformer   the network that `bitnet` is compared with: the same, with float weights and
 *                 without the norms inside BitLinear
 * @module
 */
import { checkInteger, checkNumber, show } from '../check.ts';
import type { HiddenAct } from '../ops/activation.ts';
import type { NormType } from '../ops/norm.ts';
import type { WeightKind } from '../quant/layout.ts';

export interface BitNetConfig {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly numKeyValueHeads: number;
  /** Longest sequence, in tokens. */
  readonly maxPositionEmbeddings: number;
  /** Element type of the linear weights inside the blocks. */
  readonly weights: WeightKind;
  /** 1 … 8; unused with float weights. */
  readonly activationBits: number;
  /** `elastic`: by one learned scale a BitLinear, not by each token's absmax. Default `absmax`. */
  readonly activationQuantization?: 'absmax' | 'elastic';
  /** Quantize the input of the up projection to [0, Q], the paper's Eq. 6. */
  readonly shiftedMlpInput: boolean;
  /** Groups of model parallelism, each with its own α, β, γ (and SubLN). */
  readonly quantizationGroups: number;
  readonly normType: NormType;
  readonly normEps: number;
  /** Norms before the output projection and the down projection: SubLN. */
  readonly subNorms: boolean;
  /** Norms behind the product of every projection instead, as in BMT (2302.04907). Default false. */
  readonly productNorms?: boolean;
  readonly hiddenAct: HiddenAct;
  /** act(gate) · up instead of act(up). */
  readonly gatedMlp: boolean;
  readonly positionEmbedding: 'learned' | 'rope';
  readonly ropeTheta: number;
  /** How rotary positions are stretched beyond the context of training. Default: not. */
  readonly ropeScaling?: RopeScaling;
  /** Size of one head. Default hiddenSize / numAttentionHeads. */
  readonly headDim?: number;
  /** RMSNorm of every head's query and key before the rotation, as in Qwen3. Default false. */
  readonly queryKeyNorms?: boolean;
  readonly tieWordEmbeddings: boolean;
}

/**
 * YaRN: low frequencies are slowed down by `factor`, high ones stay, those between are mixed.
 *
 * Source  Peng et al. 2023, YaRN (arXiv 2309.00071).
 */
export interface RopeScaling {
  readonly ropeType: 'yarn';
  readonly factor: number;
  readonly originalMaxPositionEmbeddings: number;
  /** Turns within the original context from which on a frequency stays, and up to which it slows. */
  readonly betaFast: number;
  readonly betaSlow: number;
}

export type Preset = 'bitnet' | 'bitnet-b1.58' | 'transformer';

export const PRESETS: readonly Preset[] = ['bitnet', 'bitnet-b1.58', 'transformer'];

/** The sizes a caller chooses; the preset gives the rest. */
export interface ModelSize {
  readonly vocabSize: number;
  readonly layers: number;
  readonly heads: number;
  /** Hidden size. */
  readonly width: number;
  /** Longest sequence, in tokens. */
  readonly context: number;
}

const BITNET = {
  weights: 'b1', activationBits: 8, shiftedMlpInput: false, quantizationGroups: 1,
  normType: 'layernorm', normEps: 1e-5, subNorms: true, hiddenAct: 'gelu', gatedMlp: false,
  positionEmbedding: 'rope', ropeTheta: 10_000, tieWordEmbeddings: false,
} as const;

const ARCHITECTURES = {
  'bitnet': BITNET,
  'bitnet-b1.58': {
    ...BITNET, weights: 't2', normType: 'rmsnorm', hiddenAct: 'silu', gatedMlp: true,
  },
  'transformer': { ...BITNET, weights: 'f32', subNorms: false },
} as const;

/**
 * The configuration of a preset at a size, with single fields replaced where wished.
 *
 * The MLP is 4 · width wide; gated, 8/3 · width rounded up to a multiple of 32, so that a block
 * has about the same number of weights.
 *
 * @throws {RangeError} If a size does not fit the others; see `checkConfig`.
 * @example
 * presetConfig('bitnet', { vocabSize: 65, layers: 4, heads: 4, width: 128, context: 64 })
 *   .intermediateSize; // 512
 */
export function presetConfig(
  preset: Preset, size: ModelSize, overrides: Partial<BitNetConfig> = {},
): BitNetConfig {
  if (!Object.hasOwn(ARCHITECTURES, preset))
    throw new RangeError(
      `presetConfig: "preset" expected ${PRESETS.join(', ')}, got ${show(preset)}`);
  const architecture = ARCHITECTURES[preset];
  const { vocabSize, layers, heads, width, context } = size;
  const intermediateSize = architecture.gatedMlp ? Math.ceil((width * 8) / 3 / 32) * 32 : 4 * width;
  return checkConfig({
    vocabSize, hiddenSize: width, intermediateSize, numHiddenLayers: layers,
    numAttentionHeads: heads, numKeyValueHeads: heads, maxPositionEmbeddings: context,
    ...architecture, ...overrides,
  });
}

const oneOf = (name: string, value: unknown, allowed: readonly unknown[]): void => {
  if (!allowed.includes(value))
    throw new RangeError(
      `config: "${name}" expected ${allowed.join(', ')}, got ${show(value)}`);
};

/**
 * Returns the configuration if every field is possible and they fit together.
 *
 * @throws {TypeError} If a field has the wrong type.
 * @throws {RangeError} If a number is out of range or two do not divide.
 */
export function checkConfig(config: BitNetConfig): BitNetConfig {
  checkSizes(config);
  const c = config;
  oneOf('weights', c.weights, ['b1', 't2', 'f32']);
  oneOf('normType', c.normType, ['layernorm', 'rmsnorm']);
  oneOf('hiddenAct', c.hiddenAct, ['gelu', 'relu', 'silu', 'relu2']);
  oneOf('positionEmbedding', c.positionEmbedding, ['learned', 'rope']);
  for (const name of ['shiftedMlpInput', 'subNorms', 'gatedMlp', 'tieWordEmbeddings'] as const)
    oneOf(name, c[name], [true, false]);
  checkNumber('config', 'normEps', c.normEps, 1e-12, 1);
  checkNumber('config', 'ropeTheta', c.ropeTheta, 1, 1e12);
  for (const name of ['queryKeyNorms', 'productNorms'] as const)
    if (c[name] !== undefined) oneOf(name, c[name], [true, false]);
  oneOf('activationQuantization', c.activationQuantization ?? 'absmax', ['absmax', 'elastic']);
  if (c.ropeScaling !== undefined) checkRopeScaling(c.ropeScaling);
  return config;
}

function checkRopeScaling(scaling: RopeScaling): void {
  oneOf('ropeScaling.ropeType', scaling.ropeType, ['yarn']);
  checkNumber('config', 'ropeScaling.factor', scaling.factor, 1, 1e6);
  checkInteger('config', 'ropeScaling.originalMaxPositionEmbeddings',
    scaling.originalMaxPositionEmbeddings, 1, 2 ** 24);
  checkNumber('config', 'ropeScaling.betaSlow', scaling.betaSlow, 1e-3, 1e6);
  checkNumber('config', 'ropeScaling.betaFast', scaling.betaFast, scaling.betaSlow, 1e6);
}

function checkSizes(c: BitNetConfig): void {
  const upTo = (name: keyof BitNetConfig, max: number): void =>
    checkInteger('config', name, c[name], 1, max);
  upTo('vocabSize', 2 ** 20);
  upTo('hiddenSize', 2 ** 15);
  upTo('intermediateSize', 2 ** 17);
  upTo('numHiddenLayers', 1024);
  upTo('numAttentionHeads', 1024);
  upTo('numKeyValueHeads', 1024);
  upTo('maxPositionEmbeddings', 2 ** 20);
  upTo('activationBits', 8);
  upTo('quantizationGroups', 1024);
  if (c.headDim === undefined) divides(c, 'numAttentionHeads', 'hiddenSize', 4);
  else if (c.headDim % 4 !== 0 || !(c.headDim >= 4 && c.headDim <= 1024))
    throw new RangeError(`config: "headDim" expected a multiple of 4 up to 1024, got ${show(c.headDim)}`);
  divides(c, 'numKeyValueHeads', 'numAttentionHeads', 1);
  divides(c, 'quantizationGroups', 'numKeyValueHeads', 1);
  divides(c, 'quantizationGroups', 'intermediateSize', 1);
  if (c.shiftedMlpInput && c.activationBits === 1)
    throw new RangeError('config: "shiftedMlpInput" expected false with 1 activation bit, got true');
  if (c.activationQuantization === 'elastic' &&
      (c.weights === 'f32' || c.activationBits === 1 || c.shiftedMlpInput))
    throw new RangeError('config: "activationQuantization" expected absmax with f32, 1 bit or a shift');
  if (c.productNorms && c.subNorms)
    throw new RangeError('config: "productNorms" expected false with SubLN');
  if (c.quantizationGroups > 1 && (!c.subNorms || c.weights === 'f32'))
    throw new RangeError('config: "quantizationGroups" expected 1 without packed weights and SubLN');
}

/** c[whole] must be a multiple of c[part] · unit. */
function divides(
  c: BitNetConfig, part: keyof BitNetConfig, whole: keyof BitNetConfig, unit: number,
): void {
  const by = (c[part] as number) * unit;
  if ((c[whole] as number) % by !== 0)
    throw new RangeError(
      `config: "${whole}" expected a multiple of ${by} (${part} ${c[part]}` +
      `${unit > 1 ? ` · ${unit}` : ''}), got ${c[whole]}`);
}

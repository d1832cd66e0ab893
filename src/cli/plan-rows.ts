/**
 * What `onebit inspect` says of a model that is not loaded: how it would run, and what that takes.
 * @module
 */
import type { ModelPlan } from '../models.ts';
import { describeEnergy, passEnergy } from './energy-rows.ts';
import { formatBytes, formatCount } from './format.ts';

/** Bytes of keys and values of a position, as f16. */
const positionBytes = ({ config: c }: ModelPlan): number =>
  2 * 2 * c.numHiddenLayers * c.numKeyValueHeads * c.headDim!;

/** For people: a name and a value each. */
export function planRows(plan: ModelPlan): [string, string][] {
  const { config: c } = plan;
  return [
    ['runs', `as ${plan.architectureName}, weights ${c.weights}, activations ${plan.activations}`],
    ['model', `${c.numHiddenLayers} layers, width ${c.hiddenSize}, ${c.numAttentionHeads} heads of ` +
      `${c.headDim!}, ${c.numKeyValueHeads} of keys and values, ${formatCount(c.vocabSize)} tokens, ` +
      `context ${formatCount(c.maxPositionEmbeddings)}`],
    ['memory', `${formatBytes(plan.bytes)} of weights, ` +
      `${formatBytes(positionBytes(plan))} a token of context`],
    ['energy', describeEnergy(c)],
  ];
}

/** For programs; of a model that does not run, the reason. */
export const verdictJson = (plan: ModelPlan | undefined, reason?: string): object => plan ? {
  runs: true, architecture: plan.architectureName, config: plan.config, activations: plan.activations,
  weightBytes: plan.bytes, cacheBytesPerToken: positionBytes(plan), energy: passEnergy(plan.config),
} : { runs: false, reason };

/**
 * Stability: at which learning rates does training diverge, and what do the parts of BitNet give?
 *
 *   rates      BitNet and the float Transformer at rates up to where both fail, without clipping of
 *              gradients, as in the paper
 *   ablations  other quantizers and other places of norms, and groups that quantize for themselves
 *
 * A run has diverged if a number was not finite, or if its last loss is more than DIVERGED nats above
 * its lowest: it had learned something and lost it. It is stuck if it ends above FAR of its first loss:
 * it has learned little more than how frequent each token is, which alone gives 0.7 of it.
 * Source  Wang et al. 2023, BitNet, §3.3, Figure 5, Tables 4, 7 and 8 (arXiv 2310.11453).
 * @module
 */
import type { Preset } from '../model/config.ts';
import type { AblationRow, AblationSetting } from './ablations.ts';
import { ablationChart, ablationNotes, ablationSpecs, ablationTable, runAblations } from './ablations.ts';
import type { Chart, Series } from './chart.ts';
import type { Scale, Study, StudyContext, StudyResult } from './study.ts';
import type { Table } from './table.ts';
import type { RunRecord, TrainingSpec } from './training-run.ts';
import { planRun, trainRun } from './training-run.ts';

const FAMILIES: readonly Preset[] = ['transformer', 'bitnet'];

interface Setting extends AblationSetting {
  readonly rates: readonly number[];
  readonly steps: number;
}

/** Small and many steps: what diverges late must be given the time to. */
const BASE = { layers: 3, heads: 4, width: 64, context: 64, batch: 4, vocabSize: 1024 } as const;

const SETTINGS: Readonly<Record<Scale, Setting>> = {
  tiny: {
    rates: [1e-3, 1], steps: 12, ablationSteps: 12, seeds: 1,
    base: { ...BASE, layers: 1, width: 32, context: 64, batch: 2, vocabSize: 512, characters: 60_000 },
  },
  quick: {
    rates: [1e-3, 1e-2, 1e-1], steps: 600, ablationSteps: 600, seeds: 1,
    base: { ...BASE, characters: 1_600_000 },
  },
  full: {
    rates: [1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1], steps: 1500, ablationSteps: 2000, seeds: 3,
    base: { ...BASE, characters: 6_000_000 },
  },
};

/** Nats above the lowest loss, and share of the first loss. */
const DIVERGED = 0.5, FAR = 0.55;

const rateSpecs = (scale: Scale, seed: number): TrainingSpec[] => {
  const { rates, steps, base } = SETTINGS[scale];
  return FAMILIES.flatMap((preset) => rates.map((learningRate): TrainingSpec =>
    ({ preset, ...base, steps, learningRate, seed, options: { clipNorm: 0 } })));
};

export const stability: Study = {
  name: 'stability',
  title: 'Stability of training',
  claim: 'BitNet converges at learning rates at which a float Transformer diverges; its norms before ' +
    'quantization and its absmax quantization both help.',
  plan: (scale: Scale, seed: number) => [
    ...rateSpecs(scale, seed), ...ablationSpecs(SETTINGS[scale], seed),
  ].map(planRun),
  run,
};

async function run(context: StudyContext): Promise<StudyResult> {
  const { scale, seed } = context;
  const swept: RunRecord[] = [];
  for (const spec of rateSpecs(scale, seed)) swept.push((await trainRun(context, spec)).record);
  const ablated = await runAblations(context, SETTINGS[scale]);
  return {
    tables: [ratesTable(swept), ablationTable(ablated, (record) => outcome(record) === 'diverged')],
    charts: [
      sweepChart(swept), ...FAMILIES.map((family) => curvesChart(family, swept)),
      ablationChart(ablated)],
    notes: notes(swept, ablated), config: SETTINGS[scale],
  };
}

/** How a run ended. */
export function outcome({ curve, nonFiniteStep }: RunRecord): 'converged' | 'diverged' | 'stuck' {
  if (nonFiniteStep !== null || curve.length === 0) return 'diverged';
  const losses = curve.map(([, loss]) => loss), last = losses.at(-1)!;
  if (last > Math.min(...losses) + DIVERGED) return 'diverged';
  return losses.length > 1 && last > FAR * losses[0] ? 'stuck' : 'converged';
}

const ratesTable = (records: readonly RunRecord[]): Table => ({
  name: 'rates', title: 'Learning rates, without clipping of gradients',
  columns: [
    { title: 'model' }, { title: 'peak rate' }, { title: 'loss', unit: 'nats/token', decimals: 4 },
    { title: 'outcome' }, { title: 'first step that is not finite' }],
  rows: records.map((record) => [
    record.spec.preset, record.spec.learningRate, record.valLoss, outcome(record), record.nonFiniteStep]),
});

const sweepChart = (records: readonly RunRecord[]): Chart => ({
  kind: 'plot', name: 'sweep', title: 'Loss after training, by learning rate',
  x: { label: 'peak learning rate', scale: 'log' },
  y: { label: 'validation loss', unit: 'nats per token', ...ceiling(records) },
  series: FAMILIES.flatMap((family): Series[] => {
    const points = records.filter(({ spec, valLoss }) => spec.preset === family && valLoss !== null)
      .map(({ spec, valLoss }) => ({ x: spec.learningRate, y: valLoss! }));
    return [{ name: family, family, style: 'line', points }, { name: family, family, style: 'dots', points }];
  }),
});

const curvesChart = (family: Preset, records: readonly RunRecord[]): Chart => ({
  kind: 'plot', name: `curves-${family}`, title: `Training of ${family} at each rate`,
  x: { label: 'step' }, y: { label: 'training loss', unit: 'nats per token', ...ceiling(records) },
  series: records.filter(({ spec }) => spec.preset === family).map(({ spec, curve }): Series => ({
    name: String(spec.learningRate), family: `rate ${spec.learningRate}`, style: 'line',
    points: curve.map(([x, y]) => ({ x, y })) })),
});

/** Losses of runs that explode would flatten all others: a little above where all begin is enough. */
function ceiling(records: readonly RunRecord[]): { to: number } {
  const starts = records.flatMap(({ curve }) => (curve.length > 0 ? [curve[0][1]] : []));
  return { to: Math.ceil(Math.min(...starts)) + 1 };
}

function notes(swept: readonly RunRecord[], ablated: readonly AblationRow[]): string[] {
  const ratesOf = (family: Preset, ...ends: string[]): number[] => swept
    .filter((record) => record.spec.preset === family && ends.includes(outcome(record)))
    .map(({ spec }) => spec.learningRate);
  const lines = FAMILIES.map((family) => {
    const diverged = ratesOf(family, 'diverged'), stuck = ratesOf(family, 'stuck');
    if (diverged.length + stuck.length === 0) return `${family} converges at every rate tried.`;
    const failures = [
      ...(diverged.length > 0 ? [`it diverges at ${diverged.join(', ')}`] : []),
      ...(stuck.length > 0 ? [`it is stuck, learning little, at ${stuck.join(', ')}`] : [])];
    const converged = ratesOf(family, 'converged');
    const most = converged.length > 0 ? `up to a rate of ${Math.max(...converged)}` : 'at no rate tried';
    return `${family} converges ${most}; ${failures.join(', ')}.`;
  });
  const lost = ratesOf('transformer', 'diverged', 'stuck');
  const only = ratesOf('bitnet', 'converged').filter((rate) => lost.includes(rate));
  const verdict = only.length > 0
    ? `At ${only.join(', ')} the float Transformer fails and BitNet does not, as in the paper.`
    : 'No rate was found at which the float Transformer fails and BitNet does not: ' +
      'this differs from the paper.';
  return [...lines, verdict, ...ablationNotes(ablated)];
}

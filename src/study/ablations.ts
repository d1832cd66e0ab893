/**
 * Ablations: what do the parts of BitNet give? The rows of the paper's Table 4, and groups.
 *
 *   SubLN     norms before the inputs of output and down projection are quantized: BitNet itself
 *   Pre-LN    the norms of the block alone
 *   BMT       those, and norms behind every product (Zhang et al. 2023, arXiv 2302.04907)
 *   absmax    inputs quantized by the absmax of each token
 *   elastic   by a learned scale (Liu et al. 2022, BiT, arXiv 2205.13016)
 *
 * The paper trains elastic at an eighth of the others' peak rate (Table 8). So do we, and at the same
 * rate too, since a rate that is too low for the number of steps looks like a bad quantizer.
 * Source  Wang et al. 2023, BitNet, §3.3, Tables 4 and 8 (arXiv 2310.11453).
 * @module
 */
import type { Chart } from './chart.ts';
import { exponential } from './exponential.ts';
import type { StudyContext } from './study.ts';
import type { Table } from './table.ts';
import type { RunRecord, TrainingSpec } from './training-run.ts';
import { trainRun } from './training-run.ts';

/** What all rows have in common. */
export interface AblationSetting {
  readonly ablationSteps: number;
  readonly seeds: number;
  readonly base: Omit<TrainingSpec, 'preset' | 'steps' | 'learningRate' | 'seed'>;
}

/** One row: what differs from BitNet. */
export interface Ablation {
  readonly name: string;
  /** The name under a bar: short. */
  readonly label: string;
  readonly config: NonNullable<TrainingSpec['config']>;
  /** Share of the peak rate. Default 1. */
  readonly rateShare?: number;
  /** Validation perplexity in the paper's Table 4. */
  readonly paper?: number;
}

/** A row and its runs, one a seed. */
export interface AblationRow extends Ablation {
  readonly records: readonly RunRecord[];
}

const ELASTIC = { activationQuantization: 'elastic', subNorms: false } as const;
const RATE = 3e-3;

/** The paper's rows in its order, then ours. */
export const ABLATIONS: readonly Ablation[] = [
  { name: 'Absmax + SubLN (BitNet)', label: 'BitNet', config: {}, paper: 20.34 },
  { name: 'Elastic + Pre-LN', label: 'Elastic, ⅛ rate', config: ELASTIC, rateShare: 1 / 8, paper: 24.05 },
  { name: 'Absmax + Pre-LN', label: 'Pre-LN', config: { subNorms: false }, paper: 22.11 },
  { name: 'Absmax + BMT', label: 'BMT', config: { subNorms: false, productNorms: true }, paper: 22.98 },
  { name: 'Elastic + Pre-LN at the same rate', label: 'Elastic', config: ELASTIC },
  { name: 'Absmax + SubLN in 2 groups', label: '2 groups', config: { quantizationGroups: 2 } },
  { name: 'Absmax + SubLN in 4 groups', label: '4 groups', config: { quantizationGroups: 4 } },
];

/** The runs of a row, one a seed from `seed` on. */
function rowSpecs(
  { config, rateShare = 1 }: Ablation, { ablationSteps: steps, seeds, base }: AblationSetting, seed: number,
): TrainingSpec[] {
  return Array.from({ length: seeds }, (_, s): TrainingSpec =>
    ({ preset: 'bitnet', ...base, steps, learningRate: RATE * rateShare, seed: seed + s, config }));
}

/** All runs, in the order in which they are done. */
export const ablationSpecs = (setting: AblationSetting, seed: number): TrainingSpec[] =>
  ABLATIONS.flatMap((ablation) => rowSpecs(ablation, setting, seed));

/** Does the runs. */
export async function runAblations(context: StudyContext, setting: AblationSetting): Promise<AblationRow[]> {
  const rows: AblationRow[] = [];
  for (const ablation of ABLATIONS) {
    const records: RunRecord[] = [];
    for (const spec of rowSpecs(ablation, setting, context.seed))
      records.push((await trainRun(context, spec)).record);
    rows.push({ ...ablation, records });
  }
  return rows;
}

/** Losses of the runs that have one. */
const lossesOf = ({ records }: AblationRow): number[] => records.flatMap(({ valLoss }) => valLoss ?? []);

/** Mean loss; null if a run has none. */
function meanLoss(row: AblationRow): number | null {
  const losses = lossesOf(row);
  return losses.length < row.records.length ? null
    : losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** @param hasDiverged how a run ended */
export const ablationTable = (
  rows: readonly AblationRow[], hasDiverged: (record: RunRecord) => boolean,
): Table => ({
  name: 'ablations', title: 'Parts of BitNet, in the order of the paper\'s Table 4, and groups',
  columns: [
    { title: 'variant' }, { title: 'peak rate' }, { title: 'seeds' },
    { title: 'loss', unit: 'nats/token', decimals: 4 }, { title: 'lowest', decimals: 4 },
    { title: 'highest', decimals: 4 }, { title: 'diverged' },
    { title: 'perplexity', decimals: 2 }, { title: 'perplexity in the paper', decimals: 2 }],
  rows: rows.map((row) => {
    const { name, records, paper = null } = row, losses = lossesOf(row), loss = meanLoss(row);
    return [
      name, records[0].spec.learningRate, records.length, loss,
      losses.length ? Math.min(...losses) : null, losses.length ? Math.max(...losses) : null,
      records.filter(hasDiverged).length, loss === null ? null : exponential(loss), paper];
  }),
});

export const ablationChart = (rows: readonly AblationRow[]): Chart => ({
  kind: 'bars', name: 'ablations', title: 'Validation loss of BitNet and its variants',
  y: { label: 'validation loss', unit: 'nats per token' }, groups: rows.map(({ label }) => label),
  series: [{
    name: 'bitnet',
    bars: rows.map((row) => {
      const losses = lossesOf(row), value = meanLoss(row);
      return losses.length > 1 ? { value, low: Math.min(...losses), high: Math.max(...losses) } : { value };
    }),
  }],
});

/** Sentences: the effect of each part, and whether the order is the paper's. */
export function ablationNotes(rows: readonly AblationRow[]): string[] {
  const [whole, ...variants] = rows, base = meanLoss(whole);
  const effects = variants.map((row) => {
    const loss = meanLoss(row);
    if (loss === null || base === null) return `${row.name} diverged`;
    return `${row.name} ${loss >= base ? '+' : '−'}${Math.abs(loss - base).toFixed(4)}`;
  });
  return [`Against ${whole.name}, in nats per token: ${effects.join(', ')}.`, ...orderNotes(rows), CAVEAT];
}

/** What stands in the way of a comparison with the paper. */
const CAVEAT = 'Norms of BMT stand here directly behind each product, and those of the blocks stay; its ' +
  'authors\' code has further changes, and the BitNet paper does not say which it took. It does not give ' +
  'the size of its models either. Perplexities are per token of different vocabularies on different texts: ' +
  'only their order can be compared.';

/** Below every number: for rows without a loss. */
const lossOrWorst = (row: AblationRow): number => meanLoss(row) ?? Infinity;

/** Our order of the paper's rows against its own, pair by pair. */
function orderNotes(rows: readonly AblationRow[]): string[] {
  const known = rows.filter(({ paper }) => paper !== undefined);
  const names = (sorted: readonly AblationRow[]): string => sorted.map(({ name }) => name).join(', ');
  const ours = known.toSorted((a, b) => lossOrWorst(a) - lossOrWorst(b) || a.paper! - b.paper!);
  const theirs = known.toSorted((a, b) => a.paper! - b.paper!);
  const pairs = theirs.flatMap((better, i) => theirs.slice(i + 1).map((worse) => ({ better, worse })));
  const kept = pairs.filter(({ better, worse }) => lossOrWorst(better) < lossOrWorst(worse));
  const open = pairs.filter(({ better, worse }) => overlap(better, worse)).length;
  const verdict = kept.length === pairs.length ? 'This is the paper\'s order.'
    : `This is not the paper's order, which is ${names(theirs)}: ` +
      `${kept.length} of ${pairs.length} pairs stand as there.`;
  const [{ records }] = known;
  const doubt = records.length === 1 ? 'With one seed it is not known what is chance.'
    : `Of the ${pairs.length} pairs, ${open} have ranges over ${records.length} seeds that overlap.`;
  return [`From the lowest loss to the highest: ${names(ours)}. ${verdict} ${doubt}`, rateNote(rows)];
}

/** Whether the ranges of two rows' losses overlap. */
function overlap(a: AblationRow, b: AblationRow): boolean {
  const [x, y] = [lossesOf(a), lossesOf(b)];
  return x.length > 0 && y.length > 0 &&
    Math.max(Math.min(...x), Math.min(...y)) <= Math.min(Math.max(...x), Math.max(...y));
}

function rateNote(rows: readonly AblationRow[]): string {
  const elastic = rows.filter(({ config }) => config.activationQuantization === 'elastic');
  const losses = elastic.map((row) => {
    const loss = meanLoss(row), { learningRate } = row.records[0].spec;
    return `${loss === null ? 'no finite loss' : loss.toFixed(4)} at ${learningRate}`;
  });
  return `Elastic has an eighth of the others' peak rate, as in the paper's Table 8, and once the same: ` +
    `${losses.join(', ')}.`;
}

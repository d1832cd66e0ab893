/**
 * Scaling: does the loss of 1-bit models follow the law of float ones, L(N) = a·N^b + c, and does
 * the gap to them shrink with size?
 *
 * c has something to be held against here: the exact entropy of the text, in nats per character.
 * Source  Wang et al. 2023, BitNet, §3.2 and Figure 3 (arXiv 2310.11453).
 * @module
 */
import { naturalLog } from '../corpus/natural-log.ts';
import { storyEntropy } from '../corpus/stories.ts';
import type { Preset } from '../model/config.ts';
import { arithmeticEnergy } from './arithmetic-energy.ts';
import type { Chart, Point, Series } from './chart.ts';
import { exponential } from './exponential.ts';
import type { PowerLaw } from './power-law.ts';
import { fitPowerLaw, predict } from './power-law.ts';
import { BUDGETS, FAMILIES, knownRates, scalingSpecs, tuneRates, tuningSpecs } from './scaling-runs.ts';
import type { TunedRates } from './scaling-runs.ts';
import type { Scale, Study, StudyContext, StudyResult } from './study.ts';
import type { Table } from './table.ts';
import type { RunRecord } from './training-run.ts';
import { planRun, specConfig, trainRun } from './training-run.ts';

/** Seeds of one size, together. */
interface Measured {
  readonly parameters: number;
  readonly layers: number;
  readonly width: number;
  readonly learningRate: number;
  /** Joules of arithmetic a token, at the length of training. */
  readonly energy: number;
  /** Nats per character, one a seed. */
  readonly losses: readonly number[];
  readonly mean: number;
}

/** One family: what was measured, its law, and what the smaller sizes say of the largest. */
interface Family {
  readonly name: Preset;
  readonly sizes: readonly Measured[];
  readonly law: PowerLaw;
  /** The largest size by the law of the others. */
  readonly predicted: number;
}

/** Points of a fitted curve. */
const CURVE = 40;

export const scaling: Study = {
  name: 'scaling',
  title: 'Loss and size',
  claim: 'The loss of BitNet falls with size by the same kind of power law as that of a float ' +
    'Transformer, and the gap between them shrinks.',
  plan: (scale: Scale, seed: number) =>
    [...tuningSpecs(scale, seed), ...scalingSpecs(scale, seed, knownRates)].map(planRun),
  run,
};

async function run(context: StudyContext): Promise<StudyResult> {
  const { scale, seed } = context, rates = await tuneRates(context);
  const records: RunRecord[] = [];
  for (const spec of scalingSpecs(scale, seed, rates.rule))
    records.push((await trainRun(context, spec, true)).record);
  const families = FAMILIES.map((name) => familyOf(name, records));
  return {
    tables: [sizesTable(families), lawTable(families), ...ratesTables(rates)],
    charts: [lossChart(families), gapChart(families), energyChart(families)],
    notes: notes(families), config: { ...BUDGETS[scale], seed },
  };
}

function familyOf(name: Preset, records: readonly RunRecord[]): Family {
  const bySize = new Map<number, RunRecord[]>();
  for (const record of records) {
    if (record.spec.preset !== name || record.natsPerCharacter === null) continue;
    bySize.set(record.parameters, [...bySize.get(record.parameters) ?? [], record]);
  }
  const sizes = [...bySize].sort(([a], [b]) => a - b).map(([parameters, runs]): Measured => {
    const losses = runs.map(({ natsPerCharacter }) => natsPerCharacter!);
    const { layers, width, learningRate, context } = runs[0].spec;
    const { add, mul } = arithmeticEnergy(specConfig(runs[0].spec), context);
    const energy = (add + mul) / context;
    return { parameters, layers, width, learningRate, energy, losses, mean: average(losses) };
  });
  const fit = (used: readonly Measured[]): PowerLaw => fitPowerLaw(
    used.flatMap(({ parameters, losses }) => losses.map(() => parameters)),
    used.flatMap(({ losses }) => losses));
  const largest = sizes.at(-1)!;
  return {
    name, sizes, law: fit(sizes), predicted: predict(fit(sizes.slice(0, -1)), largest.parameters),
  };
}

const average = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Half the range of the seeds; undefined for one. */
const spread = ({ losses }: Measured): { low: number; high: number } | undefined =>
  (losses.length > 1 ? { low: Math.min(...losses), high: Math.max(...losses) } : undefined);

const sizesTable = (families: readonly Family[]): Table => ({
  name: 'sizes', title: 'Validation loss by size',
  columns: [
    { title: 'model' }, { title: 'layers' }, { title: 'width' }, { title: 'weights' },
    { title: 'learning rate' }, { title: 'energy', unit: 'nJ/token' },
    { title: 'seeds' }, { title: 'loss', unit: 'nats/character', decimals: 4 },
    { title: 'lowest', decimals: 4 }, { title: 'highest', decimals: 4 },
  ],
  rows: families.flatMap(({ name, sizes }) => sizes.map((one) => [
    name, one.layers, one.width, one.parameters, one.learningRate, one.energy * 1e9,
    one.losses.length, one.mean, spread(one)?.low ?? null, spread(one)?.high ?? null])),
});

const lawTable = (families: readonly Family[]): Table => ({
  name: 'law', title: 'L(N) = a·N^b + c, with 95 % intervals',
  columns: [
    { title: 'model' }, { title: 'a' }, { title: '± a' }, { title: 'b' }, { title: '± b' },
    { title: 'c', unit: 'nats/character' }, { title: '± c' }, { title: 'R²', decimals: 4 },
    { title: 'largest, measured', decimals: 4 }, { title: 'largest, predicted', decimals: 4 },
    { title: 'error', unit: '%', decimals: 2 },
  ],
  rows: families.map(({ name, law: { a, b, c, r2 }, sizes, predicted }) => {
    const { mean } = sizes.at(-1)!;
    return [
      name, a.value, a.plusMinus, b.value, b.plusMinus, c.value, c.plusMinus, r2, mean, predicted,
      100 * (predicted / mean - 1)];
  }),
});

const ratesTables = ({ tried }: TunedRates): Table[] => (tried.length === 0 ? [] : [{
  name: 'rates', title: 'Learning rates tried, in runs of 3/8 of the steps',
  columns: [
    { title: 'model' }, { title: 'width' }, { title: 'rate' },
    { title: 'loss', unit: 'nats/token', decimals: 4 }],
  rows: tried,
}]);

function lossChart(families: readonly Family[]): Chart {
  const { natsPerCharacter } = storyEntropy();
  return {
    kind: 'plot', name: 'loss', title: 'Loss falls with size as a power law',
    x: { label: 'weights', scale: 'log' },
    y: { label: 'validation loss', unit: 'nats per character', scale: 'log' },
    levels: [{ y: natsPerCharacter, label: `entropy of the text, ${natsPerCharacter.toFixed(4)}` }],
    series: families.flatMap(({ name, sizes, law }) => [
      { name: `${name}, fit`, family: name, style: 'dashes', points: curve(sizes, (n) => predict(law, n)) },
      {
        name, family: name, style: 'dots',
        points: sizes.map((one): Point => ({ x: one.parameters, y: one.mean, ...spread(one) })),
      },
    ]),
  };
}

/** A curve over the sizes, at equal ratios. */
function curve(sizes: readonly Measured[], f: (size: number) => number): Point[] {
  const first = naturalLog(sizes[0].parameters), last = naturalLog(sizes.at(-1)!.parameters);
  return Array.from({ length: CURVE + 1 }, (_, i) => {
    const x = exponential(first + ((last - first) * i) / CURVE);
    return { x, y: f(x) };
  });
}

function gapChart(families: readonly Family[]): Chart {
  const [float, ...low] = families;
  return {
    kind: 'plot', name: 'gap', title: 'The gap to the float Transformer of the same width',
    x: { label: 'weights of the Transformer', scale: 'log' },
    y: { label: 'loss above it', unit: '%' },
    levels: [{ y: 0, label: 'float Transformer' }],
    series: low.flatMap(({ name, sizes }) => {
      const points = sizes.map((one, i) =>
        ({ x: float.sizes[i].parameters, y: 100 * (one.mean / float.sizes[i].mean - 1) }));
      return [
        { name, family: name, style: 'line' as const, points },
        { name, family: name, style: 'dots' as const, points }];
    }),
  };
}

/** The paper's inference-optimal curve: what loss is to be had for a given energy. */
const energyChart = (families: readonly Family[]): Chart => ({
  kind: 'plot', name: 'energy', title: 'Loss for the energy of a token',
  x: { label: 'arithmetic of a token in inference, 7 nm, Transformer in FP16', unit: 'nJ', scale: 'log' },
  y: { label: 'validation loss', unit: 'nats per character', scale: 'log' },
  series: families.flatMap(({ name, sizes }): Series[] => {
    const points = sizes.map((one): Point => ({ x: one.energy * 1e9, y: one.mean, ...spread(one) }));
    return [{ name, family: name, style: 'line', points }, { name, family: name, style: 'dots', points }];
  }),
});

function notes(families: readonly Family[]): string[] {
  const [float, ...low] = families, { natsPerCharacter } = storyEntropy();
  const laws = families.map(({ name, law, sizes, predicted }) => {
    const error = 100 * (predicted / sizes.at(-1)!.mean - 1);
    const sign = law.c.value < 0 ? '−' : '+', c = Math.abs(law.c.value);
    return `${name}: L(N) = ${law.a.value.toPrecision(3)}·N^${law.b.value.toFixed(3)} ${sign} ` +
      `${c.toFixed(4)} (± ${law.c.plusMinus.toPrecision(2)}), R² = ${law.r2.toFixed(4)}. ` +
      `From the smaller sizes the largest is predicted ${Math.abs(error).toFixed(2)} % too ` +
      `${error > 0 ? 'high' : 'low'}.`;
  });
  const gaps = low.map(({ name, sizes }) => {
    const gap = (at: number): number => sizes.at(at)!.mean - float.sizes.at(at)!.mean;
    const shrinks = gap(-1) < gap(0);
    return `The gap of ${name} to the Transformer is ${gap(0).toFixed(4)} nats per character at the ` +
      `smallest size and ${gap(-1).toFixed(4)} at the largest: it ` +
      `${shrinks ? 'shrinks, as' : 'does not shrink, unlike what'} the paper says.`;
  });
  return [
    ...laws, ...gaps,
    `The entropy of the text is ${natsPerCharacter.toFixed(4)} nats per character; c cannot truly be ` +
    'below it. c is the loss at infinite size for this number of tokens, so it stays above where data ' +
    'run out.',
  ];
}

/**
 * The training runs of the scaling studies: three families, sizes over two orders of magnitude, the
 * same tokens for all; and the learning rates, tuned where there is time for it.
 *
 *   rate(width) = rate(32) · (width / 32)^p   from 32 to 96, p = log₃(rate(96) / rate(32))
 *               = rate(96) · √(96 / width)    above 96, as the library's defaults fall
 *
 * At full scale rate(32) and rate(96) are the best of five in runs of 3/8 of the steps, and
 * rate(32) also serves below; smaller scales take what was found so.
 * @module
 */
import { naturalLog } from '../corpus/natural-log.ts';
import type { Preset } from '../model/config.ts';
import { exponential } from './exponential.ts';
import type { Scale, StudyContext } from './study.ts';
import type { TrainingSpec } from './training-run.ts';
import { trainRun } from './training-run.ts';

/** Float first: it is what the others are compared with. */
export const FAMILIES: readonly Preset[] = ['transformer', 'bitnet', 'bitnet-b1.58'];

interface Size {
  readonly layers: number;
  readonly heads: number;
  readonly width: number;
}

const size = (layers: number, width: number): Size =>
  ({ layers, heads: Math.max(1, width / 32), width });

/** Smallest first. With a vocabulary of 1024: 0.02, 0.05, 0.16, 0.4, 0.9 and 2 million weights. */
const SIZES: Readonly<Record<Scale, readonly Size[]>> = {
  tiny: [size(1, 16), size(1, 32), size(2, 32), size(2, 64)],
  quick: [size(1, 16), size(1, 32), size(2, 64), size(3, 96), size(4, 128)],
  full: [size(1, 16), size(1, 32), size(2, 64), size(3, 96), size(4, 128), size(4, 192)],
};

/** What all runs of a scale have in common. */
export const BUDGETS = {
  tiny: { context: 64, batch: 2, steps: 12, vocabSize: 512, characters: 60_000 },
  quick: { context: 256, batch: 2, steps: 600, vocabSize: 1024, characters: 1_600_000 },
  full: { context: 256, batch: 2, steps: 1600, vocabSize: 1024, characters: 6_000_000 },
} as const satisfies Readonly<Record<Scale, Partial<TrainingSpec>>>;

/** Sizes that are run with several seeds, from the smallest, and how many. */
const SEEDS: Readonly<Record<Scale, { readonly sizes: number; readonly seeds: number }>> = {
  tiny: { sizes: 1, seeds: 2 }, quick: { sizes: 2, seeds: 3 }, full: { sizes: 3, seeds: 3 },
};

const TUNED_WIDTHS = [32, 96] as const;
const RATES_TRIED = [2e-3, 4e-3, 8e-3, 16e-3, 32e-3] as const;
/** Share of the steps that a run for tuning has. */
const TUNING_SHARE = 3 / 8;

/** The rate of a family at a width. */
export type RateRule = (family: Preset, width: number) => number;

/** A rule through the best rates of the two widths. */
function ruleThrough(best: RateRule): RateRule {
  return (family, width) => {
    const [narrow, wide] = TUNED_WIDTHS, atNarrow = best(family, narrow), atWide = best(family, wide);
    if (width > wide) return atWide * Math.sqrt(wide / width);
    const power = naturalLog(atWide / atNarrow) / naturalLog(wide / narrow);
    return atNarrow * exponential(power * naturalLog(Math.max(1, width / narrow)));
  };
}

/** What tuning found at full scale, seed 1: the best rates at the widths 32 and 96. */
const FOUND: Readonly<Record<Preset, readonly [narrow: number, wide: number]>> = {
  'transformer': [32e-3, 8e-3], 'bitnet': [16e-3, 4e-3], 'bitnet-b1.58': [16e-3, 2e-3],
};

/** The rule through what was found before, where there is no time to tune. */
export const knownRates: RateRule = ruleThrough((family, width) => FOUND[family][width === 32 ? 0 : 1]);

/** Runs of the study, family by family, size by size, seed by seed. */
export function scalingSpecs(scale: Scale, seed: number, rates: RateRule): TrainingSpec[] {
  const { sizes, seeds } = SEEDS[scale];
  return FAMILIES.flatMap((preset) => SIZES[scale].flatMap((one, i) =>
    Array.from({ length: i < sizes ? seeds : 1 }, (_, s): TrainingSpec => ({
      preset, ...one, ...BUDGETS[scale], learningRate: rates(preset, one.width), seed: seed + s }))));
}

/** Short runs that find the rates; none but at full scale. */
export function tuningSpecs(scale: Scale, seed: number): TrainingSpec[] {
  if (scale !== 'full') return [];
  const budget = BUDGETS[scale], steps = budget.steps * TUNING_SHARE;
  return FAMILIES.flatMap((preset) => TUNED_WIDTHS.flatMap((width) => RATES_TRIED.map(
    (learningRate): TrainingSpec => ({
      preset, ...SIZES[scale].find((one) => one.width === width)!, ...budget, steps, learningRate, seed }))));
}

/** What tuning found, and how. */
export interface TunedRates {
  readonly rule: RateRule;
  /** [family, width, rate tried, validation loss] */
  readonly tried: readonly (readonly [Preset, number, number, number | null])[];
}

/** The rates of a scale, by training where they are tuned. */
export async function tuneRates(context: StudyContext): Promise<TunedRates> {
  const { scale, seed } = context, tried: [Preset, number, number, number | null][] = [];
  for (const spec of tuningSpecs(scale, seed)) {
    const { record } = await trainRun(context, spec);
    tried.push([spec.preset, spec.width, spec.learningRate, record.valLoss]);
  }
  if (tried.length === 0) return { rule: knownRates, tried };
  return { rule: rateRule(tried), tried };
}

/** The rule through the best of the rates that were tried. */
export const rateRule = (tried: TunedRates['tried']): RateRule => ruleThrough((family, width) => {
  const runs = tried.filter(([preset, at]) => preset === family && at === width);
  return runs.reduce((a, b) => ((b[3] ?? Infinity) < (a[3] ?? Infinity) ? b : a))[2];
});

/**
 * Quantization after training against training in 1 bit: the paper's Table 3, small.
 *
 * One float Transformer is trained and then quantized by four methods at five bit widths; BitNet is
 * trained with as many weights on the same tokens. Perplexity on text that nobody has seen, and the
 * questions of the accuracy study, zero-shot.
 * Source  Wang et al. 2023, BitNet, §3.3, Table 3 (arXiv 2310.11453).
 * @module
 */
import type { Preset } from '../model/config.ts';
import { evaluate } from '../model/evaluate.ts';
import { Rng } from '../rng.ts';
import type { LanguageModel } from '../sample/language-model.ts';
import { drawBatch } from '../train/data.ts';
import { exponential } from './exponential.ts';
import type { CalibrationText } from './ptq/calibration.ts';
import type { QuantizationScheme } from './ptq/quantize-model.ts';
import { quantizeModel } from './ptq/quantize-model.ts';
import { quantizationReport } from './quantization-report.ts';
import { knownRates } from './scaling-runs.ts';
import { runTask } from './score.ts';
import { readRecord, runKey, writeRecord } from './store.ts';
import type { TaskKind } from './story-tasks.ts';
import { TASK_KINDS, storyTask } from './story-tasks.ts';
import { storyData } from './story-data.ts';
import type { PlannedRun, Scale, Study, StudyContext, StudyResult } from './study.ts';
import type { TrainedRun, TrainingSpec } from './training-run.ts';
import { openRun, planRun, trainRun } from './training-run.ts';

/** A row of the table: a trained model, and how it is quantized. */
export interface QuantizationRow {
  /** `W4A16`, as in the paper; 16 stands for floats, f32 here. */
  readonly bits: string;
  readonly preset: Preset;
  readonly scheme?: QuantizationScheme;
  /** The paper's perplexity and average accuracy in %, at 6.7 billion weights. */
  readonly paper: readonly [perplexity: number, accuracy: number];
}

const after = (
  method: QuantizationScheme['method'], weightBits: number, activationBits: number,
  ...paper: [number, number]
): QuantizationRow => ({
  bits: `W${weightBits}A${activationBits}`, preset: 'transformer', paper,
  scheme: { method, weightBits, activationBits },
});

/** In the order of the paper's table. */
export const QUANTIZATION_ROWS: readonly QuantizationRow[] = [
  { bits: 'W16A16', preset: 'transformer', paper: [15.19, 57.8] },
  after('absmax', 8, 8, 21.43, 53.4), after('smoothquant', 8, 8, 15.67, 56.7),
  after('gptq', 4, 16, 16.05, 52.9), after('absmax', 4, 4, 4.8e4, 46.2),
  after('smoothquant', 4, 4, 1.6e6, 45.1), after('gptq', 2, 16, 1032, 45.2),
  after('quip', 2, 16, 70.43, 49.0), after('absmax', 1, 8, 3.5e23, 44.6),
  after('smoothquant', 1, 8, 3.3e21, 44.4), { bits: 'W1A8', preset: 'bitnet', paper: [17.07, 55.9] },
];

/** What a row gave. */
export interface QuantizationScore {
  /** Nats per token. */
  readonly loss: number;
  readonly perplexity: number;
  /** Right answers of each kind. */
  readonly correct: Readonly<Record<TaskKind, number>>;
}

/** Sizes; `quick` has those of a default run on the stories. */
const BUDGETS = {
  tiny: {
    layers: 1, heads: 2, width: 32, context: 64, batch: 2, steps: 40, vocabSize: 512,
    characters: 60_000 },
  quick: {
    layers: 2, heads: 4, width: 128, context: 128, batch: 2, steps: 1200, vocabSize: 1024,
    characters: 1_600_000 },
  full: {
    layers: 4, heads: 6, width: 192, context: 256, batch: 2, steps: 1600, vocabSize: 1024,
    characters: 6_000_000 },
} as const satisfies Readonly<Record<Scale, Partial<TrainingSpec>>>;

/** Sequences of the training text that quantizers read; GPTQ's paper takes 128. */
const CALIBRATION: Readonly<Record<Scale, number>> = { tiny: 8, quick: 128, full: 128 };
/** Stream of the seed that draws them. */
const CALIBRATION_STREAM = 2;
/** Questions of each kind. */
export const QUESTIONS: Readonly<Record<Scale, number>> = { tiny: 10, quick: 60, full: 300 };
const VALIDATION_TOKENS = 32_768;
/** Estimated seconds: of a question, and of one weight's quantization. */
const SECONDS_PER_QUESTION = 0.006;
const SECONDS_PER_ROW: Readonly<Record<Scale, number>> = { tiny: 0.2, quick: 4, full: 20 };
/** Changed by hand when a quantizer computes other numbers. */
const VERSION = 1;

/** The same budget for both, each at the rate that tuning found; at full scale, runs of the scaling study. */
export const quantizationSpec = (scale: Scale, seed: number, preset: Preset): TrainingSpec => ({
  preset, ...BUDGETS[scale], learningRate: knownRates(preset, BUDGETS[scale].width), seed });

const PRESETS: readonly Preset[] = ['transformer', 'bitnet'];

/** `absmax W8A8` */
export const rowLabel = ({ bits, preset, scheme }: QuantizationRow): string =>
  `${scheme?.method ?? preset} ${bits}`;

const planRow = (scale: Scale, row: QuantizationRow): PlannedRun => ({
  label: rowLabel(row),
  seconds: SECONDS_PER_ROW[scale] + QUESTIONS[scale] * TASK_KINDS.length * SECONDS_PER_QUESTION,
});

export const quantization: Study = {
  name: 'quantization',
  title: 'Quantization after training',
  claim: 'Trained in 1 bit, BitNet is far better than a float Transformer quantized to 1 or 2 bits ' +
    'after training, and close to the float Transformer itself.',
  plan: (scale, seed) => [
    ...PRESETS.map((preset) => planRun(quantizationSpec(scale, seed, preset))),
    ...QUANTIZATION_ROWS.map((row) => planRow(scale, row)),
  ],
  run,
};

async function run(context: StudyContext): Promise<StudyResult> {
  const { scale, seed } = context, runs = new Map<Preset, TrainedRun>();
  for (const preset of PRESETS)
    runs.set(preset, await trainRun(context, quantizationSpec(scale, seed, preset), true));
  const scores: (QuantizationScore | undefined)[] = [];
  for (const row of QUANTIZATION_ROWS) {
    context.signal?.throwIfAborted();
    const trained = runs.get(row.preset)!;
    scores.push(trained.bytes && await scoreRow(context, row, trained));
  }
  return quantizationReport(QUANTIZATION_ROWS, scores, QUESTIONS[scale], {
    ...BUDGETS[scale], seed, calibrationSequences: CALIBRATION[scale], questions: QUESTIONS[scale],
    learningRates: PRESETS.map((preset) => quantizationSpec(scale, seed, preset).learningRate) });
}

/** The score of a row, from the store or by quantizing. */
async function scoreRow(
  context: StudyContext, row: QuantizationRow, trained: TrainedRun,
): Promise<QuantizationScore> {
  const { scale, seed, store, meter } = context, { spec } = trained.record;
  const { label, seconds } = planRow(scale, row);
  const settings = [VERSION, spec, row.scheme ?? null, scale, seed];
  const key = runKey('quantization', settings, context.fingerprint);
  const known = await readRecord<QuantizationScore>(store, key);
  if (known) {
    meter.skip(label, seconds);
    return known;
  }
  meter.advance(label, 0);
  const model = openRun(context, trained);
  try {
    if (row.scheme) quantizeModel(model.model, row.scheme, calibrationText(spec, scale, seed), seed);
    const score = await scoreOf(context, model, spec);
    await writeRecord(store, key, score);
    meter.advance(label, seconds);
    return score;
  } finally {
    model.dispose();
  }
}

/** Sequences from the training text. */
export function calibrationText(spec: TrainingSpec, scale: Scale, seed: number): CalibrationText {
  const { dataset } = storyData(spec.vocabSize, spec.characters);
  const rng = new Rng(seed, CALIBRATION_STREAM), length = spec.context;
  return { ids: drawBatch(dataset.train, CALIBRATION[scale], length, rng).ids, length };
}

async function scoreOf(
  { scale, seed, signal }: StudyContext, model: LanguageModel, spec: TrainingSpec,
): Promise<QuantizationScore> {
  const { validation } = storyData(spec.vocabSize, spec.characters).dataset;
  const { loss } = evaluate(model.model, validation, { maxTokens: VALIDATION_TOKENS });
  const correct = {} as Record<TaskKind, number>;
  for (const kind of TASK_KINDS)
    correct[kind] = (await runTask(model, storyTask(kind, QUESTIONS[scale], seed), { signal })).correct;
  return { loss, perplexity: exponential(Math.min(700, loss)), correct };
}

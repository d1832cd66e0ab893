/**
 * Accuracy: do larger 1-bit models answer more questions right, and as many as float ones?
 *
 * Asks the models of the scaling study, first seed, four kinds of questions about the stories' world
 * with no and with four examples. Source  Wang et al. 2023, BitNet, §3.2, Figure 4 (arXiv 2310.11453).
 * @module
 */
import type { Preset } from '../model/config.ts';
import type { Share } from './binomial.ts';
import { wilson } from './binomial.ts';
import type { Chart, Point } from './chart.ts';
import { BUDGETS, FAMILIES, knownRates, scalingSpecs, tuneRates, tuningSpecs } from './scaling-runs.ts';
import { runTask } from './score.ts';
import { TASK_FACTS, TASK_KINDS, storyTask } from './story-tasks.ts';
import type { TaskKind } from './story-tasks.ts';
import { readRecord, runKey, writeRecord } from './store.ts';
import type { Scale, Study, StudyContext, StudyResult } from './study.ts';
import type { Table } from './table.ts';
import type { RunRecord, TrainedRun, TrainingSpec } from './training-run.ts';
import { openRun, planRun, specLabel, trainRun } from './training-run.ts';

const SHOTS = [0, 4] as const;
/** Questions of each kind. */
const QUESTIONS: Readonly<Record<Scale, number>> = { tiny: 12, quick: 60, full: 300 };
/** Estimated seconds a question, for all its choices. */
const SECONDS_PER_QUESTION = 0.006;

/** Right answers of a model by kind, for a number of shots. */
interface Scores {
  readonly shots: number;
  readonly correct: Readonly<Record<TaskKind, number>>;
}

interface Answered {
  readonly record: RunRecord;
  readonly scores: readonly Scores[];
}

export const accuracy: Study = {
  name: 'accuracy',
  title: 'Right answers and size',
  claim: 'The accuracy of BitNet grows with size as that of a float Transformer does, zero-shot and ' +
    'with four examples.',
  plan: (scale: Scale, seed: number) => [
    ...tuningSpecs(scale, seed).map(planRun),
    ...firstSeeds(scalingSpecs(scale, seed, knownRates), seed).flatMap((spec) => [
      planRun(spec), planQuestions(scale, spec)]),
  ],
  run,
};

const firstSeeds = (specs: readonly TrainingSpec[], seed: number): TrainingSpec[] =>
  specs.filter((spec) => spec.seed === seed);

const planQuestions = (scale: Scale, spec: TrainingSpec) => ({
  label: `questions for ${specLabel(spec)}`,
  seconds: QUESTIONS[scale] * TASK_KINDS.length * SHOTS.length * SECONDS_PER_QUESTION,
});

async function run(context: StudyContext): Promise<StudyResult> {
  const { scale, seed } = context, { rule } = await tuneRates(context);
  const answered: Answered[] = [];
  for (const spec of firstSeeds(scalingSpecs(scale, seed, rule), seed)) {
    const trained = await trainRun(context, spec, true);
    if (trained.bytes)
      answered.push({ record: trained.record, scores: await ask(context, trained) });
  }
  const questions = QUESTIONS[scale];
  return {
    tables: SHOTS.map((shots) => accuracyTable(answered, shots, questions)),
    charts: SHOTS.map((shots) => accuracyChart(answered, shots, questions)),
    notes: notes(answered, questions),
    config: { ...BUDGETS[scale], seed, questions, shots: SHOTS, kinds: TASK_FACTS },
  };
}

/** The answers of a model, from the store or by asking. */
async function ask(context: StudyContext, run: TrainedRun): Promise<Scores[]> {
  const { scale, seed, store, meter, signal } = context, { spec } = run.record;
  const plan = planQuestions(scale, spec);
  const key = runKey('questions', [spec, scale, seed, TASK_KINDS, SHOTS], context.fingerprint);
  const known = await readRecord<Scores[]>(store, key);
  if (known) {
    meter.skip(plan.label, plan.seconds);
    return known;
  }
  const model = openRun(context, run), scores: Scores[] = [];
  try {
    for (const shots of SHOTS) {
      const correct = {} as Record<TaskKind, number>;
      for (const kind of TASK_KINDS) {
        const items = storyTask(kind, QUESTIONS[scale] + shots, seed);
        correct[kind] = (await runTask(model, items, { shots, signal })).correct;
        meter.advance(plan.label, plan.seconds / (TASK_KINDS.length * SHOTS.length));
      }
      scores.push({ shots, correct });
    }
  } finally {
    model.dispose();
  }
  await writeRecord(store, key, scores);
  return scores;
}

/** Right answers of all kinds together: every kind has as many questions. */
function overall({ scores }: Answered, shots: number, questions: number): Share {
  const { correct } = scores.find((one) => one.shots === shots)!;
  const right = TASK_KINDS.reduce((sum, kind) => sum + correct[kind], 0);
  return wilson(right, questions * TASK_KINDS.length);
}

const CHANCE = TASK_KINDS.reduce((sum, kind) => sum + TASK_FACTS[kind].chance, 0) / TASK_KINDS.length;

const shotsName = (shots: number): string => (shots === 0 ? 'zero-shot' : `${shots}-shot`);

const accuracyTable = (answered: readonly Answered[], shots: number, questions: number): Table => ({
  name: shotsName(shots), title: `Right answers, ${shotsName(shots)}`,
  columns: [
    { title: 'model' }, { title: 'weights' },
    ...TASK_KINDS.map((kind) => ({ title: `${kind} (${TASK_FACTS[kind].after})`, unit: '%', decimals: 1 })),
    { title: 'average', unit: '%', decimals: 1 },
    { title: 'low', decimals: 1 }, { title: 'high', decimals: 1 },
  ],
  rows: [
    ['chance', null, ...TASK_KINDS.map((kind) => 100 * TASK_FACTS[kind].chance), 100 * CHANCE, null, null],
    ...answered.map((one) => {
      const { share, low, high } = overall(one, shots, questions);
      const { correct } = one.scores.find((found) => found.shots === shots)!;
      return [
        one.record.spec.preset, one.record.parameters,
        ...TASK_KINDS.map((kind) => (100 * correct[kind]) / questions), 100 * share, 100 * low, 100 * high];
    }),
  ],
});

const accuracyChart = (answered: readonly Answered[], shots: number, questions: number): Chart => ({
  kind: 'plot', name: shotsName(shots), title: `Right answers grow with size, ${shotsName(shots)}`,
  x: { label: 'weights', scale: 'log' }, y: { label: 'right answers', unit: '%', to: 100 },
  levels: [{ y: 100 * CHANCE, label: `chance, ${(100 * CHANCE).toFixed(1)} %` }],
  series: FAMILIES.flatMap((family) => {
    const points = answered.filter(({ record }) => record.spec.preset === family).map((one): Point => {
      const { share, low, high } = overall(one, shots, questions);
      return { x: one.record.parameters, y: 100 * share, low: 100 * low, high: 100 * high };
    });
    return [
      { name: family, family, style: 'line' as const, points },
      { name: family, family, style: 'dots' as const, points }];
  }),
});

function notes(answered: readonly Answered[], questions: number): string[] {
  const largest = (family: Preset): Answered | undefined =>
    answered.findLast(({ record }) => record.spec.preset === family);
  const lines = SHOTS.map((shots) => `Largest models, ${shotsName(shots)}: ` + FAMILIES.flatMap((family) => {
    const one = largest(family);
    if (!one) return [];
    const { share, low, high } = overall(one, shots, questions);
    const [at, from, to] = [share, low, high].map((value) => (100 * value).toFixed(1));
    return [`${family} ${at} % (${from} … ${to})`];
  }).join(', ') + '.');
  return [
    ...lines,
    `${questions} questions of each kind; intervals are Wilson's, 95 %, and hold for the questions, ` +
    'not for the seeds of training. Chance is ' + `${(100 * CHANCE).toFixed(1)} %.`,
  ];
}

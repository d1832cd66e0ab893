/**
 * Table, chart and sentences of the quantization study.
 * @module
 */
import { wilson } from './binomial.ts';
import type { Chart } from './chart.ts';
import type { QuantizationRow, QuantizationScore } from './quantization.ts';
import { TASK_FACTS, TASK_KINDS } from './story-tasks.ts';
import type { StudyResult } from './study.ts';
import type { Cell, Table } from './table.ts';

type Scores = readonly (QuantizationScore | undefined)[];

const NAMES = { absmax: 'Absmax', smoothquant: 'SmoothQuant', gptq: 'GPTQ', quip: 'QuIP' } as const;

const methodName = ({ preset, scheme }: QuantizationRow): string =>
  (scheme ? NAMES[scheme.method] : preset === 'bitnet' ? 'BitNet' : 'Transformer');

const CHANCE = TASK_KINDS.reduce((sum, kind) => sum + TASK_FACTS[kind].chance, 0) / TASK_KINDS.length;

/** Right answers of all kinds together, with their interval. */
const overall = ({ correct }: QuantizationScore, questions: number) => wilson(
  TASK_KINDS.reduce((sum, kind) => sum + correct[kind], 0), questions * TASK_KINDS.length);

/** @param scores one a row; undefined where training diverged */
export function quantizationReport(
  rows: readonly QuantizationRow[], scores: Scores, questions: number, config: unknown,
): StudyResult {
  return {
    tables: [quantizationTable(rows, scores, questions)],
    charts: [lossChart(rows, scores), accuracyChart(rows, scores, questions)],
    notes: notes(rows, scores, questions),
    config,
  };
}

function quantizationTable(
  rows: readonly QuantizationRow[], scores: Scores, questions: number,
): Table {
  const percent = { unit: '%', decimals: 1 };
  return {
    name: 'rows', title: 'Quantization after training, and BitNet',
    columns: [
      { title: 'bits' }, { title: 'method' }, { title: 'perplexity' },
      { title: 'loss', unit: 'nats/token', decimals: 3 },
      ...TASK_KINDS.map((kind) => ({ title: `${kind} (${TASK_FACTS[kind].after})`, ...percent })),
      { title: 'average', ...percent }, { title: 'low', decimals: 1 }, { title: 'high', decimals: 1 },
      { title: 'paper: perplexity' }, { title: 'paper: average', ...percent },
    ],
    rows: [
      ['–', 'chance', null, null, ...TASK_KINDS.map((kind) => 100 * TASK_FACTS[kind].chance),
        100 * CHANCE, null, null, null, 43.8],
      ...rows.map((row, i) => [
        row.bits, methodName(row), ...scoreCells(scores[i], questions), ...row.paper]),
    ],
  };
}

function scoreCells(score: QuantizationScore | undefined, questions: number): Cell[] {
  if (!score) return Array.from({ length: TASK_KINDS.length + 5 }, () => null);
  const { share, low, high } = overall(score, questions);
  return [
    score.perplexity, score.loss, ...TASK_KINDS.map((kind) => (100 * score.correct[kind]) / questions),
    100 * share, 100 * low, 100 * high];
}

const groupsOf = (rows: readonly QuantizationRow[]): string[] =>
  rows.map((row) => `${methodName(row)} ${row.bits}`);

const lossChart = (rows: readonly QuantizationRow[], scores: Scores): Chart => ({
  kind: 'bars', name: 'loss', title: 'Loss after quantization',
  y: { label: 'loss', unit: 'nats/token', from: 0 }, groups: groupsOf(rows),
  series: [{ name: 'loss', bars: scores.map((score) => ({ value: score?.loss ?? null })) }],
});

const accuracyChart = (
  rows: readonly QuantizationRow[], scores: Scores, questions: number,
): Chart => ({
  kind: 'bars', name: 'accuracy', title: 'Right answers after quantization, zero-shot',
  y: { label: 'right answers', unit: '%', from: 0, to: 100 }, groups: groupsOf(rows),
  levels: [{ y: 100 * CHANCE, label: `chance, ${(100 * CHANCE).toFixed(1)} %` }],
  series: [{ name: 'right answers', bars: scores.map((score) => {
    if (!score) return { value: null };
    const { share, low, high } = overall(score, questions);
    return { value: 100 * share, low: 100 * low, high: 100 * high };
  }) }],
});

function notes(rows: readonly QuantizationRow[], scores: Scores, questions: number): string[] {
  const loss = (bits: string, method: string): number | undefined =>
    scores[rows.findIndex((row) => row.bits === bits && methodName(row) === method)]?.loss;
  const compare = (what: string, a: number | undefined, b: number | undefined): string[] =>
    (a === undefined || b === undefined ? []
      : [`${what}: ${a < b ? 'yes' : 'no'}, ${a.toFixed(3)} against ${b.toFixed(3)} nats per token.`]);
  const float = loss('W16A16', 'Transformer');
  const best = (weightBits: number): number | undefined => {
    const losses = rows.flatMap(({ scheme }, i) =>
      (scheme?.weightBits === weightBits && scores[i] ? [scores[i].loss] : []));
    return losses.length ? Math.min(...losses) : undefined;
  };
  return [
    ...(['W8A8 Absmax', 'W8A8 SmoothQuant', 'W4A16 GPTQ', 'W1A8 BitNet'].flatMap((row) => {
      const [bits, method] = row.split(' '), value = loss(bits, method);
      return value === undefined || float === undefined ? []
        : [`${row} has ${(value - float).toFixed(3)} nats per token more than the float model.`];
    })),
    ...compare('At 2 bits QuIP better than GPTQ', loss('W2A16', 'QuIP'), loss('W2A16', 'GPTQ')),
    ...compare('BitNet better than the best of 1 bit after training', loss('W1A8', 'BitNet'), best(1)),
    ...compare('BitNet better than the best of 2 bits after training', loss('W1A8', 'BitNet'), best(2)),
    'A16 means that inputs of layers are not quantized; floats are f32 here. Weights of absmax and ' +
      'SmoothQuant have one scale a matrix, inputs one a token; GPTQ has one grid a row. The 1-bit rows ' +
      'take mean |W| for scale, which is kinder than absmax itself: the paper\'s 1-bit perplexities ' +
      'are far worse than a blind guess, ours need not be.',
    'Two things favour quantization after training here: the calibration text is from the same simple ' +
      'world as the test, and inputs of small models have few outliers (SmoothQuant gains next to ' +
      'nothing). At 6.7 billion weights the paper finds far larger gaps.',
    `One seed of training; ${questions} questions of each kind, intervals are Wilson's, 95 %.`,
  ];
}

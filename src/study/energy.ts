/**
 * Energy: the paper's Table 1, all 36 cells, computed from its operation counts.
 *
 * The numbers are of a model of energy, not of a meter. Beside them stands the work of our own
 * kernels: operations and bytes counted, and the time of a token measured.
 * Source  Wang et al. 2023, BitNet, §2.4, Table 1 (arXiv 2310.11453).
 * @module
 */
import { presetConfig } from '../model/config.ts';
import type { ProcessNode } from './arithmetic-energy.ts';
import { OPERATION_ENERGY, arithmeticEnergy } from './arithmetic-energy.ts';
import type { Chart } from './chart.ts';
import type { Study, StudyContext, StudyResult } from './study.ts';
import type { Table } from './table.ts';
import { measuredTimes } from './token-time.ts';
import { workTable } from './token-work.ts';

/** Length of the sequence in the paper's table. */
const TOKENS = 512;
const NODES: readonly ProcessNode[] = ['7 nm', '45 nm'];
const PRECISIONS = ['32-bit', '16-bit', 'BitNet'] as const;
type Row = (typeof PRECISIONS)[number];

/** Joules as printed: multiplications and additions at 7 nm, then at 45 nm. */
type Printed = readonly [mul7: number, add7: number, mul45: number, add45: number];

interface PaperModel {
  readonly name: string;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly printed: Readonly<Record<Row, Printed>>;
}

const MODELS: readonly PaperModel[] = [
  {
    name: '6.7B', width: 4096, layers: 32, heads: 32,
    printed: {
      '32-bit': [4.41, 1.28, 12.46, 3.03], '16-bit': [1.14, 0.54, 3.70, 1.35],
      'BitNet': [0.02, 0.04, 0.08, 0.13],
    },
  },
  {
    name: '13B', width: 5120, layers: 40, heads: 40,
    printed: {
      '32-bit': [8.58, 2.49, 24.23, 5.89], '16-bit': [2.23, 1.05, 7.20, 2.62],
      'BitNet': [0.04, 0.06, 0.12, 0.24],
    },
  },
  {
    name: '30B', width: 7168, layers: 48, heads: 56,
    printed: {
      '32-bit': [20.09, 5.83, 56.73, 13.80], '16-bit': [5.21, 2.45, 16.87, 6.13],
      'BitNet': [0.06, 0.14, 0.20, 0.53],
    },
  },
];

/** One cell of the table, ours and the paper's. */
export interface EnergyCell {
  readonly model: string;
  readonly precision: Row;
  readonly node: ProcessNode;
  readonly operation: 'multiplications' | 'additions';
  /** Joules. */
  readonly ours: number;
  readonly paper: number;
  /** Equal when ours is rounded as the paper prints. */
  readonly equal: boolean;
}

/** All 36 cells, in the order of the paper. */
export function energyCells(): EnergyCell[] {
  return MODELS.flatMap((model) => PRECISIONS.flatMap((precision) => NODES.flatMap((node, n) => {
    const { add, mul } = energyOf(model, precision, node);
    return ([['multiplications', mul], ['additions', add]] as const).map(([operation, ours], o) => {
      const paper = model.printed[precision][2 * n + o];
      return {
        model: model.name, precision, node, operation, ours, paper,
        equal: ours.toFixed(2) === paper.toFixed(2) };
    });
  })));
}

function energyOf({ width, layers, heads }: PaperModel, precision: Row, node: ProcessNode) {
  const size = { vocabSize: 16_000, layers, heads, width, context: TOKENS };
  const config = presetConfig(precision === 'BitNet' ? 'bitnet' : 'transformer', size);
  return arithmeticEnergy(config, TOKENS, node, precision === '32-bit' ? 'fp32' : 'fp16');
}

export const energy: Study = {
  name: 'energy',
  title: 'Energy of arithmetic',
  claim: 'BitNet takes a small part of the energy of a float Transformer: its matrix products add ' +
    'integers of 8 bits and multiply almost nothing.',
  plan: () => [],
  run: async (context: StudyContext): Promise<StudyResult> => {
    const cells = energyCells();
    return {
      tables: [cellsTable(cells), workTable(), ...await measuredTimes(context)],
      charts: [totalsChart()], notes: notes(cells),
      config: { tokens: TOKENS, picojoules: OPERATION_ENERGY, models: MODELS },
    };
  },
};

const cellsTable = (cells: readonly EnergyCell[]): Table => ({
  name: 'table1', title: `Table 1 of the paper: a pass over ${TOKENS} tokens`,
  columns: [
    { title: 'model' }, { title: 'precision' }, { title: 'node' }, { title: 'operation' },
    { title: 'ours', unit: 'J', decimals: 4 }, { title: 'paper', unit: 'J', decimals: 2 },
    { title: 'difference', unit: 'J', decimals: 4 }, { title: 'equal when rounded' }],
  rows: cells.map(({ model, precision, node, operation, ours, paper, equal }) =>
    [model, precision, node, operation, ours, paper, ours - paper, equal ? 'yes' : 'no']),
});

const totalsChart = (): Chart => ({
  kind: 'bars', name: 'totals', title: `Energy of a pass over ${TOKENS} tokens, at 7 nm`,
  y: { label: 'additions and multiplications', unit: 'J', scale: 'log', from: 0.03, to: 50 },
  groups: MODELS.map(({ name }) => name),
  series: PRECISIONS.map((precision) => ({
    name: precision,
    bars: MODELS.map((model) => {
      const { add, mul } = energyOf(model, precision, '7 nm');
      return { value: add + mul };
    }),
  })),
});

function notes(cells: readonly EnergyCell[]): string[] {
  const misses = cells.filter(({ equal }) => !equal);
  const savings = MODELS.map((model) => {
    const [float, bitnet] = (['16-bit', 'BitNet'] as const).map((precision) => {
      const { add, mul } = energyOf(model, precision, '7 nm');
      return add + mul;
    });
    return `${(float / bitnet).toFixed(1)}× at ${model.name}`;
  });
  return [
    `${cells.length - misses.length} of ${cells.length} cells are equal to the paper's two decimals.`,
    ...misses.map(({ model, precision, node, operation, ours, paper }) =>
      `${model} ${precision}, ${operation} at ${node}: ${ours.toFixed(4)} J here, ${paper.toFixed(2)} ` +
      'printed, which is what rounding up gives.'),
    `BitNet against 16-bit floats at 7 nm: ${savings.join(', ')}.`,
    'These are operation counts times energies from a table: memory, control and clocks are not in them.',
  ];
}

/** The ablations: the paper's rows, their runs, and what is said of their order. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AblationRow, AblationSetting } from '../../src/study/ablations.ts';
import {
  ABLATIONS, ablationChart, ablationNotes, ablationSpecs, ablationTable,
} from '../../src/study/ablations.ts';
import type { RunRecord } from '../../src/study/training-run.ts';
import { specConfig } from '../../src/study/training-run.ts';

const SETTING: AblationSetting = {
  ablationSteps: 5, seeds: 2,
  base: { layers: 1, heads: 4, width: 32, context: 32, batch: 2, vocabSize: 300, characters: 20_000 },
};

/** Rows whose two runs have these mean losses, 0.02 apart; null: neither has one. */
function rowsOf(losses: readonly (number | null)[]): AblationRow[] {
  const specs = ablationSpecs(SETTING, 1);
  return ABLATIONS.map((ablation, r) => ({
    ...ablation,
    records: [-0.01, 0.01].map((apart, s): RunRecord => {
      const loss = losses[r], valLoss = loss === null ? null : loss + apart;
      return {
        spec: specs[2 * r + s], parameters: 1, valLoss, natsPerCharacter: null, curve: [],
        nonFiniteStep: loss === null ? 3 : null,
      };
    }),
  }));
}

const test = suite('ablations');

test('begin with the four rows of the paper\'s Table 4, in its order', () => {
  const paper = ABLATIONS.filter((row) => row.paper !== undefined);
  assert.equal(paper, ABLATIONS.slice(0, 4));
  assert.equal(paper.map((row) => [row.name, row.paper]), [
    ['Absmax + SubLN (BitNet)', 20.34], ['Elastic + Pre-LN', 24.05], ['Absmax + Pre-LN', 22.11],
    ['Absmax + BMT', 22.98]]);
});

test('are models that may be, with elastic at an eighth of the rate and once at the same', () => {
  const specs = ablationSpecs(SETTING, 7);
  assert.is(specs.length, 2 * ABLATIONS.length);
  assert.equal(specs.slice(0, 2).map(({ seed }) => seed), [7, 8]);
  const rate = specs[0].learningRate;
  assert.equal([0, 2, 4, 6, 8].map((i) => specs[i].learningRate / rate), [1, 1 / 8, 1, 1, 1]);
  const configs = specs.map((spec) => specConfig(spec));
  assert.equal([2, 8].map((i) => configs[i].activationQuantization), ['elastic', 'elastic']);
  assert.equal([0, 2, 4, 6].map((i) => configs[i].subNorms), [true, false, false, false]);
  assert.equal([4, 6].map((i) => configs[i].productNorms ?? false), [false, true]);
});

test('say that the order is the paper\'s where it is', () => {
  const [effects, order, rates] = ablationNotes(rowsOf([1, 1.4, 1.2, 1.3, 1.25, 1, 0.9]));
  assert.match(effects, /Elastic \+ Pre-LN \+0\.4000, .*2 groups \+0\.0000, .*4 groups −0\.1000/);
  assert.match(order, /: Absmax \+ SubLN \(BitNet\), Absmax \+ Pre-LN, Absmax \+ BMT, Elastic \+ Pre-LN\. /);
  assert.match(order, /This is the paper's order\. Of the 6 pairs, 0 have ranges .* overlap/);
  assert.match(rates, /1\.4000 at 0\.000375, 1\.2500 at 0\.003\.$/);
});

test('say that it is not where it is not, which pairs stand and which seeds do not tell apart', () => {
  const order = ablationNotes(rowsOf([1.3, 1.4, 1, 1.01, 1, 1, 1]))[1];
  assert.match(order, /: Absmax \+ Pre-LN, Absmax \+ BMT, Absmax \+ SubLN \(BitNet\), Elastic \+ Pre-LN\. /);
  assert.match(order, /This is not the paper's order, which is .*: 4 of 6 pairs stand as there\. /);
  assert.match(order, /Of the 6 pairs, 1 have ranges over 2 seeds that overlap/);
});

test('put a row that diverged last, and show what there is of it', () => {
  const rows = rowsOf([null, 1.4, 1.2, 1.3, null, 1, 1]);
  const [effects, order, rates] = ablationNotes(rows);
  assert.match(effects, /Absmax \+ Pre-LN diverged/); // from what diverged nothing can be told apart
  assert.match(order, /Elastic \+ Pre-LN, Absmax \+ SubLN \(BitNet\)\. This is not/);
  assert.match(rates, /no finite loss at 0\.003/);
  const { columns, rows: cells } = ablationTable(rows, ({ nonFiniteStep }) => nonFiniteStep !== null);
  for (const row of cells) assert.is(row.length, columns.length);
  assert.equal(cells[0].slice(2), [2, null, null, null, 2, null, 20.34]);
  assert.ok(Math.abs((cells[1][7] as number) - Math.exp(1.4)) < 1e-9);
  assert.is(ablationChart(rows).kind, 'bars');
});

test.run();

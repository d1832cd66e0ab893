/** Charts, tables and reports: axes, well-formed drawings, Markdown, CSV, files. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BarChart, PlotChart } from '../../src/study/chart.ts';
import { formatTick, projectAxis } from '../../src/study/chart-axis.ts';
import { drawChart } from '../../src/study/chart-svg.ts';
import type { Provenance } from '../../src/study/report.ts';
import { reportFiles } from '../../src/study/report.ts';
import type { StudyReport } from '../../src/study/study.ts';
import type { Table } from '../../src/study/table.ts';
import { toCsv, toMarkdown } from '../../src/study/table.ts';

const PLOT: PlotChart = {
  kind: 'plot', name: 'loss', title: 'Loss <of> "all" & more',
  x: { label: 'weights', scale: 'log' }, y: { label: 'loss', unit: 'nats' },
  levels: [{ y: 0.2, label: 'entropy' }],
  series: [
    {
      name: 'bitnet', family: 'bitnet', style: 'dots',
      points: [{ x: 1e4, y: 1, low: 0.9, high: 1.1 }, { x: 1e6, y: 0.5 }],
    },
    {
      name: 'bitnet, fit', family: 'bitnet', style: 'dashes',
      points: [{ x: 1e4, y: 1 }, { x: 1e6, y: 0.5 }],
    },
    { name: 'lost', family: 'lost', style: 'line', points: [{ x: 1e5, y: Infinity }, { x: 1e5, y: NaN }] },
  ],
};
const BARS: BarChart = {
  kind: 'bars', name: 'bars', title: 'Bars', y: { label: 'energy', unit: 'J' }, groups: ['a', 'b'],
  series: [
    { name: 'one', bars: [{ value: 1 }, { value: null }] },
    { name: 'two', bars: [{ value: 2, low: 1, high: 3 }, { value: 0.5 }] },
  ],
};
const TABLE: Table = {
  name: 'numbers', title: 'Numbers',
  columns: [{ title: 'name' }, { title: 'loss', unit: 'nats', decimals: 2 }, { title: 'n' }],
  rows: [['a|b', 1.005, 1234567], ['say "hi", you', null, 0.000123456]],
};
const REPORT: StudyReport = {
  name: 'demo', title: 'Demo', claim: 'It works.', scale: 'tiny', seed: 1, fingerprint: '01234567',
  tables: [TABLE], charts: [PLOT, BARS], notes: ['A <note>.'], config: { steps: 1 },
};
const MADE: Provenance = { command: 'onebit reproduce demo', commit: 'abc', version: '1', machine: 'here' };

/** Fails unless every element is closed, in order. */
function checkXml(text: string): void {
  const open: string[] = [];
  for (const [, close, name, self] of text.matchAll(/<(\/?)([a-zA-Z]+)[^>]*?(\/?)>/g)) {
    if (self) continue;
    if (close) assert.is(open.pop(), name);
    else open.push(name);
  }
  assert.equal(open, []);
}

const axes = suite('projectAxis');

axes('linear ticks are round, begin at or below the data and end at or above', () => {
  const { ticks, at } = projectAxis({ label: '' }, [0.13, 0.87]);
  assert.equal(ticks.map(({ text }) => text), ['0', '0.2', '0.4', '0.6', '0.8', '1']);
  assert.is(at(0), 0);
  assert.is(at(1), 1);
  assert.ok(Math.abs(at(0.5) - 0.5) < 1e-12);
});

axes('logarithmic ticks are decades, and equal ratios are equal distances', () => {
  const { ticks, at } = projectAxis({ label: '', scale: 'log' }, [2e3, 5e6]);
  assert.equal(ticks.map(({ text }) => text), ['10 k', '100 k', '1 M']);
  assert.ok(Math.abs((at(1e5) - at(1e4)) - (at(1e6) - at(1e5))) < 1e-12);
  assert.ok(at(2e3) > 0 && at(5e6) < 1);
});

axes('a logarithmic axis of less than a decade has ticks at even steps', () => {
  const { ticks, at } = projectAxis({ label: '', scale: 'log' }, [2.26, 2.5]);
  assert.equal(ticks.map(({ text }) => text), ['2.3', '2.4', '2.5']);
  assert.ok(at(2.5) - at(2.4) < at(2.4) - at(2.3));
});

axes('ends that are given are kept, a single value has room, no value does not fail', () => {
  assert.is(projectAxis({ label: '', from: 0, to: 100 }, [20, 30]).at(100), 1);
  assert.ok(projectAxis({ label: '' }, [3]).ticks.length > 1);
  assert.ok(projectAxis({ label: '' }, []).ticks.length > 1);
  assert.ok(projectAxis({ label: '', scale: 'log' }, [-1, 0]).ticks.length > 1);
});

axes('ticks have SI units above 1000 and as many digits as their step', () => {
  assert.equal(
    [[0, 1], [1500, 500], [2e6, 1e6], [0.25, 0.05], [-3, 1], [1e-5, 1e-5]].map(([v, s]) => formatTick(v, s)),
    ['0', '1.5 k', '2 M', '0.25', '−3', '1e−5']);
});

axes.run();

const drawings = suite('drawChart');

for (const chart of [PLOT, BARS])
  drawings(`${chart.kind}: is well-formed XML with title, axis units, legend and small print`, () => {
    const svg = drawChart(chart, 'id', 'seed 1');
    checkXml(svg);
    assert.match(svg, /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    const unit = chart.kind === 'plot' ? 'loss (nats)' : 'energy (J)';
    for (const text of [unit, 'seed 1', 'prefers-color-scheme:dark'])
      assert.ok(svg.includes(text), text);
    assert.not.match(svg, /NaN|Infinity|undefined/);
  });

drawings('a title is escaped, a fit has no entry in the legend, an error bar is drawn', () => {
  const svg = drawChart(PLOT, 'id', '');
  assert.ok(svg.includes('Loss &lt;of&gt; &quot;all&quot; &amp; more'));
  assert.not.ok(svg.includes('bitnet, fit'));
  assert.is(svg.match(/class="whisker/g)?.length, 1);
  assert.is(svg.match(/<circle/g)?.length, 2);
});

drawings('a bar that was not measured is left out, heights are in proportion', () => {
  const bars = drawChart(BARS, 'id', '').matchAll(/width="44" height="([\d.]+)"/g);
  const heights = [...bars].map(([, height]) => Number(height));
  assert.is(heights.length, 3);
  for (const ratio of [heights[1] / heights[0], heights[0] / heights[2]])
    assert.ok(Math.abs(ratio - 2) < 0.01, String(heights));
});

drawings.run();

const tables = suite('tables');

tables('Markdown rounds, escapes and shows what is missing', () => {
  assert.is(toMarkdown(TABLE),
    '| name | loss (nats) | n |\n| --- | ---: | ---: |\n' +
    `| a\\|b | ${(1.005).toFixed(2)} | 1,234,567 |\n| say "hi", you | – | 0.0001235 |\n`);
});

tables('CSV has every digit and quotes what needs it', () => {
  assert.is(toCsv(TABLE),
    'name,loss (nats),n\r\na|b,1.005,1234567\r\n"say ""hi"", you",,0.000123456\r\n');
});

tables.run();

const reports = suite('reportFiles');

reports('writes Markdown, JSON, tables, charts, an overview and a page that needs no other file', () => {
  const files = reportFiles([REPORT], MADE);
  assert.equal([...files.keys()].sort(), [
    'README.md', 'demo-bars.svg', 'demo-loss.svg', 'demo-numbers.csv', 'demo.json', 'demo.md', 'index.html']);
  const page = files.get('index.html')!;
  assert.not.match(page, /src=|<link|<script|@import|url\((?!#)/);
  assert.is(page.match(/<svg /g)?.length, 2);
  assert.ok(page.includes('A &lt;note&gt;.'));
});

reports('every figure carries scale, seed, commit and code', () => {
  for (const [name, text] of reportFiles([REPORT], MADE))
    if (/svg$|demo\.md$/.test(name))
      assert.ok(text.includes('demo · tiny · seed 1 · commit abc · code 01234567'), name);
  assert.is(JSON.parse(reportFiles([REPORT], MADE).get('demo.json')!).seed, 1);
});

reports.run();

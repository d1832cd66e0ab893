/**
 * Reports: what studies found, as Markdown, CSV, JSON, SVG, and one page of HTML.
 *
 *   NAME.md  NAME.json  NAME-TABLE.csv  NAME-CHART.svg  for each study;  README.md and index.html
 * @module
 */
import { drawChart, escapeXml } from './chart-svg.ts';
import type { StudyReport } from './study.ts';
import { columnTitle, formatCell, toCsv, toMarkdown } from './table.ts';
import type { Table } from './table.ts';

/** Where and with what the reports were made: lines of small print. */
export interface Provenance {
  /** The command, to be given again. */
  readonly command: string;
  /** Of git, where it is known. */
  readonly commit?: string;
  /** Version of the package. */
  readonly version: string;
  /** Processor, runtime, threads. */
  readonly machine: string;
}

/** Text files by name. */
export type Files = ReadonlyMap<string, string>;

/** Seed, commit and code of a figure. */
const smallPrint = (report: StudyReport, { commit, version }: Provenance): string =>
  `${report.name} · ${report.scale} · seed ${report.seed} · ` +
  `${commit ? `commit ${commit}` : `onebit ${version}`} · code ${report.fingerprint}`;

/** The files of some reports. The same reports give the same files. */
export function reportFiles(reports: readonly StudyReport[], provenance: Provenance): Files {
  const files = new Map<string, string>();
  for (const report of reports) {
    files.set(`${report.name}.md`, studyMarkdown(report, provenance));
    files.set(`${report.name}.json`, `${JSON.stringify({ ...provenance, ...report }, null, 1)}\n`);
    for (const table of report.tables) files.set(`${report.name}-${table.name}.csv`, toCsv(table));
    for (const chart of report.charts)
      files.set(`${report.name}-${chart.name}.svg`,
        drawChart(chart, `${report.name}-${chart.name}`, smallPrint(report, provenance)));
  }
  files.set('README.md', overview(reports, provenance));
  files.set('index.html', page(reports, provenance));
  return files;
}

function studyMarkdown(report: StudyReport, provenance: Provenance): string {
  return [
    `# ${report.title}\n`, `${report.claim}\n`,
    ...report.notes.map((note) => `* ${note}`), '',
    ...report.charts.map((chart) => `![${chart.title}](${report.name}-${chart.name}.svg)\n`),
    ...report.tables.map((table) => `## ${table.title}\n\n${toMarkdown(table)}`),
    `<sub>${provenanceLine(report, provenance)}</sub>\n`,
  ].join('\n');
}

const provenanceLine = (report: StudyReport, provenance: Provenance): string =>
  `${smallPrint(report, provenance)} · \`${provenance.command}\` · ${provenance.machine}`;

const overview = (reports: readonly StudyReport[], { command, machine }: Provenance): string => [
  '# The paper\'s evidence, small\n',
  `Made by \`${command}\` on ${machine}. Everything is on one page in [index.html](index.html).\n`,
  ...reports.flatMap(({ name, title, claim, notes }) => [
    `## [${title}](${name}.md)\n`, `${claim}\n`, ...notes.map((note) => `* ${note}`), '']),
].join('\n');

const PAGE_STYLE =
  ':root{color-scheme:light dark;--page:#fff;--ink:#1c2733;--soft:#5d6b79;--rule:#e3e8ed}' +
  '@media (prefers-color-scheme:dark){:root{--page:#12181f;--ink:#e8edf2;--soft:#9aa8b5;--rule:#2a343f}}' +
  'body{margin:0 auto;max-width:820px;padding:40px 24px 80px;background:var(--page);color:var(--ink);' +
  'font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}' +
  'h1{font-size:28px;line-height:1.25}h2{margin-top:64px;padding-top:24px;border-top:1px solid var(--rule)}' +
  'h3{margin:32px 0 8px;font-size:16px}.claim{color:var(--soft);font-size:17px}' +
  'small,.small{color:var(--soft);font-size:13px}' +
  'svg,.table{display:block;width:100%;margin:20px 0}.table{overflow-x:auto}a{color:inherit}' +
  'table{border-collapse:collapse;font-size:13.5px;font-variant-numeric:tabular-nums}' +
  'th,td{padding:5px 12px;border-bottom:1px solid var(--rule);text-align:left;white-space:nowrap}' +
  'th{color:var(--soft);font-weight:500}.n{text-align:right}nav a{margin-right:16px}';

function page(reports: readonly StudyReport[], provenance: Provenance): string {
  const sections = reports.map((report) => [
    `<section id="${report.name}"><h2>${escapeXml(report.title)}</h2>`,
    `<p class="claim">${escapeXml(report.claim)}</p>`,
    `<ul>${report.notes.map((note) => `<li>${escapeXml(note)}</li>`).join('')}</ul>`,
    ...report.charts.map((chart) =>
      drawChart(chart, `${report.name}-${chart.name}`, smallPrint(report, provenance))),
    ...report.tables.map(htmlTable),
    '<details class="small"><summary>Settings</summary><pre>' +
    `${escapeXml(JSON.stringify(report.config, null, 1))}</pre></details>`,
    '</section>',
  ].join('\n'));
  const links = reports.map(({ name, title }) => `<a href="#${name}">${escapeXml(title)}</a>`);
  return '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width"><title>The paper\'s evidence, small</title>' +
    `<style>${PAGE_STYLE}</style></head><body>\n<h1>The paper’s evidence, small</h1>\n` +
    '<p class="claim">BitNet: Scaling 1-bit Transformers for Large Language Models (arXiv 2310.11453), ' +
    'measured again on two cores.</p>\n' +
    `<nav>${links.join('')}</nav>\n${sections.join('\n')}\n` +
    `<p class="small">${escapeXml(provenance.command)} · ${escapeXml(provenance.machine)}` +
    `${provenance.commit ? ` · commit ${escapeXml(provenance.commit)}` : ''}</p>\n</body></html>\n`;
}

function htmlTable({ title, columns, rows }: Table): string {
  const isNumber = columns.map((_, c) => rows.some((row) => typeof row[c] === 'number'));
  const cell = (tag: string, text: string, c: number): string =>
    `<${tag}${isNumber[c] ? ' class="n"' : ''}>${escapeXml(text)}</${tag}>`;
  return `<h3>${escapeXml(title)}</h3><div class="table"><table><thead><tr>` +
    columns.map((column, c) => cell('th', columnTitle(column), c)).join('') + '</tr></thead><tbody>' +
    rows.map((row) =>
      `<tr>${row.map((one, c) => cell('td', formatCell(one, columns[c]), c)).join('')}</tr>`).join('') +
    '</tbody></table></div>';
}

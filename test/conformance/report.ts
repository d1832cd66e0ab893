/**
 * What the runs of the suite gave, compared and printed.
 * @module
 */
import type { Absent } from '../runtimes/catalogue.ts';
import type { Printed } from './suite.ts';

/** One run. */
export interface Result extends Printed {
  readonly name: string;
  readonly version: string;
}

/** A run that did not come to its end. */
export interface Failure {
  readonly name: string;
  readonly reason: string;
}

export interface Report {
  readonly results: readonly Result[];
  readonly failures: readonly Failure[];
  readonly absent: readonly Absent[];
}

const partsOf = ({ results }: Report): string[] => Object.keys(results[0]?.parts ?? {});

/** Whether every run of every runtime gave the same digests, and all came to their end. */
export const isIdentical = (report: Report): boolean =>
  report.results.length > 0 && report.failures.length === 0 &&
  partsOf(report).every((part) =>
    new Set(report.results.map(({ parts }) => parts[part])).size === 1);

/** Names of the columns. */
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** The digest that most runs gave. */
function common(report: Report, part: string): string {
  const counts = new Map<string, number>();
  for (const { parts } of report.results) counts.set(parts[part], (counts.get(parts[part]) ?? 0) + 1);
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}

/** Runtimes down, parts across: a dot where the digest is the common one, else its first digits. */
export function formatTable(report: Report): string {
  const parts = partsOf(report), { results, failures, absent } = report;
  if (results.length === 0) return 'no runtime came to the end of the suite\n';
  const usual = parts.map((part) => common(report, part));
  const names = [...results, ...failures, ...absent].map(({ name }) => name.length);
  const width = Math.max(...names) + 2;
  const cells = parts.map((_, i) => LETTERS[i].padStart(2));
  const rows = [`${' '.repeat(width)}${cells.join('')}   version, engine`];
  for (const { name, parts: found, version, engine } of results) {
    const marks = parts.map((part, i) => (found[part] === usual[i] ? ' ·' : ' ✘')).join('');
    rows.push(`${name.padEnd(width)}${marks}   ${version}, ${engine}`);
  }
  for (const { name, reason } of failures) rows.push(`${name.padEnd(width)} failed: ${reason}`);
  for (const { name, hint } of absent) rows.push(`${name.padEnd(width)} absent: ${hint}`);
  rows.push('', ...parts.map((part, i) => `${cells[i].trim()}  ${usual[i]}  ${part}`));
  for (const { name, parts: found } of results)
    parts.forEach((part, i) => found[part] !== usual[i] &&
      rows.push(`✘  ${found[part]}  ${part} on ${name}`));
  return `${rows.join('\n')}\n`;
}

/** `{runtimes: {name: {version, engine, parts: {part: digest}}}, absent, failed, identical}`. */
export const toJson = (report: Report): string => JSON.stringify({
  runtimes: Object.fromEntries(report.results.map(({ name, version, engine, parts }) =>
    [name, { version, engine, parts }])),
  absent: report.absent.map(({ name }) => name),
  failed: report.failures,
  identical: isIdentical(report),
}, null, 2);

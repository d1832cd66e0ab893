/**
 * Runs the conformance suite on every runtime of this machine and compares.
 *
 *   npm run conformance                   the runtimes that are here; others are named as absent
 *   npm run conformance -- --install      fetch those that the npm registry has, first
 *   npm run conformance -- --only "Bun"   runtimes whose names begin so
 *   npm run conformance -- --json         one JSON object
 *
 * Exit code 0 if all digests are the same, 1 if not.
 * @module
 */
import { parseArgs } from 'node:util';
import { findRuntimes, installRuntimes } from '../runtimes/catalogue.ts';
import type { Mode } from './modes.ts';
import { modesOf } from './modes.ts';
import type { Failure, Result } from './report.ts';
import { formatTable, isIdentical, toJson } from './report.ts';
import { readLines } from './suite.ts';

const { values: flags } = parseArgs({
  options: {
    install: { type: 'boolean', default: false }, json: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
});

async function runMode({ name, version, run }: Mode): Promise<Result | Failure> {
  try {
    return { name, version, ...readLines(await run()) };
  } catch (error) {
    return { name, reason: (error as Error).message };
  }
}

async function main(): Promise<void> {
  const trouble = flags.install ? installRuntimes() : undefined;
  if (trouble) process.stderr.write(`cannot install runtimes: ${trouble}\n`);
  const { found, absent } = findRuntimes();
  const results: Result[] = [], failures: Failure[] = [];
  for (const mode of found.flatMap(modesOf)) {
    if (!mode.name.startsWith(flags.only)) continue;
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${mode.name} …`);
    const result = await runMode(mode);
    if ('parts' in result) results.push(result);
    else failures.push(result);
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const report = { results, failures, absent };
  const identical = isIdentical(report);
  if (flags.json) process.stdout.write(`${toJson(report)}\n`);
  else {
    const runtimes = new Set(results.map(({ name }) => name.split(',')[0])).size;
    process.stdout.write(`${formatTable(report)}\n${identical
      ? `identical: ${results.length} runs on ${runtimes} runtimes` : 'not identical'}\n`);
  }
  process.exitCode = identical ? 0 : 1;
}

void main();

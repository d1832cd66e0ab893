/**
 * Benchmarks: validate, then time. Prints the runtime, the processor, for each kernel and shape the
 * median time and the rate, and the ratios of `figures.ts`.
 *
 *   npm run bench                     everything, about two minutes
 *   npm run bench -- --quick          about half a minute
 *   npm run bench -- --json FILE      also as an array of rows
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Bench } from 'tinybench';
import { createEngine } from '../src/index.ts';
import type { Engine } from '../src/index.ts';
import { Workspace } from '../src/wasm/workspace.ts';
import type { Case } from './case.ts';
import { figures } from './figures.ts';
import { productCases } from './products.ts';
import { trainingCases } from './training.ts';

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean' }, json: { type: 'string' } },
});
/** Milliseconds for each case and each figure. */
const TIME = flags.quick ? 150 : 700;
const FIGURE_TIME = flags.quick ? 1000 : 5000;

const rows: Record<string, unknown>[] = [];
const machine = { runtime: `Node ${process.version}`, processor: cpus()[0].model.trim() };

async function main(): Promise<void> {
  console.log(`${machine.runtime}, ${machine.processor}, ${cpus().length} cores\n`);
  const one = createEngine({ threads: 1 }), two = createEngine({ threads: 2 });
  for (const [threads, engine] of [[1, one], [2, two]] as const) await timeCases(threads, engine);
  console.log();
  const compute = (engine: Engine): { engine: Engine; workspace: Workspace } =>
    ({ engine, workspace: new Workspace(engine.heap) });
  for (const figure of figures(compute(one), compute(two), FIGURE_TIME)) {
    rows.push({ ...machine, ...figure });
    console.log(`${figure.figure.padEnd(24)} ${figure.ratio.toFixed(2).padStart(6)}  ${figure.what}`);
  }
  two.dispose();
  if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(rows, null, 2)}\n`);
}

async function timeCases(threads: number, engine: Engine): Promise<void> {
  for (const group of [productCases, trainingCases]) {
    const cases = group(engine);
    await new Promise((resolve) => setTimeout(resolve, 200)); // workers come online
    const bench = new Bench({ time: TIME, warmupTime: TIME / 2 });
    for (const { name, run } of cases) bench.add(name, run);
    await bench.run();
    for (const [i, { result }] of bench.tasks.entries()) {
      if (!('latency' in result)) throw new Error(`${cases[i].name}: ${result.state}`);
      report(cases[i], threads, result.latency.p50);
    }
  }
}

function report({ name, unit, work }: Case, threads: number, milliseconds: number): void {
  const perSecond = (work / milliseconds) * 1000;
  const rate = unit === 'tokens/s' ? perSecond : perSecond / 1e9;
  rows.push({ ...machine, name, threads, p50: milliseconds, rate, unit });
  console.log(`${name.padEnd(46)} ${threads} thread${threads > 1 ? 's' : ' '}  p50 ` +
    `${milliseconds.toFixed(3).padStart(9)} ms  ${rate.toFixed(rate < 1000 ? 1 : 0).padStart(8)} ${unit}`);
}

await main();

/**
 * Benchmarks: validate, then time. Prints for each kernel, shape, variant and number of threads the median
 * time, the rate, the rate over popcount at 8 bits and over the limit of the machine; then the ratios of
 * `figures.ts`.
 *
 *   npm run bench                     everything, about two minutes
 *   npm run bench -- --quick          less than a minute
 *   npm run bench -- --json FILE      also as an array of rows
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Bench } from 'tinybench';
import { allowRelaxedSimd } from '../src/cli/relaxed-simd.ts';
import { createEngine } from '../src/index.ts';
import type { Engine } from '../src/index.ts';
import type { Compute } from '../src/ops/matrix.ts';
import { Workspace } from '../src/wasm/workspace.ts';
import type { Case } from './case.ts';
import { coldCase } from './cold.ts';
import { figures } from './figures.ts';
import type { Limit } from './limits.ts';
import { multiplyAddLimits } from './limits.ts';
import { inTurns } from './measure.ts';
import { productCases } from './products.ts';
import { trainingCases } from './training.ts';

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean' }, json: { type: 'string' } },
});
/** Milliseconds for each case and each figure. */
const TIME = flags.quick ? 60 : 700;
const FIGURE_TIME = flags.quick ? 1200 : 6000;
/** At least so many runs of each case; the slow ones take hundreds of milliseconds. */
const RUNS = flags.quick ? 8 : 32;

const machine = {
  runtime: `Node ${process.version}`, processor: cpus()[0].model.trim(), cores: cpus().length,
};

/** A line of the table. */
interface Row {
  readonly kernel: string;
  readonly shape: string;
  readonly variant: string;
  readonly threads: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly rate: number;
  readonly unit: string;
  /** Rate over that of popcount at 8 bits, same weights, tokens and threads. */
  readonly overPopcount?: number;
  /** Rate over the limit, and which. */
  readonly overLimit?: number;
  readonly limit?: string;
}

const rows: Record<string, unknown>[] = [];
const computeOf = (engine: Engine): Compute => ({ engine, workspace: new Workspace(engine.heap) });

async function main(): Promise<void> {
  console.log(`${machine.runtime}, ${machine.processor}, ${machine.cores} cores\n`);
  allowRelaxedSimd(); // as the onebit command does
  const one = createEngine({ threads: 1 }), two = createEngine({ threads: 2 });
  for (const note of one.info.notes) console.log(`note: ${note}`);
  if (one.info.build === 'relaxed') await timeProducts(createEngine({ threads: 1, build: 'baseline' }));
  await timeProducts(one);
  timeCold(one);
  await timeProducts(two);
  for (const engine of [one, two]) print(await timeCases(engine, trainingCases(engine)));
  console.log();
  for (const figure of figures(computeOf(one), computeOf(two), FIGURE_TIME)) {
    rows.push({ ...machine, ...figure });
    console.log(`${figure.figure.padEnd(24)} ${figure.ratio.toFixed(2).padStart(6)}  ${figure.what}`);
  }
  two.dispose();
  if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(rows, null, 2)}\n`);
}

async function timeProducts(engine: Engine): Promise<void> {
  const timed = await timeCases(engine, productCases(engine));
  const peak = limitOf(multiplyAddLimits(engine.memory)) / 1e6; // GFLOPS
  print(timed.map((row) => {
    const base = timed.find(({ kernel, shape, variant }) =>
      shape === row.shape && kernel === row.kernel.replace(/^i\d/, 'i8').replace(/ \/.*/, '') &&
      variant.endsWith('popcount'));
    const isFloat = row.limit === 'mul+add' && engine.threads === 1;
    return {
      ...row, overPopcount: base && row.rate / base.rate,
      limit: isFloat ? row.limit : undefined, overLimit: isFloat ? row.rate / peak : undefined,
    };
  }));
}

/** The fastest of some ways to reach a limit, in units a millisecond. */
function limitOf(limits: readonly Limit[]): number {
  const times = inTurns(limits.map(({ run }) => run), TIME);
  return Math.max(...limits.map(({ work }, i) => work / times[i]));
}

function timeCold(engine: Engine): void {
  const { product, limits, dispose } = coldCase(computeOf(engine));
  const [p50, ...reads] = inTurns([product.run, ...limits.map(({ run }) => run)], TIME * 4);
  const best = Math.max(...limits.map(({ work }, i) => work / reads[i]));
  dispose();
  print([{ ...rowOf(product, engine, p50), limit: 'read', overLimit: product.bytes! / p50 / best }]);
}

async function timeCases(engine: Engine, cases: readonly Case[]): Promise<Row[]> {
  await new Promise((resolve) => setTimeout(resolve, 200)); // workers come online
  const bench = new Bench({
    time: TIME, warmupTime: TIME / 2, iterations: RUNS, warmupIterations: RUNS / 4,
  });
  cases.forEach(({ run }, i) => bench.add(String(i), run));
  await bench.run();
  return bench.tasks.map(({ result }, i) => {
    if (!('latency' in result)) throw new Error(`${cases[i].kernel}: ${result.state}`);
    return rowOf(cases[i], engine, result.latency.p50);
  });
}

function rowOf({ kernel, shape, variant, unit, work, limit }: Case, engine: Engine, p50: number): Row {
  const perSecond = (work / p50) * 1000, rate = unit === 'tokens/s' ? perSecond : perSecond / 1e9;
  const build = variant === 'lookup' ? `${engine.info.build} ` : '';
  return { kernel, shape, variant: `${build}${variant}`, threads: engine.threads, p50, rate, unit, limit };
}

function print(timed: readonly Row[]): void {
  for (const row of timed) {
    rows.push({ ...machine, ...row });
    const { kernel, shape, variant, threads, p50, rate, unit, overPopcount, overLimit, limit } = row;
    console.log([
      kernel.padEnd(15), shape.padEnd(30), variant.padEnd(16), `×${threads}`,
      `${p50.toFixed(3).padStart(9)} ms`, `${rate.toFixed(rate < 1000 ? 1 : 0).padStart(7)} ${unit}`,
      overPopcount ? `${overPopcount.toFixed(2)} × popcount` : '',
      overLimit ? `${overLimit.toFixed(2)} of ${limit}` : '',
    ].join('  ').trimEnd());
  }
}

await main();

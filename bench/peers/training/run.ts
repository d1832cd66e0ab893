/**
 * Training speed beside other engines: the same network, weights and batches in each (`lesson.ts`), each in
 * a process of its own, in turns, so that what else the machine does meets all alike. Prints medians.
 *
 *   npm run bench:peers:training -- [--quick] [--rounds N] [--only NAME,…] [--json FILE]
 *
 * First every engine trains a few steps; whose losses are not those of the lesson is not timed. onebit is
 * timed with its presets as users have them: rotary positions, and for the 1-bit ones SubLN and, for
 * bitnet-b1.58, a gated MLP. Theirs are other losses.
 * @module
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createEngine } from '../../../src/index.ts';
import { PRESETS } from '../../../src/model/config.ts';
import { median } from '../../measure.ts';
import { BATCH, SIZE } from '../../training.ts';
import type { Setup } from './contestant.ts';
import { Contestant } from './contestant.ts';
import { CHECKED, writeLesson } from './lesson.ts';
import type { Row } from './report.ts';
import { ratiosOf, reportOf } from './report.ts';

/** Losses of the same network differ by rounding alone; nats. */
const TOLERANCE = 2e-3;
/** Steps at the start of a turn that are not counted: caches and spinning threads come back. */
const WARM = 2;

/** Who takes part: how it is started, with which numbers of threads, and with which network. */
interface Entry {
  readonly name: string;
  readonly command: readonly string[];
  readonly threads: readonly number[];
  readonly preset?: string;
  /** Variables of its environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

const node = (program: string): string[] =>
  [process.execPath, resolve('build/peers/training', `${program}.js`)];

const ENTRIES: readonly Entry[] = [
  ...PRESETS.map((preset) => ({
    name: `onebit ${preset}`, command: node('onebit'), threads: [1, 2], preset,
  })),
  // OpenBLAS has threads of its own; what is best is compared.
  ...['1', '2'].map((OPENBLAS_NUM_THREADS) => ({
    name: 'pytorch', threads: [1, 2], environment: { OPENBLAS_NUM_THREADS },
    command: ['/usr/bin/python3', resolve('bench/peers/training/pytorch.py')],
  })),
  { name: 'tfjs', command: node('tfjs'), threads: [1] },
  { name: 'jax-js', command: node('jax-js'), threads: [1, 2] },
];

/** An engine that has started and computes the right losses. */
interface Runner {
  readonly entry: Entry;
  readonly threads: number;
  readonly contestant: Contestant;
  readonly engine: string;
  readonly difference?: number;
  readonly times: number[];
}

async function start(entry: Entry, setup: Setup, losses: readonly number[]): Promise<Runner> {
  const program = entry.command.at(-1)!;
  if (!existsSync(program)) throw new Error(`${program} is absent`);
  const { contestant, engine } = await Contestant.start(entry.command, setup, entry.environment);
  try {
    const own = (await contestant.train(CHECKED)).losses;
    const difference = Math.max(...own.map((loss, i) => Math.abs(loss - losses[i])));
    if (!entry.preset && !(difference <= TOLERANCE))
      throw new Error(`its losses are ${own.join(', ')}, expected ${losses.join(', ')}`);
    const { threads, preset } = setup;
    return {
      entry, threads, contestant, engine, difference: preset ? undefined : difference, times: [],
    };
  } catch (error) {
    contestant.stop();
    throw error;
  }
}

/** Starts all that `wanted` allows, one after the other; what cannot start is named. */
async function startAll(
  wanted: (name: string) => boolean, folder: string, losses: readonly number[],
): Promise<{ runners: Runner[]; absent: string[] }> {
  const runners: Runner[] = [], absent: string[] = [];
  for (const entry of ENTRIES.filter(({ name }) => wanted(name)))
    for (const threads of entry.threads)
      await start(entry, { folder, threads, preset: entry.preset }, losses).then(
        (one) => runners.push(one),
        (error: Error) => absent.push(`${entry.name}, ${threads} threads: ${error.message}`));
  return { runners, absent };
}

const rowOf = ({ entry, threads, engine, difference, times }: Runner): Row => (
  { name: entry.name, engine, threads, step: median(times), count: times.length, difference });

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean' }, rounds: { type: 'string' }, only: { type: 'string' },
      json: { type: 'string' },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 5)), counted = values.quick ? 3 : 5;
  const names = values.only?.split(',') ?? [''];
  const { folder, losses } = writeLesson(createEngine({ threads: 1 }));
  const { runners, absent } = await startAll(
    (name) => names.some((part) => name.startsWith(part)), folder, losses);
  try {
    for (let round = 0; round < rounds; round++) for (const { contestant, times } of runners)
      times.push(...(await contestant.train(WARM + counted)).times.slice(WARM));
    const rows = runners.map(rowOf);
    const machine = `Node ${process.version}, ${cpus()[0].model.trim()}, ${cpus().length} cores`;
    console.log(`${machine}; a step of ${BATCH} × ${SIZE.context} tokens\n`);
    console.log(reportOf(rows, BATCH * SIZE.context));
    for (const line of absent) console.log(`absent: ${line}`);
    const json = JSON.stringify({ machine, rows, ratios: ratiosOf(rows), absent }, undefined, 1);
    if (values.json) writeFileSync(values.json, `${json}\n`);
  } finally {
    for (const { contestant } of runners) contestant.stop();
    rmSync(folder, { recursive: true });
  }
}

await main();

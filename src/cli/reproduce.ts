/**
 * `onebit reproduce`: the paper's claims, each put to the test by one command.
 * @module
 */
import { quote } from '../errors.ts';
import { createEngine } from '../index.ts';
import { reportFiles } from '../study/report.ts';
import { memoryStore } from '../study/store.ts';
import { STUDIES, studiesNamed } from '../study/studies.ts';
import { prepareStudies, runStudy } from '../study/study.ts';
import type { Scale, Study, StudyReport } from '../study/study.ts';
import type { StudyProgress } from '../study/work-meter.ts';
import { formatSeconds, writeJson } from './format.ts';
import { provenance } from './provenance.ts';
import { openStore, writeReports } from './study-files.ts';
import type { Arguments, Command } from './usage.ts';
import { UsageError } from './usage.ts';

const NAMES = [...STUDIES.map(({ name }) => name), 'all'];
const SIGNAL_EXIT: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 130, SIGTERM: 143 };
/** Milliseconds between two drawings of the progress line. */
const INTERVAL = 200;

export const reproduceCommand: Command = {
  name: 'reproduce',
  synopsis: `reproduce ${NAMES.join('|')} [--quick] [--out DIR] [options]`,
  summary: 'Put the claims of the BitNet paper to the test: tables, charts and a page in DIR (paper).\n' +
    'Stopped with Ctrl-C, the same command continues.',
  positionals: ['STUDY'],
  flags: {
    quick: { type: 'boolean', help: 'a look in minutes instead of results in hours' },
    tiny: { type: 'boolean', help: 'every step in seconds, to see that it works' },
    out: { type: 'string', value: 'DIR', help: 'where reports and finished runs go (paper)' },
    seed: { type: 'number', value: 'N', help: 'the first seed (1)' },
    threads: { type: 'number', value: 'N', help: 'threads (as many as the machine runs)' },
    'dry-run': { type: 'boolean', help: 'print the plan with estimated times, and do nothing' },
    json: { type: 'boolean', help: 'print one JSON object; files only with --out' },
  },
  run,
};

async function run(args: Arguments): Promise<number> {
  const studies = studiesOf(args.positionals[0]), scale = scaleOf(args), seed = args.number('seed') ?? 1;
  if (args.flag('dry-run')) return printPlan(studies, scale, seed, args.flag('json'));
  const out = args.string('out') ?? (args.flag('json') ? undefined : 'paper');
  const store = out === undefined ? memoryStore() : await openStore(out);
  const engine = createEngine({ threads: args.number('threads') }), stop = new AbortController();
  let exitCode = 0;
  const interrupt = (signal: NodeJS.Signals): void => {
    exitCode = SIGNAL_EXIT[signal]!;
    stop.abort();
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const line = new ProgressLine(process.stderr.isTTY === true && !args.flag('json'));
  const reports: StudyReport[] = [];
  try {
    const context = prepareStudies(studies, {
      engine, store, scale, seed, signal: stop.signal, onProgress: (progress) => line.draw(progress),
      clock: () => performance.now() });
    for (const study of studies) reports.push(await runStudy(study, context));
  } catch (error) {
    if (exitCode === 0) throw error;
    line.end();
    process.stderr.write('onebit: stopped; the same command continues\n');
    return exitCode;
  } finally {
    line.end();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
  const made = await provenance(commandOf(args, scale, seed), engine.info);
  if (out !== undefined) await writeReports(out, reportFiles(reports, made));
  if (args.flag('json')) writeJson({ ...made, studies: reports });
  else printReports(reports, out!);
  return 0;
}

function studiesOf(name: string): readonly Study[] {
  if (!NAMES.includes(name))
    throw new UsageError(`STUDY expected ${NAMES.join(', ')}, got ${quote(name)}`);
  return studiesNamed(name);
}

function scaleOf(args: Arguments): Scale {
  if (args.flag('quick') && args.flag('tiny')) throw new UsageError('--quick and --tiny exclude each other');
  return args.flag('quick') ? 'quick' : args.flag('tiny') ? 'tiny' : 'full';
}

const commandOf = (args: Arguments, scale: Scale, seed: number): string =>
  `onebit reproduce ${args.positionals[0]}${scale === 'full' ? '' : ` --${scale}`}` +
  `${seed === 1 ? '' : ` --seed ${seed}`}`;

function printPlan(studies: readonly Study[], scale: Scale, seed: number, json: boolean): number {
  const plans = studies.map(({ name, plan }) => {
    const runs = plan(scale, seed);
    return { name, seconds: runs.reduce((sum, { seconds }) => sum + seconds, 0), runs };
  });
  // runs that studies share have the same label, and are done once
  const once = new Map(plans.flatMap(({ runs }) => runs.map(({ label, seconds }) => [label, seconds])));
  const total = [...once.values()].reduce((sum, seconds) => sum + seconds, 0);
  if (json) writeJson({ scale, seed, seconds: total, studies: plans });
  else process.stdout.write(plans.map(({ name, seconds, runs }) =>
    `${name}: ${runs.length} pieces, about ${formatSeconds(seconds)}\n` +
    runs.map((piece) =>
      `  ${formatSeconds(piece.seconds).padStart(8)}  ${piece.label}\n`).join('')).join('') +
    `together about ${formatSeconds(total)}, with runs that studies share done once\n`);
  return 0;
}

function printReports(reports: readonly StudyReport[], out: string): void {
  process.stdout.write(reports.map(({ title, claim, notes }) =>
    `${title}\n  ${claim}\n${notes.map((note) => `  * ${note}\n`).join('')}\n`).join('') +
    `written to ${out}: index.html shows everything\n`);
}

/** `  42 %  3m 05s left  bitnet, 4 layers of 128, rate 0.003, seed 1`, on a terminal. */
class ProgressLine {
  readonly #show: boolean;
  #drawn = 0;

  constructor(show: boolean) {
    this.#show = show;
  }

  draw({ label, share, secondsLeft }: StudyProgress): void {
    const now = performance.now();
    if (!this.#show || now - this.#drawn < INTERVAL) return;
    this.#drawn = now;
    const left = secondsLeft === undefined ? '' : `${formatSeconds(secondsLeft)} left  `;
    process.stderr.write(`\r\u001b[K${String(Math.floor(100 * share)).padStart(3)} %  ${left}${label}`);
  }

  end(): void {
    if (this.#drawn > 0) process.stderr.write('\r\u001b[K');
    this.#drawn = 0;
  }
}

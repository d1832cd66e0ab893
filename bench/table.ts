/**
 * The tables of README.md and results.md, from what `npm run bench -- --json FILE` wrote.
 *
 *   npm run bench:table -- FILE…      a column for each file
 *
 * @module
 */
import { readFileSync } from 'node:fs';

interface Row {
  readonly runtime: string;
  readonly processor: string;
  readonly kernel?: string;
  readonly shape?: string;
  readonly variant?: string;
  readonly threads?: number;
  readonly rate?: number;
  readonly unit?: string;
  readonly figure?: string;
  readonly what?: string;
  readonly ratio?: number;
}

const files = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')) as Row[]);
if (files.length === 0) throw new Error('expected files that bench -- --json wrote');

/** What tells two rows apart, without the numbers. */
const keyOf = ({ kernel, shape, variant, threads }: Row): string =>
  [kernel, shape, variant, threads].join('|');

function print(heads: readonly string[], lines: readonly (readonly string[])[]): void {
  console.log(`| ${heads.join(' | ')} |\n|${' --- |'.repeat(heads.length)}`);
  for (const line of lines) console.log(`| ${line.join(' | ')} |`);
  console.log();
}

const digits = (rate: number): string => rate < 1000 ? rate.toFixed(1) : String(Math.round(rate));

const runtimes = files.map(([{ runtime }]) => runtime);
console.log(`${files[0][0].processor}\n`);
const timed = files[0].filter(({ kernel }) => kernel !== undefined);
print(['product', 'shape', 'variant', 'threads', 'unit', ...runtimes], timed.map((row) => [
  row.kernel!, row.shape!, row.variant!, String(row.threads), row.unit!,
  ...files.map((rows) => {
    const same = rows.find((other) => keyOf(other) === keyOf(row));
    return same ? digits(same.rate!) : '–';
  }),
]));
print(['figure', ...runtimes, 'what'], files[0].flatMap(({ figure, what }) => figure === undefined ? [] : [[
  `\`${figure}\``,
  ...files.map((rows) => rows.find((row) => row.figure === figure)?.ratio!.toFixed(2) ?? '–'), what!,
]]));

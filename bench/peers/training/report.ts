/**
 * The table of the comparison, and its ratios. Pure: from rows to text.
 * @module
 */

/** One engine at one number of threads. */
export interface Row {
  /** `onebit transformer`, `pytorch`, … */
  readonly name: string;
  /** Its own name and version. */
  readonly engine: string;
  readonly threads: number;
  /** Median milliseconds of a step. */
  readonly step: number;
  /** Steps timed. */
  readonly count: number;
  /** Largest difference of its losses from those of the lesson, nats; undefined for another network. */
  readonly difference?: number;
}

/** Two things compared: how many times faster one is. */
export interface Ratio {
  readonly figure: string;
  readonly what: string;
  readonly ratio: number;
}

/** The least milliseconds of the rows with one of `names`; Infinity if there is none. */
const best = (rows: readonly Row[], ...names: readonly string[]): number =>
  Math.min(...rows.filter(({ name }) => names.includes(name)).map(({ step }) => step));

/**
 * The ratios that the rows allow, each of the better of one and two threads.
 *
 * @example
 * const row = (name: string, step: number) => ({ name, engine: name, threads: 1, step, count: 1 });
 * ratiosOf([row('onebit transformer', 50), row('pytorch', 40)])[0].ratio; // 0.8
 */
export function ratiosOf(rows: readonly Row[]): Ratio[] {
  const float = 'onebit transformer', ours = [float, 'onebit bitnet'];
  const others: readonly (readonly [string, string])[] = [
    ['pytorch', 'PyTorch'], ['tfjs', 'TensorFlow.js'], ['jax-js', 'jax-js'],
  ];
  return [
    ...others.map(([name, title]) => ({
      figure: `train-over-${name}`, what: `the faster of transformer and bitnet over ${title}`,
      ratio: best(rows, name) / best(rows, ...ours),
    })),
    ...['bitnet', 'bitnet-b1.58'].map((preset) => ({
      figure: `train-${preset}-over-float`, what: `${preset} over transformer, both onebit`,
      ratio: best(rows, float) / best(rows, `onebit ${preset}`),
    })),
  ].filter(({ ratio }) => Number.isFinite(ratio) && ratio > 0);
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (heads: readonly string[], body: readonly (readonly string[])[]): string =>
  [line(heads), line(heads.map(() => '---')), ...body.map(line)].join('\n');

/** Both tables, in Markdown. @param tokens of a step */
export function reportOf(rows: readonly Row[], tokens: number): string {
  const body = rows.map(({ engine, threads, step, count, difference }) => [
    engine, String(threads), step.toFixed(1), String(Math.round((tokens / step) * 1000)), String(count),
    difference === undefined ? 'another network' : difference.toExponential(0),
  ]);
  const heads = ['engine', 'threads', 'ms a step', 'tokens/s', 'steps', 'losses differ by'];
  const ratios = ratiosOf(rows).map(({ figure, ratio, what }) => [`\`${figure}\``, ratio.toFixed(2), what]);
  return `${table(heads, body)}\n\n${table(['figure', 'ratio', 'what'], ratios)}`;
}

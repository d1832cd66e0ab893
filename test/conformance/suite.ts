/**
 * The conformance suite: every part prints one line, its name and the digest of its raw results.
 *
 * Two runtimes conform to each other if they print the same lines.
 * @module
 */
import type { Engine } from '../../src/wasm/engine.ts';
import { Digest } from './digest.ts';
import { floatParts } from './float-parts.ts';
import { goldenParts } from './golden-parts.ts';
import { modelParts } from './model-parts.ts';
import type { Part } from './part.ts';
import { runPart } from './part.ts';
import { productParts } from './product-parts.ts';

export const PARTS: readonly Part[] = [
  ...floatParts, ...productParts, ...modelParts, ...goldenParts,
];

/** Between a part's name and its digest. */
export const SEPARATOR = ': ';
/** The name on the last line: threads and build of the kernels, and why not better ones. */
export const ENGINE = 'engine';

/** Runs the parts on one engine and prints a line for each, then what computed them. */
export async function runSuite(engine: Engine, print: (line: string) => void): Promise<void> {
  for (const part of PARTS) {
    print(`${part.name}${SEPARATOR}${await runPart(part, engine, new Digest())}`);
    await new Promise((resolve) => setTimeout(resolve, 5)); // workers come online meanwhile
  }
  const { threads, build, notes } = engine.info;
  const what = `${threads} thread${threads > 1 ? 's' : ''}, ${build}`;
  print(`${ENGINE}${SEPARATOR}${[what, ...notes].join('; ')}`);
  engine.dispose();
}

/** What a run of the suite printed. */
export interface Printed {
  readonly parts: Readonly<Record<string, string>>;
  readonly engine: string;
}

/** Reads the lines again. Throws if the suite did not come to its end. */
export function readLines(text: string): Printed {
  const lines = text.split(/\r?\n/).map((line) => line.split(SEPARATOR));
  const found = new Map(lines.map(([name, ...rest]) => [name, rest.join(SEPARATOR)]));
  const missing = [...PARTS.map(({ name }) => name), ENGINE].filter((name) => !found.has(name));
  if (missing.length > 0) throw new Error(`no line for ${missing.join(', ')}:\n${text.slice(-2000)}`);
  return {
    parts: Object.fromEntries(PARTS.map(({ name }) => [name, found.get(name)!])),
    engine: found.get(ENGINE)!,
  };
}

/**
 * Packs the repository, installs the tarball in projects outside it, and uses it there as its users
 * do: every runtime, bundler and framework must write the same text, without a warning.
 *
 *   npm run test:package             all cases; tools come from the npm registry, pinned
 *   npm run test:package -- --only Vite
 *
 * Exit code 1 if a case fails. Cases whose runtime or tool cannot be had are named.
 * @module
 */
import { parseArgs } from 'node:util';
import { findRuntimes } from '../runtimes/catalogue.ts';
import type { Case, Place } from './cases.ts';
import { CASES } from './cases.ts';
import { NEXT_CASES, createNextProject } from './next-cases.ts';
import type { Project } from './project.ts';
import { createProject, expectedText, pack } from './project.ts';

const { values: { only } } = parseArgs({ options: { only: { type: 'string', default: '' } } });

const count = { passed: 0, failed: 0, absent: 0 };

async function runCase({ name, needs, run }: Case, place: Place, expected: string): Promise<void> {
  const missing = needs.filter((need) => !place.runtimes.has(need));
  if (missing.length > 0) {
    count.absent++;
    console.log(`- ${name}: absent, needs ${missing.join(', ')}`);
    return;
  }
  try {
    const text = await run(place);
    if (text !== undefined && text !== expected)
      throw new Error(`wrote ${JSON.stringify(text.slice(0, 400))}`);
    count.passed++;
    console.log(`· ${name}`);
  } catch (error) {
    count.failed++;
    console.log(`✘ ${name}: ${(error as Error).message}`);
  }
}

/** Runs the cases that are wished for in a project, which is removed afterwards. */
async function inProject(
  cases: readonly Case[], create: () => Project, rest: Omit<Place, 'project'>, expected: string,
): Promise<void> {
  const chosen = cases.filter(({ name }) => name.startsWith(only));
  if (chosen.length === 0) return;
  let project: Project;
  try {
    project = create();
  } catch (error) {
    const reason = (error as Error).message, cannotInstall = reason.startsWith('npm install');
    count[cannotInstall ? 'absent' : 'failed'] += chosen.length;
    for (const { name } of chosen) console.log(`${cannotInstall ? '-' : '✘'} ${name}: ${reason}`);
    return;
  }
  try {
    for (const one of chosen) await runCase(one, { project, ...rest }, expected);
  } finally {
    project.remove();
  }
}

async function main(): Promise<void> {
  const expected = await expectedText(), tarball = pack();
  const runtimes = new Map(findRuntimes().found.map((runtime) => [runtime.name, runtime]));
  const rest = { tarball, runtimes };
  await inProject(CASES, () => createProject(tarball), rest, expected);
  await inProject(NEXT_CASES, () => createNextProject(tarball), rest, expected);
  console.log(`package: ${count.passed} passed, ${count.failed} failed, ${count.absent} absent`);
  process.exit(count.failed > 0 ? 1 : 0);
}

void main();

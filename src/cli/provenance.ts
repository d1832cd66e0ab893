/**
 * Which code runs on which machine, for the small print of reports.
 * @module
 */
import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { version } from '../../package.json';
import type { EngineInfo } from '../index.ts';
import type { Provenance } from '../study/report.ts';

/** @param command as it was given: `onebit reproduce all --quick` */
export async function provenance(command: string, { threads, build }: EngineInfo): Promise<Provenance> {
  const [cpu] = cpus(), count = `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  return {
    command, version, commit: await gitCommit(),
    machine: `${cpu?.model.trim() ?? 'unknown processor'}, ${count}, ${runtime()}, ${build} build`,
  };
}

function runtime(): string {
  const { versions } = process as { versions: Record<string, string | undefined> };
  if (versions.bun) return `Bun ${versions.bun}`;
  return versions.deno ? `Deno ${versions.deno}` : `Node ${process.versions.node}`;
}

/** The commit this file was built from, if it lies in a repository of its own; `+` if it was changed. */
async function gitCommit(): Promise<string | undefined> {
  const directory = dirname(fileURLToPath(import.meta.url));
  if (directory.split(sep).includes('node_modules')) return undefined;
  const git = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('git', ['-C', directory, ...args])).stdout.trim();
  try {
    const commit = await git('rev-parse', '--short=10', 'HEAD');
    return (await git('status', '--porcelain', '--untracked-files=no')) === '' ? commit : `${commit}+`;
  } catch {
    return undefined; // no git, or no repository
  }
}

/**
 * Runtimes and tools that tests fetch from the npm registry: pinned, outside the lock file, into
 * `.runtimes/`, which git ignores.
 *
 * The platforms' own packages are taken: they run no install script. Only linux-x64 is tried in CI.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Where they are installed: each group in a folder of its own. */
export const RUNTIMES_FOLDER = resolve('.runtimes');

const NODE = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0' } as const;

/** Package, version and program of each runtime on this platform. */
interface Source {
  readonly spec: string;
  readonly program: string;
}

const DENO: Record<string, string> = {
  'linux-x64': 'linux-x64-glibc', 'linux-arm64': 'linux-arm64-glibc',
  'darwin-x64': 'darwin-x64', 'darwin-arm64': 'darwin-arm64',
};
const BUN: Record<string, string> = {
  'linux-x64': 'linux-x64', 'linux-arm64': 'linux-aarch64',
  'darwin-x64': 'darwin-x64', 'darwin-arm64': 'darwin-aarch64',
};
const WORKERD: Record<string, string> = {
  'linux-x64': 'linux-64', 'linux-arm64': 'linux-arm64',
  'darwin-x64': 'darwin-64', 'darwin-arm64': 'darwin-arm64',
};
const PLATFORM = `${process.platform}-${process.arch}`;

/** Where the npm registry has each runtime. */
export const SOURCES: Readonly<Record<string, Source>> = {
  ...Object.fromEntries(Object.entries(NODE).map(([major, version]) => [`Node ${major}`, {
    spec: `node${major}@npm:node-${PLATFORM}@${version}`, program: `node${major}/bin/node`,
  }])),
  'Deno': { spec: `@deno/${DENO[PLATFORM]}@2.9.6`, program: `@deno/${DENO[PLATFORM]}/deno` },
  'Bun': { spec: `@oven/bun-${BUN[PLATFORM]}@1.4.5`, program: `@oven/bun-${BUN[PLATFORM]}/bin/bun` },
  'workerd': {
    spec: `@cloudflare/workerd-${WORKERD[PLATFORM]}@1.20261117.1`,
    program: `@cloudflare/workerd-${WORKERD[PLATFORM]}/bin/workerd`,
  },
};

/** The program of a runtime that was installed here; undefined if it was not. */
export function installedProgram(name: string): string | undefined {
  const path = join(RUNTIMES_FOLDER, 'node_modules', SOURCES[name]?.program ?? '-');
  return existsSync(path) ? path : undefined;
}

/**
 * Installs packages into `folder` unless they are there; the folder has no lock file.
 *
 * @returns what npm said if it failed, else undefined
 */
export function install(specs: readonly string[], folder = RUNTIMES_FOLDER): string | undefined {
  const missing = specs.filter((spec) => !isInstalled(spec, folder));
  if (missing.length === 0) return;
  const { status, stderr } = spawnSync('npm', [
    'install', '--prefix', folder, '--no-save', '--no-package-lock', '--no-audit', '--no-fund',
    '--loglevel=error', ...specs,
  ], { encoding: 'utf8' });
  if (status !== 0) return stderr.trim() || `npm ended with code ${status}`;
}

function isInstalled(spec: string, folder: string): boolean {
  const [, name, version] = /^(@?[^@]+)@(?:npm:.*@)?([^@]+)$/.exec(spec) ?? [];
  try {
    const manifest = readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8');
    return JSON.parse(manifest).version === version;
  } catch {
    return false;
  }
}

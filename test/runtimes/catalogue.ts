/**
 * The runtimes that onebit is tested on, and which of them this machine has.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SOURCES, install, installedProgram } from './packages.ts';

export type Kind = 'node' | 'deno' | 'bun' | 'workerd' | 'chromium' | 'firefox' | 'webkit';

/** A runtime that is here. */
export interface Runtime {
  readonly name: string;
  readonly kind: Kind;
  readonly version: string;
  /** Path of its program. */
  readonly program: string;
}

/** One that is not, and how to get it. */
export interface Absent {
  readonly name: string;
  readonly hint: string;
}

interface Entry {
  readonly name: string;
  readonly kind: Kind;
  /** Program names on the path, or full paths. */
  readonly programs: readonly string[];
  readonly hint: string;
}

const FROM_NPM = 'npm run conformance -- --install';
const apt = (packages: string): string => `apt-get install --no-install-recommends ${packages}`;
const MINI_BROWSERS = ['x86_64', 'aarch64'].map((arch) =>
  `/usr/lib/${arch}-linux-gnu/webkit2gtk-4.1/MiniBrowser`);

/** In the order of the tables. */
const ENTRIES: readonly Entry[] = [
  ...['Node 20', 'Node 22', 'Node 24'].map((name): Entry =>
    ({ name, kind: 'node', programs: ['node'], hint: FROM_NPM })),
  { name: 'Deno', kind: 'deno', programs: ['deno'], hint: FROM_NPM },
  { name: 'Bun', kind: 'bun', programs: ['bun'], hint: FROM_NPM },
  { name: 'workerd', kind: 'workerd', programs: ['workerd'], hint: FROM_NPM },
  { name: 'Chromium', kind: 'chromium', programs: ['chromium', 'google-chrome', 'chromium-browser'],
    hint: apt('chromium') },
  { name: 'Firefox', kind: 'firefox', programs: ['firefox-esr', 'firefox'], hint: apt('firefox-esr') },
  { name: 'WebKit', kind: 'webkit', programs: MINI_BROWSERS, hint: apt('webkit2gtk-driver xvfb xauth') },
];

const onPath = (program: string): string | undefined =>
  program.startsWith('/')
    ? (existsSync(program) ? program : undefined)
    : (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, program)).find(existsSync);

/** The version a program says it has; undefined if it does not run. MiniBrowser wants a display. */
function versionOf(kind: Kind, program: string): string | undefined {
  const command = kind === 'webkit' ? ['xvfb-run', '-a', program] : [program];
  const { stdout } = spawnSync(command[0], [...command.slice(1), '--version'], {
    encoding: 'utf8', timeout: 60_000, stdio: ['ignore', 'pipe', 'ignore'],
  });
  return /\d+[\d.-]*\d/.exec(stdout ?? '')?.[0];
}

function find({ name, kind, programs }: Entry): Runtime | undefined {
  const own = kind === 'node' ? process.execPath : undefined;
  for (const program of [installedProgram(name), own, ...programs.map(onPath)]) {
    const version = program && versionOf(kind, program);
    if (!version) continue;
    if (kind === 'node' && `Node ${version.split('.')[0]}` !== name) continue;
    return { name, kind, version, program };
  }
}

/** Which runtimes are here, and which are not. */
export function findRuntimes(): { found: Runtime[]; absent: Absent[] } {
  const found: Runtime[] = [], absent: Absent[] = [];
  for (const entry of ENTRIES) {
    const runtime = find(entry);
    if (runtime) found.push(runtime);
    else absent.push({ name: entry.name, hint: entry.hint });
  }
  return { found, absent };
}

/**
 * Fetches the runtimes that the npm registry has and this machine lacks; what npm says if it fails.
 * Those fetched before are named again, or npm would remove them.
 */
export function installRuntimes(): string | undefined {
  const absent = new Set(findRuntimes().absent.map(({ name }) => name));
  const wanted = Object.keys(SOURCES).filter((name) => absent.has(name) || installedProgram(name));
  return wanted.some((name) => absent.has(name))
    ? install(wanted.map((name) => SOURCES[name].spec)) : undefined;
}

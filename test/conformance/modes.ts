/**
 * Where the suite runs: every runtime, and the same runtimes with more threads or fewer
 * instructions of the processor.
 * @module
 */
import { resolve } from 'node:path';
import type { Runtime } from '../runtimes/catalogue.ts';
import { ISOLATION, openPage } from '../runtimes/pages.ts';
import { run, start, until } from '../runtimes/processes.ts';

/** One run of the suite. */
export interface Mode {
  readonly name: string;
  readonly version: string;
  /** The lines of the suite. */
  run(): Promise<string>;
}

/** The bundles of `npm run bundle:conformance`. */
const BUNDLES = resolve('build/conformance');
/** Milliseconds. */
const TIMEOUT = 180_000;

/** @param build of the kernels; without one the best that the runtime has */
function command(
  { kind, program }: Runtime, threads: number, flags: readonly string[] = [], build?: string,
): Promise<string> {
  const before = kind === 'deno' ? ['run', '--quiet', '--no-config', '--no-lock'] : [];
  const args = [...before, ...flags, resolve(BUNDLES, 'command.js'), String(threads)];
  if (build) args.push(build);
  return run({ program, args, cwd: BUNDLES }, TIMEOUT);
}

async function worker({ program }: Runtime): Promise<string> {
  const workerd = start({
    program, args: ['serve', resolve(BUNDLES, 'config.capnp'), '--control-fd=1'], cwd: BUNDLES,
  });
  try {
    const port = await until(
      async () => /"port":(\d+)/.exec(workerd.output())?.[1], 20_000);
    const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(TIMEOUT) });
    return await response.text();
  } catch (error) {
    throw new Error(`workerd: ${error}\n${workerd.output()}`);
  } finally {
    await workerd.stop();
  }
}

const page = (runtime: Runtime, threads: number): Promise<string> => openPage(runtime, {
  root: BUNDLES, page: `page.html?threads=${threads}`, timeout: TIMEOUT,
  ...(threads > 1 && { headers: ISOLATION, env: { JSC_useSharedArrayBuffer: '1' } }),
});

/** The ways to run the suite on a runtime; the plain one first. */
export function modesOf(runtime: Runtime): Mode[] {
  const { name, kind, version } = runtime;
  const mode = (suffix: string, go: () => Promise<string>): Mode =>
    ({ name: suffix ? `${name}, ${suffix}` : name, version, run: go });
  if (kind === 'workerd') return [mode('', () => worker(runtime))];
  const inPage = kind === 'chromium' || kind === 'firefox' || kind === 'webkit';
  const go = inPage ? page : command;
  const modes = [mode('', () => go(runtime, 1)), mode('2 threads', () => go(runtime, 2))];
  if (name === 'Node 24') {
    modes.push(mode('baseline build', () => command(runtime, 1, [], 'baseline')));
    modes.push(mode('no AVX', () => command(runtime, 1, ['--no-enable-avx'])));
    modes.push(mode('Liftoff only', () => command(runtime, 1, ['--liftoff-only'])));
  }
  return modes;
}

/**
 * Ways to use the package: each builds a project as its users would, and gives the text it writes.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import type { Runtime } from '../runtimes/catalogue.ts';
import { openPage } from '../runtimes/pages.ts';
import type { Command } from '../runtimes/processes.ts';
import type { Project } from './project.ts';
import { FILES, STORY_FUNCTION } from './project.ts';
import { toolFile, toolProgram } from './tools.ts';

/** What a case can use. */
export interface Place {
  readonly project: Project;
  readonly tarball: string;
  /** Runtimes that are here, by name. */
  readonly runtimes: ReadonlyMap<string, Runtime>;
}

/** A case; what it writes, or undefined where it only builds. */
export interface Case {
  readonly name: string;
  /** Names of runtimes that it needs. */
  readonly needs: readonly string[];
  run(place: Place): string | undefined | Promise<string | undefined>;
}

const TIMEOUT = 180_000;

/** Runs a command to its end in the project. Throws if it fails or warns about this package. */
export function build({ folder }: Project, { program, args, env }: Command): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: folder, encoding: 'utf8', timeout: TIMEOUT, env: { ...process.env, NO_COLOR: '1', ...env },
  });
  const output = `${stdout}${stderr}`;
  if (error || status !== 0)
    throw new Error(`${program} ended with ${status}: ${error ?? output.slice(-3000)}`);
  if (/warn/i.test(output) && /onebit/i.test(output))
    throw new Error(`warned about onebit:\n${output.slice(-3000)}`);
  return stdout;
}

const READ_AND_WRITE = `import { readFile } from 'node:fs/promises';
import { story } from './story.js';
process.stdout.write(await story(await readFile('model.safetensors'), await readFile('model.gguf')));
`;

const direct = (name: string, flags: readonly string[] = []): Case => ({
  name: `${name}, imported`,
  needs: [name],
  run({ project, runtimes }) {
    project.write({ 'run.js': READ_AND_WRITE });
    return build(project, { program: runtimes.get(name)!.program, args: [...flags, 'run.js'] });
  },
});

const denoNpm: Case = {
  name: 'Deno, npm:onebit',
  needs: ['Deno'],
  run({ project, runtimes }) {
    project.write({
      'npm.js': `import { load } from 'npm:onebit';
        import { load as loadReal } from 'npm:onebit/models';
        ${STORY_FUNCTION}
        const text = await story(await Deno.readFile('model.safetensors'), await Deno.readFile('model.gguf'));
        await Deno.stdout.write(new TextEncoder().encode(text));`,
    });
    return build(project, { program: runtimes.get('Deno')!.program, args: [
      'run', '--quiet', '--node-modules-dir=manual', '--allow-read', '--allow-sys', 'npm.js'] });
  },
};

/** Builds for browsers into `out/`, then opens the page in Chromium. */
const bundled = (name: string, command: (project: Project) => Command): Case => ({
  name,
  needs: ['Chromium'],
  run({ project, runtimes }) {
    build(project, command(project));
    for (const file of [...Object.keys(FILES), ...(name === 'Vite' ? [] : ['index.html'])])
      copyFileSync(project.path(file), project.path(`out/${file}`));
    return openPage(runtimes.get('Chromium')!, {
      root: project.path('out'), page: 'index.html', timeout: TIMEOUT,
    });
  },
});

const wrangler: Case = {
  name: 'wrangler, dry run',
  needs: ['Node 24'],
  run({ project, runtimes }) {
    project.write({
      'wrangler.jsonc': JSON.stringify({
        name: 'story', main: 'worker.js', compatibility_date: '2026-11-01',
        rules: [{ type: 'Data', globs: ['**/*.safetensors', '**/*.gguf'], fallthrough: true }],
      }),
      'worker.js': `import { story } from './story.js';
        import model from './model.safetensors';
        import gguf from './model.gguf';
        export default { fetch: async () => new Response(await story(model, gguf)) };`,
    });
    const printed = build(project, {
      program: runtimes.get('Node 24')!.program,
      args: [toolProgram('wrangler'), 'deploy', '--dry-run', '--outdir', 'out-worker'],
      env: { WRANGLER_SEND_METRICS: 'false', CI: '1' },
    });
    if (!/gzip: [\d.]+ KiB/.test(printed)) throw new Error(`no size in ${printed}`);
    return undefined;
  },
};

const linted = (tool: 'publint' | 'attw', args: readonly string[]): Case => ({
  name: tool,
  needs: [],
  run({ project, tarball }) {
    const own = args.map((arg) => (arg === 'TARBALL' ? tarball : arg));
    build(project, { program: toolProgram(tool), args: own });
    return undefined;
  },
});

const rollupConfig = (): string =>
  `import resolve from '${toolFile('rollup', '@rollup/plugin-node-resolve/dist/es/index.js')}';
export default { plugins: [resolve({ browser: true })] };
`;

export const CASES: readonly Case[] = [
  linted('publint', ['run', '--strict', 'TARBALL']),
  linted('attw', ['TARBALL', '--profile', 'esm-only']),
  direct('Node 20'), direct('Node 22'), direct('Node 24'), direct('Bun'),
  direct('Deno', ['run', '--quiet', '--allow-read', '--allow-sys']), denoNpm,
  bundled('esbuild', () => ({ program: toolProgram('esbuild'), args: [
    'page.js', '--bundle', '--splitting', '--format=esm', '--outdir=out'] })),
  bundled('Vite', () => ({ program: toolProgram('vite'), args: ['build', '--outDir', 'out'] })),
  bundled('webpack', () => ({ program: toolProgram('webpack'), args: [
    '--mode', 'production', '--entry', './page.js', '--output-path', 'out',
    '--output-filename', 'page.js', '--no-performance'] })),
  bundled('Rollup', (project) => {
    const program = toolProgram('rollup');
    project.write({ 'rollup.config.js': rollupConfig() });
    return { program, args: ['--config', '--input', 'page.js', '--dir', 'out', '--format', 'es'] };
  }),
  wrangler,
];

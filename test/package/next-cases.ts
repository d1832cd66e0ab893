/**
 * The package in a Next.js application: an edge route and a client component.
 * @module
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import { openPage } from '../runtimes/pages.ts';
import type { Command } from '../runtimes/processes.ts';
import { start, until } from '../runtimes/processes.ts';
import type { Case } from './cases.ts';
import { build } from './cases.ts';
import type { Project } from './project.ts';
import { FILES as MODELS, PAGE_MODULE, createProject } from './project.ts';
import { NEXT } from './tools.ts';

const FILES = {
  'next.config.mjs': 'export default { turbopack: { root: import.meta.dirname } };\n',
  'app/layout.js': `export default ({ children }) => <html><body>{children}</body></html>;\n`,
  'app/page.js': `'use client';
import { useEffect } from 'react';
export default function Page() {
  useEffect(() => {
    const to = new URLSearchParams(location.search).get('report');
    import('../client.js').then(({ report }) => report(to));
  }, []);
  return <p>story</p>;
}
`,
  'client.js': PAGE_MODULE.replace('Promise.all', 'export const report = (to) => Promise.all')
    .replace('\'/report\'', 'to').replace('\'POST\', body', '\'POST\', mode: \'no-cors\', body'),
  'app/edge/route.js': `import { story } from '../../story.js';
export const runtime = 'edge';
export const dynamic = 'force-dynamic';
export async function GET(request) {
  const bytesOf = async (name) => (await fetch(new URL(name, request.url))).arrayBuffer();
  return new Response(await story(await bytesOf('/model.safetensors'), await bytesOf('/model.gguf')));
}
`,
  'app/node/route.js': `import { readFile } from 'node:fs/promises';
import { story } from '../../story.js';
export const dynamic = 'force-dynamic';
export const GET = async () => new Response(
  await story(await readFile('model.safetensors'), await readFile('model.gguf')));
`,
};

const PORT = 38_417;
const url = `http://127.0.0.1:${PORT}`;
const TIMEOUT = 120_000;

const nextCommand = (project: Project, args: readonly string[]): Command => ({
  program: project.path('node_modules/.bin/next'), args, env: { NEXT_TELEMETRY_DISABLED: '1' },
});

/** Runs the built application while `use` looks at it. */
async function withApplication<R>(project: Project, use: () => Promise<R>): Promise<R> {
  const server = start({
    ...nextCommand(project, ['start', '-p', String(PORT), '-H', '127.0.0.1']), cwd: project.folder,
  });
  try {
    await until(async () => (await fetch(`${url}/model.safetensors`)).ok || undefined, 30_000);
    return await use();
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${server.output().slice(-2000)}`);
  } finally {
    await server.stop();
  }
}

async function get(path: string): Promise<string> {
  const response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(TIMEOUT) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status}: ${text}`);
  return text;
}

/** The application with the tarball, built; throws if the registry does not give Next.js. */
export function createNextProject(tarball: string): Project {
  const project = createProject(tarball, NEXT);
  project.write(FILES);
  mkdirSync(project.path('public'));
  for (const name of Object.keys(MODELS))
    copyFileSync(project.path(name), project.path(`public/${name}`));
  build(project, nextCommand(project, ['build']));
  return project;
}

export const NEXT_CASES: readonly Case[] = [
  {
    name: 'Next.js, edge route',
    needs: [],
    run: ({ project }) => withApplication(project, () => get('/edge')),
  },
  {
    name: 'Next.js, Node.js route',
    needs: [],
    run: ({ project }) => withApplication(project, () => get('/node')),
  },
  {
    name: 'Next.js, client',
    needs: ['Chromium'],
    run: ({ project, runtimes }) => withApplication(project, () => openPage(
      runtimes.get('Chromium')!,
      { root: project.folder, page: '', address: url, timeout: TIMEOUT })),
  },
];

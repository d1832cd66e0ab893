/**
 * The edge examples as they are started, each by its real runtime.
 * @module
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Runtime } from '../runtimes/catalogue.ts';
import { findRuntimes, installRuntimes } from '../runtimes/catalogue.ts';
import { RUNTIMES_FOLDER, install } from '../runtimes/packages.ts';
import type { Command } from '../runtimes/processes.ts';

/** An example and how to start it on a port. */
export interface Server {
  readonly name: string;
  readonly version: string;
  command(port: number): Command;
}

const TOOLS = { wrangler: '4.164.0', 'edge-runtime': '4.0.1' } as const;
type Tool = keyof typeof TOOLS;

const toolFolder = (tool: Tool): string => join(RUNTIMES_FOLDER, tool);
const toolProgram = (tool: Tool): string => join(toolFolder(tool), 'node_modules/.bin', tool);

/** Fetches runtimes and tools that are missing; what npm said of those it could not get. */
export function installServers(): string[] {
  const tools = Object.entries(TOOLS).map(([tool, version]) =>
    install([`${tool}@${version}`], toolFolder(tool as Tool)));
  return [installRuntimes(), ...tools].filter((trouble) => trouble !== undefined);
}

/** The examples that can be started here, and the names of those that cannot. */
export function findServers(): { servers: Server[]; absent: string[] } {
  const servers: Server[] = [], absent: string[] = [];
  const { found } = findRuntimes();
  const add = (name: string, needs: readonly (Runtime | string | undefined)[], version: string,
    command: Server['command']): void => {
    const here = needs.every((need) => typeof need === 'string' ? existsSync(need) : need !== undefined);
    if (here) servers.push({ name, version, command });
    else absent.push(name);
  };
  const [workerd, deno, bun, node] = ['workerd', 'Deno', 'Bun', 'Node 24'].map((name) =>
    found.find((runtime) => runtime.name === name));
  add('worker by workerd', [workerd], workerd?.version ?? '', (port) => ({
    program: workerd!.program,
    args: ['serve', 'examples/worker/config.capnp', '--socket-addr', `http=127.0.0.1:${port}`],
  }));
  add('worker by wrangler dev', [node, toolProgram('wrangler')], TOOLS.wrangler, (port) => ({
    program: node!.program,
    args: [
      toolProgram('wrangler'), 'dev', '--config', 'examples/worker/wrangler.jsonc', '--ip', '127.0.0.1',
      '--port', String(port), '--inspector-port', '0',
    ],
    env: { WRANGLER_SEND_METRICS: 'false', CI: '1', BROWSER: 'none' },
  }));
  add('deno', [deno], deno?.version ?? '', (port) => ({
    program: deno!.program,
    args: ['run', '--allow-net', '--allow-read', '--allow-sys', 'examples/deno/main.ts', String(port)],
  }));
  add('bun', [bun], bun?.version ?? '', (port) => ({
    program: bun!.program, args: ['examples/bun/server.ts', String(port)],
  }));
  add('vercel-edge by edge-runtime', [toolProgram('edge-runtime')], TOOLS['edge-runtime'], (port) => ({
    program: process.execPath,
    args: [
      toolProgram('edge-runtime'), '--port', String(port), '--listen',
      resolve('build/examples/vercel-edge.js'),
    ],
  }));
  return { servers, absent };
}

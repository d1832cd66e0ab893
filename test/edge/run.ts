/**
 * Starts every edge example with its real runtime and asks it for stories.
 *
 *   npm run test:edge                 runtimes that are here; others are named
 *   npm run test:edge -- --install    fetch them first, outside the lock file
 *
 * Prints, for each, milliseconds from the start of the process to the open port, from a first request to
 * its first text (that loads the model), and the memory: of the kernels as the example says, of the
 * process as the system says. Exit code 1 if a check fails.
 * @module
 */
import { readFileSync, readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { createEngine, load } from 'onebit';
import type { Started } from '../runtimes/processes.ts';
import { start, until } from '../runtimes/processes.ts';
import { ASKS, checks, post, status } from './checks.ts';
import { checkModels } from './models/check.ts';
import type { Server } from './servers.ts';
import { findServers, installServers } from './servers.ts';

const MODEL = 'examples/model/story.onebit.safetensors';

const { values: flags } = parseArgs({
  options: { install: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
});

/** What Node.js writes. */
async function expectedTexts(): Promise<string[]> {
  const model = await load(readFileSync(MODEL), { engine: createEngine({ threads: 1 }) });
  const texts: string[] = [];
  for (const { prompt, ...options } of ASKS) {
    let text = '';
    for await (const piece of model.generate(prompt, { ...options, stop: '\n' })) text += piece;
    texts.push(text);
  }
  return texts;
}

/** Milliseconds for one check. */
const CHECK_TIMEOUT = 90_000;

/** What `work` gives, unless that takes longer than `timeout` milliseconds. */
function within<R>(timeout: number, work: Promise<R>): Promise<R> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no end after ${timeout / 1000} s`)), timeout);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

const freePort = (): Promise<number> => new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    server.close(() => resolve(port));
  });
});

const isOpen = (port: number): Promise<true | undefined> => new Promise((resolve) => {
  const socket = connect(port, '127.0.0.1');
  socket.once('connect', () => {
    socket.destroy();
    resolve(true);
  });
  socket.once('error', () => resolve(undefined));
});

/** Resident memory in bytes of a process group, on Linux. */
function residentBytes(group: number): number {
  let sum = 0;
  try {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ');
      if (Number(stat?.[2]) !== group) continue;
      const rss = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
      sum += Number(rss?.[1] ?? 0) * 1024;
    }
  } catch {
    // a process has ended meanwhile, or this is not Linux
  }
  return sum;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** Runs all checks on a server; the names of those that fail are printed and counted. */
async function check(
  server: Server, started: Started, port: number, expected: string[],
): Promise<number> {
  const url = `http://127.0.0.1:${port}`, begin = performance.now();
  await until(() => isOpen(port), 60_000);
  const listening = performance.now() - begin;
  const asked = performance.now();
  const first = await post(url, ASKS[0]);
  await first.body!.getReader().read();
  const written = performance.now() - asked;
  let failed = 0;
  for (const [name, ask] of Object.entries(checks)) {
    try {
      await within(CHECK_TIMEOUT, ask(url, expected));
    } catch (error) {
      failed++;
      console.log(`✘ ${server.name} ${name}: ${(error as Error).message}`);
    }
  }
  const { memoryBytes, threads } = await status(url);
  const mark = failed ? '✘' : '·';
  console.log(`${mark} ${server.name} ${server.version}: port after ${listening.toFixed(0)} ms, ` +
    `first text after ${written.toFixed(0)} ms, kernels' memory ${megabytes(memoryBytes)}, ` +
    `processes ${megabytes(residentBytes(started.pid))}, threads ${threads}`);
  return failed;
}

/** `onebit/models` in workerd. */
async function modelsInWorkerd(): Promise<'passed' | 'failed' | 'absent'> {
  try {
    if (!await checkModels()) return 'absent';
    console.log('· models in workerd, out of bytes and out of an address');
    return 'passed';
  } catch (error) {
    console.log(`✘ models in workerd: ${(error as Error).message}`);
    return 'failed';
  }
}

async function main(): Promise<void> {
  if (flags.install) for (const trouble of installServers()) console.log(`cannot install: ${trouble}`);
  const { servers, absent } = findServers();
  const expected = await expectedTexts();
  let failed = 0, passed = 0;
  for (const server of servers.filter(({ name }) => name.startsWith(flags.only))) {
    const port = await freePort(), started = start(server.command(port));
    try {
      const wrong = await check(server, started, port, expected);
      failed += wrong;
      passed += Object.keys(checks).length - wrong;
    } catch (error) {
      failed++;
      console.log(`✘ ${server.name}: ${(error as Error).message}\n${started.output().slice(-2000)}`);
    } finally {
      await started.stop();
    }
  }
  const models = 'models'.startsWith(flags.only) ? await modelsInWorkerd() : 'left out';
  if (models === 'absent') absent.push('models in workerd');
  passed += Number(models === 'passed');
  failed += Number(models === 'failed');
  for (const name of absent) console.log(`- ${name}: absent; npm run test:edge -- --install`);
  console.log(`edge examples: ${passed} passed, ${failed} failed, ${absent.length} absent`);
  process.exit(failed > 0 || servers.length === 0 ? 1 : 0);
}

void main();

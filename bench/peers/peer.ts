/**
 * An engine that waits for tasks: in a Node.js process of its own, or in a page of a headless browser.
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { createReadStream, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize, resolve } from 'node:path';
import type { Runtime } from '../../test/runtimes/catalogue.ts';
import { ISOLATION, browserCommand } from '../../test/runtimes/pages.ts';
import { start } from '../../test/runtimes/processes.ts';
import type { Answer, Loaded, Setup, Task } from './task.ts';

/** Milliseconds for one task, or for loading a model. */
const TIMEOUT = 600_000;

export interface Peer {
  load(setup: Setup): Promise<Loaded>;
  answer(task: Task): Promise<Answer>;
  /** The most memory that it has taken so far, in bytes; undefined where it cannot be told. */
  peak(): number | undefined;
  stop(): Promise<void>;
}

type Reply = { value?: unknown; error?: string; peak?: number };

const valueOf = ({ value, error }: Reply): never => {
  if (error !== undefined) throw new Error(error);
  return value as never;
};

/** Waits for one message at most; fails if the other side ends or takes too long. */
function within<R>(what: string, promise: Promise<R>): Promise<R> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`${what}: no answer after ${TIMEOUT / 1000} s`)), TIMEOUT);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A program of this folder, bundled, in a process of its own. */
export function processPeer(program: string): Peer {
  const child: ChildProcess = fork(resolve('build/peers', `${program}.js`), { stdio: 'inherit' });
  let peak: number | undefined;
  const ask = async (message: Setup | Task): Promise<never> => {
    const reply = await within(program, new Promise<Reply>((settle, fail) => {
      child.once('message', (answer) => settle(answer as Reply));
      child.once('exit', (code, signal) => fail(new Error(`${program} ended with ${code ?? signal}`)));
      child.send(message);
    }));
    child.removeAllListeners();
    peak = reply.peak;
    return valueOf(reply);
  };
  return {
    load: ask, answer: ask, peak: () => peak,
    stop: async () => void child.kill('SIGKILL'),
  };
}

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript', '.wasm': 'application/wasm', '.gguf': 'application/octet-stream',
};
const PAGE = '<!doctype html><meta charset="utf-8"><script type="module" src="/wllama-page.js"></script>';

/** Where the page's files are; undefined for what it may not have. */
function fileFor(path: string, model: string): string | undefined {
  if (path === '/model.gguf') return model;
  if (path === '/wllama-page.js') return resolve('build/peers/wllama-page.js');
  const library = resolve('bench/peers/node_modules/@wllama/wllama/esm');
  return path.startsWith('/wllama/') ? join(library, normalize(path.slice('/wllama'.length))) : undefined;
}

function sendFile(response: ServerResponse, path: string, model: string): void {
  const file = path === '/' ? undefined : fileFor(path, model);
  if (path === '/') response.writeHead(200, { 'Content-Type': 'text/html', ...ISOLATION }).end(PAGE);
  else if (!file || !statSync(file, { throwIfNoEntry: false })) response.writeHead(404).end();
  else {
    const type = TYPES[extname(path)] ?? 'text/plain';
    response.writeHead(200, { 'Content-Type': type, 'Content-Length': statSync(file).size, ...ISOLATION });
    createReadStream(file).pipe(response);
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) text += piece;
  return text;
}

/** Bytes that the largest process of a group has had in memory at most; Linux only. */
function largestOf(group: number): number | undefined {
  let most: number | undefined;
  try {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
      if (Number(stat[2]) !== group) continue;
      const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      most = Math.max(most ?? 0, Number(kilobytes) * 1024);
    }
  } catch {
    // no such files, or a process ended meanwhile
  }
  return most;
}

/** wllama in a page of `browser`; `model` is what the page gets as /model.gguf. */
export async function pagePeer(browser: Runtime, model: string): Promise<Peer> {
  let waiting: ServerResponse | undefined, pending: string | undefined;
  let settle: (reply: Reply) => void = () => undefined;
  const flush = (): void => {
    if (!waiting || pending === undefined) return;
    waiting.writeHead(200, { 'Content-Type': 'application/json' }).end(pending);
    waiting = pending = undefined;
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    if (pathname === '/next') {
      waiting = response;
      flush();
    } else if (pathname === '/done') {
      void bodyOf(request).then((text) => {
        response.end();
        settle(JSON.parse(text));
      });
    } else sendFile(response, pathname, model);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const profile = mkdtempSync(join(tmpdir(), 'onebit-peers-'));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const started = start(browserCommand(browser, url, profile));
  const ask = (message: Setup | Task): Promise<never> => within('wllama', new Promise<Reply>((done) => {
    settle = done;
    pending = JSON.stringify(message);
    flush();
  })).then(valueOf);
  return {
    load: (setup) => ask({ ...setup, file: '/model.gguf' }), answer: ask,
    peak: () => largestOf(started.pid),
    async stop() {
      await started.stop();
      server.closeAllConnections();
      server.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

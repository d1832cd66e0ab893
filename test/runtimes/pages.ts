/**
 * Pages in real browsers, without a driver: a server on the loopback address gives the page, and
 * the page posts its report back.
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import type { Runtime } from './catalogue.ts';
import type { Command } from './processes.ts';
import { start } from './processes.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.wasm': 'application/wasm',
};

/** What makes a page cross-origin isolated. */
export const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** How a page is opened. */
export interface PageOptions {
  /** Folder that is served. */
  readonly root: string;
  /** File and query, such as `page.html?threads=2`. */
  readonly page: string;
  /** Another server that has the page; it is told where to post by `?report=`. */
  readonly address?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timeout: number;
}

const FIREFOX_PREFERENCES = [
  ['datareporting.policy.dataSubmissionEnabled', false], ['app.update.enabled', false],
  ['network.captive-portal-service.enabled', false], ['toolkit.telemetry.enabled', false],
  ['network.connectivity-service.enabled', false],
].map(([name, value]) => `user_pref("${name}", ${value});\n`).join('');

/** How a browser opens `url` with a profile of its own. */
export function browserCommand({ kind, program }: Runtime, url: string, profile: string): Command {
  if (kind === 'chromium')
    return { program, args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-sync', '--disable-background-networking', '--disable-component-update',
      `--user-data-dir=${profile}`, url,
    ] };
  if (kind === 'firefox') {
    writeFileSync(join(profile, 'user.js'), FIREFOX_PREFERENCES);
    const args = ['--headless', '--no-remote', '--profile', profile, url];
    return { program, args, env: { HOME: profile } };
  }
  return { program: 'xvfb-run', args: ['-a', program, url], env: { HOME: profile } };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) text += piece;
  return text;
}

/** Serves `root`; `onReport` is called with what is posted. */
function serve(options: PageOptions, onReport: (text: string) => void): Server {
  return createServer(async (request, response) => {
    if (request.method === 'POST') {
      onReport(await bodyOf(request));
      response.end();
      return;
    }
    try {
      const path = normalize(new URL(request.url!, 'http://localhost').pathname);
      const content = readFileSync(join(options.root, path));
      const type = TYPES[extname(path)] ?? 'text/plain';
      response.writeHead(200, { 'Content-Type': type, ...options.headers });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
}

/** Opens a page in a browser; what the page posts. */
export async function openPage(browser: Runtime, options: PageOptions): Promise<string> {
  const profile = mkdtempSync(join(tmpdir(), 'onebit-browser-'));
  let report!: (text: string) => void;
  const reported = new Promise<string>((resolve) => (report = resolve));
  const server = serve(options, report);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const own = `http://127.0.0.1:${port}`;
  const url = options.address ? `${options.address}/?report=${own}/report` : `${own}/${options.page}`;
  const command = browserCommand(browser, url, profile);
  const started = start({ ...command, env: { ...command.env, ...options.env } });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([reported, new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(
        `${browser.name}: no report after ${options.timeout / 1000} s\n${started.output().slice(-2000)}`,
      )), options.timeout);
    })]);
  } finally {
    clearTimeout(timer);
    await started.stop();
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

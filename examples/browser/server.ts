/** A small server for the page: files of one folder, and the headers that matter. */
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

/** Every file that is served; there are no others. */
const FILES = new Set(['index.html', 'style.css', 'icon.svg', 'page.js', 'worker.js']);

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8', '.svg': 'image/svg+xml',
};

/** Nothing from elsewhere; WebAssembly, and workers of the engine's threads (blob:). */
const POLICY = [
  'default-src \'self\'', 'script-src \'self\' \'wasm-unsafe-eval\'', 'worker-src \'self\' blob:',
  'style-src \'self\'', 'object-src \'none\'', 'base-uri \'none\'', 'form-action \'none\'',
].join('; ');

export interface ServerOptions {
  readonly folder: string;
  /** Send the headers that let threads share memory. */
  readonly isolated: boolean;
  /** Changes a file before it is sent. */
  readonly rewrite?: (name: string, content: Buffer) => Buffer | string;
  /** More files: content by name. */
  readonly extra?: Readonly<Record<string, string | Uint8Array>>;
}

/** The server; call `listen`. */
export function createPageServer({ folder, isolated, rewrite, extra = {} }: ServerOptions): Server {
  return createServer((request, response) => {
    const name = new URL(request.url ?? '/', 'http://page').pathname.slice(1) || 'index.html';
    const known = Object.hasOwn(extra, name);
    if (!known && !FILES.has(name)) return void response.writeHead(404).end('not found');
    const content = known ? extra[name] : readFileSync(join(folder, name));
    response.writeHead(200, {
      'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
      'cache-control': 'no-store',
      'content-security-policy': POLICY, 'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      ...(isolated && {
        'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp',
      }),
    }).end(rewrite && !known ? rewrite(name, content as Buffer) : content);
  });
}

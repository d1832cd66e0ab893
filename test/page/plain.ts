/**
 * The files of the package as they are, without a bundler: `<script type="module">` and `connect()`.
 * @module
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync, readdirSync } from 'node:fs';
import type { BrowserKind } from './browsers.ts';
import { trainedBytes, writtenText } from './expected.ts';
import { openSite } from './site.ts';

const HTML = '<!doctype html><title>plain</title><script type="module" src="plain.js"></script>';
const SCRIPT = `
import { ModelFileError, connect } from './dist/worker.js';
const engine = await connect();
const model = await engine.load('model.bin');
let text = 'One day';
for await (const piece of model.generate(text, { seed: 2, maxTokens: 40, minP: 0.05, temperature: 0.8 }))
  text += piece;
const error = await engine.load('none.bin').catch((reason) => reason);
engine.dispose();
window.result = [text, error instanceof ModelFileError, error.code, error.file, error.actual];
`;

/** Every script of the package, by its address. */
const scripts = (): [string, Uint8Array][] =>
  readdirSync('dist', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js')).map((name) => [`dist/${name}`, readFileSync(`dist/${name}`)]);

export function testPlainPage(kind: BrowserKind): void {
  const test = suite(`the package's own files in ${kind.name}`);
  for (const isolated of [true, false])
    test(`serve an engine in a worker, ${isolated ? 'isolated' : 'not isolated'}`, async () => {
      const bytes = await trainedBytes(3, 1, 3);
      const site = await openSite(isolated, {
        'plain.html': HTML, 'plain.js': SCRIPT, 'model.bin': bytes, ...Object.fromEntries(scripts()),
      });
      const browser = await kind.start();
      try {
        await browser.goto(`${site.url}plain.html`);
        const result = await browser.until('the text',
          () => (window as unknown as { result?: unknown[] }).result);
        const text = await writtenText(bytes, 'One day', { seed: 2, maxTokens: 40, temperature: 0.8 });
        assert.equal(result, [text, true, 'NOT_FOUND', 'none.bin', 404]);
      } finally {
        await browser.close();
        site.close();
      }
    });
  test.run();
}

/**
 * The page where there is no WebAssembly, or none with SIMD: it says so, in words.
 * @module
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BrowserKind } from './browsers.ts';
import { openSite } from './site.ts';

const CASES = [
  { lack: 'WebAssembly', v8: '--jitless', code: 'NO_WASM' },
  { lack: 'SIMD', v8: '--no-enable-sse3 --no-enable-ssse3 --no-enable-sse4-1', code: 'NO_SIMD' },
];

export function testWithoutWasm(kind: BrowserKind): void {
  const test = suite(`the page in ${kind.name} without`);
  for (const { lack, v8, code } of CASES)
    test(`${lack} says what is missing`, async () => {
      const site = await openSite(true), browser = await kind.start({ v8 });
      try {
        await browser.goto(site.url);
        await browser.until('the message', () => !document.querySelector('#fatal')!.hasAttribute('hidden'));
        assert.match(await browser.text('#fatal'), new RegExp(`${lack}.*\\(${code}\\)`, 's'));
        assert.ok(await browser.run(() =>
          (document.querySelector('#start') as HTMLButtonElement).disabled));
      } finally {
        await browser.close();
        site.close();
      }
    });
  test.run();
}

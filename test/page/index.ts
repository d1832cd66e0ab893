/**
 * Drives the real page in every browser that is installed: npm run test:page
 *
 * Trains, pauses, exports, reloads, opens the file, writes, and compares bytes and text with what
 * Node.js makes of the same seeds; looks at names, contrast, shifts, widths, console and requests.
 * A browser that is absent is named, and is a failure unless `--allow-missing` is given.
 * @module
 */
import { parseArgs } from 'node:util';
import { buildPage } from '../../examples/browser/build.ts';
import { BROWSERS, missing } from './browsers.ts';
import { testPlainPage } from './plain.ts';
import { scenario } from './scenario.ts';
import { testWithoutWasm } from './without-wasm.ts';

const { values } = parseArgs({
  options: { 'only': { type: 'string' }, 'allow-missing': { type: 'boolean', default: false } },
});

await buildPage('build/page');
for (const kind of BROWSERS) {
  if (values.only && !kind.name.toLowerCase().startsWith(values.only.toLowerCase())) continue;
  const absent = missing(kind);
  if (absent.length > 0) {
    console.log(`${kind.name} is not tested: there is no ${absent.join(', ')} ` +
      '(apt-get install chromium chromium-driver firefox-esr webkit2gtk-driver xvfb xauth)');
    if (!values['allow-missing']) process.exitCode = 1;
    continue;
  }
  for (const isolated of [true, false]) scenario(kind, isolated);
  testPlainPage(kind);
  if (kind.name === 'Chromium') testWithoutWasm(kind);
}

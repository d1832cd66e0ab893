/** The built package as a program loads it: costs, side effects, what it says of poor runtimes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Of the best of a few processes: others may be busy on the machine. */
const IMPORT_MILLISECONDS = 30;

/** Prints the code and message of what `createEngine` throws, or how many threads it has. */
const MAKE_ENGINE = `
import { createEngine } from 'onebit';
try { console.log(JSON.stringify(createEngine({ threads: 2 }).info)); }
catch (error) { console.log(error.name, error.code, error.message); }`;

/** What a program that imports the package by name prints. */
function run(program: string, ...flags: string[]): string {
  const { stdout, stderr } = spawnSync(
    process.execPath, [...flags, '--input-type=module', '--eval', program], { encoding: 'utf8' });
  return stdout || stderr;
}

/** The minified bundle of a program that imports the package by name. */
function bundle(program: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'onebit-'));
  try {
    const input = join(directory, 'in.js'), output = join(directory, 'out.js');
    writeFileSync(input, program);
    execFileSync('node_modules/.bin/esbuild', [
      input, '--bundle', '--minify', '--format=esm', '--log-level=error',
      `--outfile=${output}`, `--alias:onebit=${resolve('dist/index.js')}`,
    ]);
    return readFileSync(output, 'utf8');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const importing = suite('import \'onebit\'');

importing('defines no global and starts nothing', () => {
  const found = run(`
    const before = new Set(Reflect.ownKeys(globalThis));
    await import('onebit');
    console.log(Reflect.ownKeys(globalThis).filter((key) => !before.has(key)).length,
      process.getActiveResourcesInfo().filter((name) => /Timeout|Worker|MessagePort/.test(name)).length);`);
  assert.is(found.trim(), '0 0');
});

importing(`takes less than ${IMPORT_MILLISECONDS} ms`, () => {
  const times = Array.from({ length: 7 }, () => Number(run(`
    const start = performance.now();
    await import('onebit');
    console.log(performance.now() - start);`)));
  assert.ok(Math.min(...times) < IMPORT_MILLISECONDS, times.join(', '));
});

importing('works without eval, in threads too', () => {
  const found = run(MAKE_ENGINE, '--disallow-code-generation-from-strings');
  assert.is(JSON.parse(found).threads, 2, found);
});

importing('works with require where that takes modules', () => {
  const { stdout } = spawnSync(process.execPath, [
    '--no-warnings', '--eval', 'console.log(typeof require("onebit").load)'], { encoding: 'utf8' });
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || minor >= 19) assert.is(stdout.trim(), 'function');
});

importing.run();

const poor = suite('createEngine');

poor('says NO_WASM where there is no WebAssembly', () => {
  assert.match(run(MAKE_ENGINE, '--jitless'), /^EngineError NO_WASM this runtime has no WebAssembly/);
});

poor('says NO_SIMD where WebAssembly has no SIMD', () => {
  if (process.arch !== 'x64') return; // only there V8 can be told so
  assert.match(run(MAKE_ENGINE, '--no-enable-sse4-1'), /^EngineError NO_SIMD .* 128-bit SIMD/);
});

poor.run();

const shaking = suite('a bundler');

shaking('drops training, tokenizers\' training and stories from a program that loads models', () => {
  const whole = bundle('import * as all from "onebit"; globalThis.all = all;');
  const text = bundle('import { load } from "onebit"; globalThis.run = load;');
  assert.ok(text.includes('0061736d01'), 'the kernels are in it');
  for (const dropped of ['the text is empty', 'polynomial', 'Once upon a time']) {
    assert.ok(whole.includes(dropped), dropped);
    assert.not.ok(text.includes(dropped), dropped);
  }
  assert.ok(text.length < whole.length - 40_000, `${text.length} of ${whole.length}`);
});

shaking('drops the kernels from a program that does not compute', () => {
  const text = bundle('import { quantizeSign } from "onebit"; globalThis.run = quantizeSign;');
  assert.not.ok(text.includes('0061736d01'));
  assert.ok(text.length < 5000, `${text.length} bytes: ${text.slice(0, 300)}`);
});

shaking.run();

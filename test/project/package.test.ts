/** The shape of what is built: kernels without imports, exports that match, sizes, house rules. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

const KERNEL_BYTES = 64 * 1024;
/** Everything that `import 'onebit'` loads, in pieces, compressed; see below for a bundle. */
const LIBRARY_GZIP_BYTES = 71 * 1024;
/** Everything that `import 'onebit/worker'` loads, compressed. */
const CLIENT_GZIP_BYTES = 6 * 1024;
const MAX_LINES = 300;

const kernels = suite('kernel modules');

for (const name of ['kernels.wasm', 'kernels.debug.wasm']) {
  const bytes = readFileSync(join('build', name));
  const module = new WebAssembly.Module(bytes);

  kernels(`${name} imports its memory and nothing else`, () => {
    assert.equal(WebAssembly.Module.imports(module), [
      { module: 'env', name: 'memory', kind: 'memory' }]);
  });

  kernels(`${name} exports exactly what src/wasm/exports.ts says`, () => {
    const source = readFileSync('src/wasm/exports.ts', 'utf8');
    const declared = [...source.matchAll(/^ {2}(\w+)\(/gm)].map(([, found]) => found).sort();
    const exported = WebAssembly.Module.exports(module)
      .map((entry) => entry.name).filter((found) => found !== 'memory').sort();
    assert.equal(exported, declared);
  });
}

kernels('each build stays within its budget', () => {
  for (const name of ['kernels.wasm', 'relaxed.wasm']) {
    const { size } = statSync(join('build', name));
    assert.ok(size <= KERNEL_BYTES, `${name}: ${size} bytes, budget ${KERNEL_BYTES}`);
  }
});

kernels('the relaxed build has kernels of the baseline and needs the memory alone', () => {
  const bytes = readFileSync('build/relaxed.wasm');
  if (!WebAssembly.validate(bytes)) return; // this runtime has no relaxed SIMD
  const module = new WebAssembly.Module(bytes);
  assert.equal(WebAssembly.Module.imports(module), [{ module: 'env', name: 'memory', kind: 'memory' }]);
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  assert.equal(names.filter((name) => name !== 'memory').sort(), [
    'gemmLookupBlockI8B1', 'gemmLookupBlockI8T2', 'gemmLookupI8B1', 'gemmLookupI8T2']);
});

kernels('the relaxed build has no data of its own to write over the baseline\'s', () => {
  assert.not.match(readFileSync('build/relaxed.wat', 'utf8'), /^\s*\(data /m);
});

kernels.run();

const dist = suite('package');

/** Files that importing `entry` loads: itself and all it imports, `import()` too where wished. */
function loadedBy(entry: string, lazy = false, found = new Set<string>()): string[] {
  found.add(entry);
  const pattern = lazy ? /(?:from|import\(?)\s*"(\.[^"]+\.js)"/g : /(?:from|import)\s*"(\.[^"]+\.js)"/g;
  for (const [, path] of readFileSync(entry, 'utf8').matchAll(pattern)) {
    const to = join(dirname(entry), path);
    if (!found.has(to)) loadedBy(to, lazy, found);
  }
  return [...found];
}

const gzippedBytes = (entry: string): number =>
  loadedBy(entry).reduce((sum, path) => sum + gzipSync(readFileSync(path)).length, 0);

dist('what import "onebit" loads stays within its budget', () => {
  const bytes = gzippedBytes('dist/index.js');
  assert.ok(bytes <= LIBRARY_GZIP_BYTES, `${bytes} bytes gzipped, budget ${LIBRARY_GZIP_BYTES}`);
});

dist('a bundle that loads models and writes is at most 60 KiB gzipped, kernels included', () => {
  const directory = mkdtempSync(join(tmpdir(), 'onebit-'));
  try {
    const program = join(directory, 'program.js');
    writeFileSync(program, 'import { load } from "onebit"; globalThis.run = load;');
    execFileSync('node_modules/.bin/esbuild', [
      program, '--bundle', '--minify', '--format=esm', '--splitting', '--log-level=error',
      `--outdir=${join(directory, 'out')}`, `--alias:onebit=${resolve('dist/index.js')}`,
    ]);
    const { length } = gzipSync(readFileSync(join(directory, 'out', 'program.js')), { level: 9 });
    assert.ok(length <= 60 * 1024, `${length} bytes gzipped`);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

dist('the page\'s side of a worker is small: it has no kernels', () => {
  const bytes = gzippedBytes('dist/worker.js');
  assert.ok(bytes <= CLIENT_GZIP_BYTES, `${bytes} bytes gzipped, budget ${CLIENT_GZIP_BYTES}`);
});

for (const entry of ['index', 'node', 'workerd', 'edge-light', 'core'])
  dist(`${entry}.js loads no story, but can`, () => {
    const isCorpus = (path: string): boolean => readFileSync(path, 'utf8').includes('Once upon a time');
    assert.not.ok(loadedBy(`dist/${entry}.js`).some(isCorpus));
    assert.ok(loadedBy(`dist/${entry}.js`, true).some(isCorpus));
  });

dist('the entries of edge runtimes import the kernels that lie beside them, and hold none', () => {
  for (const [entry, wasm] of [
    ['workerd', './kernels.wasm'], ['workerd-models', './kernels.wasm'],
    ['edge-light', './kernels.wasm?module'], ['edge-light-models', './kernels.wasm?module'],
  ]) {
    const texts = loadedBy(`dist/${entry}.js`).map((path) => ({ path, text: readFileSync(path, 'utf8') }));
    const importing = texts.filter(({ text }) => text.includes(`from"${wasm}"`));
    assert.equal(importing.map(({ path }) => dirname(path)), ['dist'], entry);
    for (const { path, text } of texts) assert.not.ok(text.includes('0061736d01'), path);
  }
});

dist('exports names types first, and conditions before what they are special cases of', () => {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const [name, entry] of Object.entries<string | object>(exports))
    if (typeof entry !== 'string') assert.is(Object.keys(entry)[0], 'types', name);
  for (const name of ['.', './models'])
    assert.equal(Object.keys(exports[name]), ['types', 'workerd', 'edge-light', 'node', 'default'], name);
});

dist('only onebit/models depends on anything: tokenizers and templates', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
  assert.equal(Object.keys(manifest.dependencies), ['@huggingface/jinja', '@huggingface/tokenizers']);
  for (const entry of ['index', 'node', 'workerd', 'edge-light', 'core', 'worker', 'worker-main', 'corpus'])
    for (const path of loadedBy(`dist/${entry}.js`, true))
      assert.not.match(readFileSync(path, 'utf8'), /from\s*"@huggingface/, path);
  for (const name of ['preinstall', 'install', 'postinstall'])
    assert.is(manifest.scripts[name], undefined);
});

dist('every file that exports names is built', () => {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const paths = Object.values(exports).flatMap((entry) =>
    typeof entry === 'string' ? [entry] : Object.values(entry as Record<string, string>));
  for (const path of paths) assert.ok(statSync(path).size > 0, path);
});

dist.run();

const house = suite('house rules');

house('no file is longer than 300 lines', () => {
  for (const root of ['src', 'assembly', 'test', 'bench', 'examples']) {
    for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
      if (!/\.tsx?$/.test(name) || name.includes('node_modules')) continue; // bench/peers has some
      const lines = readFileSync(join(root, name), 'utf8').split('\n').length - 1;
      assert.ok(lines <= MAX_LINES, `${join(root, name)} has ${lines} lines`);
    }
  }
});

house('no line of code is longer than 110 columns', () => {
  for (const root of ['src', 'assembly', 'test']) {
    for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts') || /words|things|plots|golden/.test(name)) continue;
      readFileSync(join(root, name), 'utf8').split('\n').forEach((line, i) =>
        assert.ok(line.length <= 110, `${join(root, name)}:${i + 1} has ${line.length} columns`));
    }
  }
});

house.run();

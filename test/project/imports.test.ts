/** Holds the layers of src/: imports go downwards, never in a circle; every test file is run. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync, readdirSync } from 'node:fs';

interface Meta {
  inputs: Record<string, { imports: { path: string }[] }>;
}

/** Top-level names of src/, lowest layer first. */
const LAYERS = [
  ['errors'], ['check', 'host-turn', 'model-source', 'sha256'], ['rng'], ['quant'],
  ['io', 'tokenizer', 'corpus'],
  ['ref', 'wasm'], ['spawn-node', 'spawn-none', 'spawn-web', 'files-node', 'files-none'],
  ['store', 'store-node', 'store-none', 'store-web'], ['hub'], ['chat'],
  ['ops'], ['nn'], ['model', 'grammar'], ['train', 'sample'],
  ['core'], ['index'], ['study'], ['models'], ['worker'], ['cli'],
];

const meta = JSON.parse(readFileSync('build/meta.json', 'utf8')) as Meta;
const sources = Object.keys(meta.inputs).filter((path) => path.startsWith('src/'));
const importsOf = (path: string): string[] =>
  meta.inputs[path].imports.map((entry) => entry.path).filter((to) => to.startsWith('src/'));
const top = (path: string): string => path.replace(/^src\//, '').replace(/[/.].*$/, '');
const layer = (path: string): number => LAYERS.findIndex((names) => names.includes(top(path)));

const test = suite('import graph');

test('every file imports only its own folder and lower layers', () => {
  assert.ok(sources.length > 60, `only ${sources.length} files of src/ are in the bundle`);
  for (const path of sources) {
    assert.is.not(layer(path), -1, `${path}: add the new name to LAYERS`);
    for (const to of importsOf(path))
      assert.ok(top(to) === top(path) || layer(to) < layer(path), `${path} → ${to}`);
  }
});

test('no files import each other in a circle', () => {
  const done = new Set<string>();
  const visit = (path: string, above: string[]): void => {
    assert.not.ok(above.includes(path), [...above, path].join(' → '));
    if (done.has(path)) return;
    for (const to of importsOf(path)) visit(to, [...above, path]);
    done.add(path);
  };
  for (const path of sources) visit(path, []);
});

test('no file imports the loader, only wasm/embedded.ts a kernel module', () => {
  for (const path of sources) {
    const to = meta.inputs[path].imports.map((entry) => entry.path).join(' ');
    assert.not.ok(to.includes('assemblyscript/loader'), path);
    if (/\.(wasm|hex)$/.test(to)) assert.is(path, 'src/wasm/embedded.ts');
  }
});

test('only src/cli and the adapters of workers and files name a runtime', () => {
  for (const path of sources) {
    if (['cli', 'spawn-node', 'files-node', 'store-node'].includes(top(path))) continue;
    const text = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    assert.not.match(text, /from 'node:|\bprocess\.|\bDeno\.|\bBun\./, path);
  }
});

test('every test file is in the bundle', () => {
  const files = readdirSync('test', { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => name.endsWith('.test.ts')))
    assert.ok(meta.inputs[`test/${file}`], `test/${file} is not imported by test/index.ts`);
});

test.run();

/** Forbids, in everything that computes, what differs between engines or between runs. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Functions whose last bit, or more, is the engine's choice. `**` is `Math.pow`. */
const INEXACT =
  /\bMath\.(a?(cos|sin|tan)h?|atan2|cbrt|exp|expm1|hypot|log|log10|log1p|log2|pow)\b|\*\*/;
/** A power of two written out is a constant, exact on every engine. */
const CONSTANT_POWER = /\b2 \*\* -?\d+/g;
const RANDOM = /\bMath\.random\b|\bcrypto\.getRandomValues\b|\bDate\b/;

/** What depends on the language of the machine or on the engine's tables of it. */
const LOCALE = /\blocaleCompare\b|\btoLocale\w+|\bIntl\b/;
/**
 * Sorting is stable by the language since 2019, so equal keys are no danger. Two things are left to
 * the engine or wrong: a comparator that gives a boolean is inconsistent, and without one an Array
 * of numbers is sorted as text. Typed arrays sort by value: the files below sort no others.
 */
const BOOLEAN_COMPARATOR = /\.(sort|toSorted)\(\s*\(\w+, \w+\)\s*=>\s*[^)]*[<>](?![<>])/;
const BARE_SORT = /\.(sort|toSorted)\(\s*\)/;
const SORTS_TYPED_ARRAYS = [join('src', 'sample', 'ranking.ts')];
/** Where time decides when something happens, never what. */
const CLOCKS = ['host-turn.ts', 'wasm/threads.ts', 'wasm/thread-worker.ts', 'worker/hosted-run.ts']
  .map((name) => join('src', name));

const files = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts')).map((name) => join(directory, name));

/** Code without comments and texts, roughly: enough to find calls. */
const code = (path: string): string => readFileSync(path, 'utf8')
  .replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '').replace(/'[^'\n]*'/g, '\'\'');

const test = suite('determinism');

test('src/ outside ref/ calls no inexact function of Math', () => {
  for (const path of files('src')) {
    if (path.startsWith(join('src', 'ref'))) continue;
    const found = INEXACT.exec(code(path).replace(CONSTANT_POWER, ''));
    assert.not.ok(found, `${path}: ${found?.[0]}`);
  }
});

test('nothing in src/ is random or asks for the date', () => {
  for (const path of files('src')) {
    // the date that templates may ask for is given by the command
    const isChat = path === join('src', 'cli', 'chat.ts');
    const text = isChat ? code(path).replace('now: new Date()', '') : code(path);
    assert.not.match(text, RANDOM, path);
  }
});

test('src/ outside cli/ and ref/ asks for no locale, and sorts by consistent comparators', () => {
  for (const path of files('src')) {
    if (/^src.(cli|ref)\b/.test(path)) continue;
    const text = code(path);
    assert.not.match(text, LOCALE, path);
    assert.not.match(text, BOOLEAN_COMPARATOR, path);
    if (!SORTS_TYPED_ARRAYS.includes(path)) assert.not.match(text, BARE_SORT, path);
  }
});

test('the rules about sorting find what they are about', () => {
  for (const bad of ['ids.sort((a, b) => a > b)', 'ids.toSorted((a, b) => a.x < b.x ? 1 : 0)'])
    assert.match(bad, BOOLEAN_COMPARATOR);
  for (const good of ['ids.sort((a, b) => a - b)', 'e.sort((a, b) => a.x - b.x || a.y - b.y)'])
    assert.not.match(good, BOOLEAN_COMPARATOR);
  assert.match('ids.sort()', BARE_SORT);
});

test('only the pool, the turns of the host and a worker\'s reports look at a clock', () => {
  for (const path of files('src'))
    if (!CLOCKS.includes(path) && !path.startsWith(join('src', 'cli')))
      assert.not.match(code(path), /\bperformance\b/, path);
});

test('nothing outside cli/ needs Symbol.dispose, which WebKit has not: no `using`', () => {
  for (const path of files('src'))
    if (!/^src.cli\b/.test(path)) assert.not.match(code(path), /^\s*(await )?using \w+ =/m, path);
});

test('kernels use no function of the host', () => {
  for (const path of files('assembly')) {
    assert.not.match(code(path), /JSMath|\bDate\b/, path);
    assert.not.match(code(path), /[^e]Math\.|\bMathf\./, `${path}: only NativeMath`);
  }
});

test('the only relaxed instruction is the swizzle of the lookups, whose indices are below 16', () => {
  for (const path of files('assembly')) {
    const found = code(path).match(/\w+\.relaxed_\w+/g) ?? [];
    assert.equal(found, path.endsWith(join('lib', 'lookup.ts')) ? ['i8x16.relaxed_swizzle'] : [], path);
  }
});

test.run();

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
  for (const path of files('src')) assert.not.match(code(path), RANDOM, path);
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

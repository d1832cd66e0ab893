/** The suite itself: digests are right, every kernel is in it, two runs print the same. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { newEngine } from '../helpers/tiny-model.ts';
import { Digest } from './digest.ts';
import { NOT_COMPUTING } from './float-parts.ts';
import { runPart } from './part.ts';
import type { Report } from './report.ts';
import { formatTable, isIdentical, toJson } from './report.ts';
import { PARTS, readLines, runSuite } from './suite.ts';

const digest = suite('Digest');

digest('is FNV-1a, 64 bits', () => {
  assert.is(new Digest().hex, 'cbf29ce484222325');
  assert.is(new Digest().text('a').hex, 'af63dc4c8601ec8c');
  assert.is(new Digest().text('foobar').hex, '85944171f73967e8');
  assert.is(new Digest().text('foo').text('bar').hex, '85944171f73967e8');
});

digest('tells floats apart that differ in one bit, and no NaN from another', () => {
  const hex = (...bits: number[]): string =>
    new Digest().floats(new Float32Array(Uint32Array.from(bits).buffer)).hex;
  assert.is.not(hex(0x3f800000), hex(0x3f800001));
  assert.is.not(hex(0), hex(0x80000000));
  assert.is(hex(0x7fc00000), hex(0xffc12345));
});

digest.run();

const conformance = suite('the conformance suite');

conformance('computes with every kernel, and its lines can be read again', async () => {
  const engine = newEngine(), called = new Set<string>(NOT_COMPUTING), lines: string[] = [];
  const kernels = new Proxy(engine.kernels, {
    get: (target, name: string) => (called.add(name), target[name as never]),
  });
  Object.defineProperty(engine, 'kernels', { value: kernels });
  await runSuite(engine, (line) => void lines.push(line));
  const names = Object.entries(kernels).filter(([, value]) => typeof value === 'function');
  assert.equal(names.map(([name]) => name).filter((name) => !called.has(name)), []);
  assert.is(lines.length, PARTS.length + 1);
  const { parts, engine: what } = readLines(`noise\n${lines.join('\r\n')}\n`);
  assert.equal(Object.keys(parts), PARTS.map(({ name }) => name));
  assert.is(what, '1 thread, baseline');
  assert.throws(() => readLines(lines.slice(1).join('\n')), /math f64/);
});

conformance('prints the same twice, and other digests for other results', async () => {
  const texts: string[] = [];
  for (const wrong of [false, false, true]) {
    const engine = newEngine();
    const addF32: typeof engine.kernels.addF32 = (a, b, y, n) => {
      engine.kernels.addF32(a, b, y, n);
      engine.i32(y, n)[0] ^= 1;
    };
    const kernels = { ...engine.kernels, ...(wrong && { addF32 }) };
    const part = PARTS.find(({ name }) => name === 'activations')!;
    const changed = Object.create(engine, { kernels: { value: kernels } });
    texts.push(await runPart(part, changed, new Digest()));
  }
  assert.is(texts[0], texts[1]);
  assert.is.not(texts[0], texts[2]);
});

conformance.run();

const reports = suite('a conformance report');

const result = (name: string, math: string): Report['results'][number] =>
  ({ name, version: '1.2', engine: '1 thread', parts: { math, loss: 'bb' } });
const report = (parts: Partial<Report>): Report =>
  ({ results: [result('Node', 'aa'), result('Bun', 'aa')], failures: [], absent: [], ...parts });

reports('is identical only if all came to the end and agree', () => {
  assert.ok(isIdentical(report({})));
  assert.ok(isIdentical(report({ absent: [{ name: 'Deno', hint: 'get it' }] })), 'absent is no failure');
  assert.not.ok(isIdentical(report({ results: [] })));
  assert.not.ok(isIdentical(report({ failures: [{ name: 'Deno', reason: 'it died' }] })));
  assert.not.ok(isIdentical(report({ results: [result('Node', 'aa'), result('Bun', 'ab')] })));
});

reports('names the runtime and the part that differ, and what is absent', () => {
  const text = formatTable(report({
    results: [result('Node', 'aa'), result('Deno', 'aa'), result('Bun', 'ab')],
    failures: [{ name: 'WebKit', reason: 'no display' }], absent: [{ name: 'Firefox', hint: 'get it' }],
  }));
  assert.match(text, /Bun +✘ · +1\.2, 1 thread/);
  assert.match(text, /✘ {2}ab {2}math on Bun/);
  assert.match(text, /WebKit +failed: no display/);
  assert.match(text, /Firefox +absent: get it/);
});

reports('as JSON has a digest for every runtime and part', () => {
  const json = JSON.parse(toJson(report({ absent: [{ name: 'Deno', hint: 'get it' }] })));
  const { name: _, ...expected } = result('Bun', 'aa');
  assert.equal(json.runtimes.Bun, expected);
  assert.equal([json.absent, json.identical], [['Deno'], true]);
});

reports.run();

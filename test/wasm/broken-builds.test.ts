/**
 * Builds that compute wrongly, as if the runtime had miscompiled one instruction: the bytes of the real
 * modules with one opcode changed. Each must be found at start, dropped with a note, or refused if forced.
 *
 * The relaxed swizzle is written as the strict one, which gives the same bytes: so the relaxed build runs
 * where there is no relaxed SIMD too. (What no small case can find is what adds a second chunk of 1,024
 * columns to the first; tests of the kernels cover it.)
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import kernelBytes from '../../build/kernels.wasm';
import relaxedBytes from '../../build/relaxed.wasm';
import { EngineError } from '../../src/errors.ts';
import { embeddedModule } from '../../src/wasm/embedded.ts';
import type { EngineOptions } from '../../src/wasm/engine.ts';
import { Engine } from '../../src/wasm/engine.ts';
import { failsWith } from '../helpers/fails.ts';

/** Encodings of one length: opcodes after the prefix 0xfd, in LEB128. */
const RELAXED_SWIZZLE = [0xfd, 0x80, 2], SWIZZLE = [0xfd, 0x8e, 0];
const XOR = [0xfd, 0xd1, 0], NEG_I8 = [0xfd, 0x61], POPCNT = [0xfd, 0x62];
const ADD_I16 = [0xfd, 0x8e, 1], SUB_I16 = [0xfd, 0x91, 1];
const ADD_I8 = [0xfd, 0x6e], SUB_I8 = [0xfd, 0x71];
const AND = [0xfd, 0x4e], OR = [0xfd, 0x50];

type Bytes = Uint8Array<ArrayBuffer>;

/** Where `pattern` is in a module. */
function sites(bytes: Bytes, pattern: readonly number[]): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(0xfd); at >= 0; at = bytes.indexOf(0xfd, at + 1))
    if (pattern.every((byte, i) => bytes[at + i] === byte)) found.push(at);
  return found;
}

function patched(bytes: Bytes, at: readonly number[], pattern: readonly number[]): Bytes {
  const copy = bytes.slice();
  for (const site of at) copy.set(pattern, site);
  return copy;
}

const real = relaxedBytes as Bytes;
const strict = patched(real, sites(real, RELAXED_SWIZZLE), SWIZZLE);

const engineOf = (options: Partial<EngineOptions>): Engine =>
  new Engine({ module: embeddedModule(), maxMemory: 4 << 20, ...options });

const test = suite('a miscompiled build');

test('is none with strict swizzles instead of relaxed ones', () => {
  const { build, notes } = engineOf({ relaxed: new WebAssembly.Module(strict) }).info;
  assert.is(build, 'relaxed');
  assert.equal(notes, []);
});

for (const [name, from, to] of [
  ['swizzle', SWIZZLE, XOR], ['8-bit sum', ADD_I8, SUB_I8], ['16-bit sum', ADD_I16, SUB_I16],
  ['mask', AND, OR],
] as const)
  test(`of the relaxed kernels with any one ${name} wrong is dropped, or refused if forced`, () => {
    const all = sites(strict, from), unnoticed: number[] = [];
    assert.ok(all.length >= 10, `${all.length} places`);
    for (const at of all) {
      const relaxed = new WebAssembly.Module(patched(strict, [at], to));
      const { build, notes } = engineOf({ relaxed }).info;
      if (build === 'relaxed') {
        unnoticed.push(at);
        continue;
      }
      assert.match(notes.join(), /^self-test of gemmLookup\w+ failed.*; the baseline build is used$/);
      const error = failsWith(
        () => engineOf({ relaxed, build: 'relaxed' }), EngineError, 'SELFTEST_FAILED');
      assert.match(error.field!, /^gemmLookup/);
    }
    assert.equal(unnoticed, []);
  });

test('with wrong popcounts multiplies by lookups, or is refused if popcounts are forced', () => {
  const bytes = kernelBytes as Bytes, all = sites(bytes, POPCNT);
  assert.ok(all.length >= 3, `${all.length} places`);
  const module = new WebAssembly.Module(patched(bytes, all, NEG_I8));
  const { products, notes } = engineOf({ module }).info;
  assert.ok([...products.b1, ...products.t2].every((family) => family === 'lookup'));
  assert.match(
    notes.join(), /^self-test of gemmPopcount\w+ failed.*; lookups are used instead of popcounts$/);
  failsWith(() => engineOf({ module, product: 'popcount' }), EngineError, 'SELFTEST_FAILED');
});

test('of the baseline with a wrong swizzle is refused: there is nothing to fall back to', () => {
  const bytes = kernelBytes as Bytes, strictSites = sites(bytes, [0xfd, 0x0e]);
  assert.ok(strictSites.length >= 10, `${strictSites.length} places`);
  const module = new WebAssembly.Module(patched(bytes, strictSites, [0xfd, 0x51]));
  failsWith(() => engineOf({ module }), EngineError, 'SELFTEST_FAILED');
});

test.run();

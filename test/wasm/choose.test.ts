/** The choice of variants: what is forced, what is recorded, what is dropped because it is wrong. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseVariants } from '../../src/wasm/choose.ts';
import { embeddedModule, embeddedRelaxedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';
import type { KernelExports } from '../../src/wasm/exports.ts';
import { BUILDS, PRODUCTS, fastestProduct } from '../../src/wasm/variants.ts';

const relaxed = embeddedRelaxedModule('own');
const engine = new Engine({ module: embeddedModule() });

/** The kernels, one of which writes one wrong bit. */
function broken(name: 'gemmLookupI8B1' | 'gemmPopcountI8B1'): KernelExports {
  const run = engine.kernels[name] as (...args: number[]) => void;
  const wrong = (...args: number[]): void => {
    run(...args);
    engine.i32(args[3], 1)[0] ^= 1;
  };
  return { ...engine.kernels, [name]: wrong };
}

const failed = (error: { code: string; field: string }, field: string): boolean =>
  error.code === 'SELFTEST_FAILED' && error.field === field;

const test = suite('chooseVariants');

test('an engine says which family computes every kind of weights and width of activations', () => {
  const { products, build, notes } = new Engine({ module: embeddedModule() }).info;
  assert.is(build, 'baseline');
  assert.equal(notes, []);
  for (const kind of ['b1', 't2'] as const)
    assert.equal(
      products[kind], [1, 2, 3, 4, 5, 6, 7, 8].map((bits) => fastestProduct(build, kind, bits)));
});

test('a forced family computes every product', () => {
  for (const product of PRODUCTS) {
    const { products } = new Engine({ module: embeddedModule(), product }).info;
    assert.ok([...products.b1, ...products.t2].every((family) => family === product));
  }
});

test('the relaxed build is used where the runtime has it, and the baseline where it is forced', () => {
  if (!relaxed) {
    assert.throws(() => new Engine({ module: embeddedModule(), build: 'relaxed' }),
      (error: { code: string; message: string }) =>
        error.code === 'NO_SIMD' && error.message.includes('no relaxed SIMD'));
    return;
  }
  const rows = [[undefined, 'relaxed'], ['relaxed', 'relaxed'], ['baseline', 'baseline']] as const;
  for (const [build, expected] of rows)
    assert.is(new Engine({ module: embeddedModule(), relaxed, build }).info.build, expected);
});

test('unknown names are refused with the names that there are', () => {
  for (const [options, message] of [
    [{ build: 'fast' }, `"build" expected ${BUILDS.join(' or ')}, got "fast"`],
    [{ product: 'dot' }, `"product" expected ${PRODUCTS.join(' or ')}, got "dot"`],
  ] as const)
    assert.throws(() => new Engine({ module: embeddedModule(), ...options } as never),
      (error: Error) => error instanceof RangeError && error.message.includes(message));
});

test('a popcount family that computes wrongly is dropped, and the engine says so', () => {
  const { variants, notes } = chooseVariants(
    broken('gemmPopcountI8B1'), engine.memory, engine.heap, undefined, {});
  assert.is(variants.productFor('b1', 1), 'lookup');
  assert.is(notes.length, 1);
  assert.match(notes[0], /gemmPopcountI8B1 .*lookups are used/);
});

test('what computes wrongly and is forced, or is needed, is refused', () => {
  assert.throws(
    () => chooseVariants(
      broken('gemmPopcountI8B1'), engine.memory, engine.heap, undefined, { product: 'popcount' }),
    (error: never) => failed(error, 'gemmPopcountI8B1'));
  assert.throws(
    () => chooseVariants(broken('gemmLookupI8B1'), engine.memory, engine.heap, undefined, {}),
    (error: never) => failed(error, 'gemmLookupI8B1'));
});

test('a relaxed build that computes wrongly is dropped unless it is forced', () => {
  // A module with the exports of the relaxed build that does nothing: (func) for gemmLookupI8B1.
  const nothing = new WebAssembly.Module(Uint8Array.of(
    0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0,
    7, 18, 1, 14, ...new TextEncoder().encode('gemmLookupI8B1'), 0, 0, 10, 4, 1, 2, 0, 0x0b));
  const { variants, notes } = chooseVariants(engine.kernels, engine.memory, engine.heap, nothing, {});
  assert.is(variants.build, 'baseline');
  assert.match(notes[0], /gemmLookupI8B1 .*baseline build is used/);
  assert.throws(
    () => chooseVariants(engine.kernels, engine.memory, engine.heap, nothing, { build: 'relaxed' }),
    (error: never) => failed(error, 'gemmLookupI8B1'));
});

test.run();

/**
 * The tests that run on the relaxed build where there is one, in a process that has it:
 * `npm run test:relaxed`. `npm test` leaves the runtime as it is, without it on Node.js 20.
 * @module
 */
import './allow.ts';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hasRelaxedSimd } from '../../src/cli/relaxed-simd.ts';
import { embeddedRelaxedModule } from '../../src/wasm/embedded.ts';
import { builds } from '../helpers/kernels.ts';
import '../kernels/bit-products.test.ts';
import '../kernels/block-i8.test.ts';
import '../kernels/lookup-i8.test.ts';
import '../kernels/product-shapes.test.ts';
import '../kernels/table.test.ts';
import '../ops/block-gemm.test.ts';
import '../wasm/choose.test.ts';
import '../wasm/recovery.test.ts';
import '../wasm/self-test.test.ts';
import '../wasm/variants.test.ts';

const test = suite('this process');

test('has relaxed SIMD, and the tests above ran on the relaxed build too', () => {
  assert.ok(hasRelaxedSimd());
  assert.ok(embeddedRelaxedModule('own') && embeddedRelaxedModule('shared'));
  assert.ok(builds.some(({ name }) => name === 'relaxed'));
});

test.run();

/** Products of weights with a scale per block, from bytes as a file has them to real numbers. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { blockGemm, quantizeBlocks } from '../../src/ops/block-gemm.ts';
import {
  allocBlockWeights, freeBlockWeights, gatherBlocks, layOutBlocks,
} from '../../src/ops/block-weights.ts';
import type { BlockWeights } from '../../src/ops/block-weights.ts';
import type { Compute } from '../../src/ops/matrix.ts';
import { newMatrix, viewOf } from '../../src/ops/matrix.ts';
import type { BitKind } from '../../src/quant/layout.ts';
import { fileRowBytes } from '../../src/quant/layout.ts';
import { spawnWorker } from '../../src/spawn-node.ts';
import { gemmBlockI8, gemmFixedI8 } from '../../src/ref/bit-gemm.ts';
import { packB1, packT2 } from '../../src/ref/pack.ts';
import { embeddedModule, embeddedSharedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';
import { PRODUCTS } from '../../src/wasm/variants.ts';
import { Workspace } from '../../src/wasm/workspace.ts';
import { sameBits } from '../helpers/close.ts';
import { randomF32, randomSigns, randomTernary } from '../helpers/random.ts';

const computeOf = (engine: Engine): Compute => ({ engine, workspace: new Workspace(engine.heap) });
const compute = computeOf(new Engine({ module: embeddedModule() }));

/** f16 bits of 2^−(i mod 8), and the numbers. */
const SCALES = (n: number): { bits: Uint16Array; values: Float32Array } => ({
  bits: Uint16Array.from({ length: n }, (_, i) => (15 - (i % 8)) << 10),
  values: Float32Array.from({ length: n }, (_, i) => 1 / (1 << (i % 8))),
});

interface Case {
  readonly kind: BitKind;
  readonly n: number;
  readonly k: number;
  readonly block: number;
  readonly w: Int8Array;
}

const makeCase = (kind: BitKind, n: number, k: number, block = 128): Case => ({
  kind, n, k, block, w: (kind === 'b1' ? randomSigns : randomTernary)(n * k, n + k),
});

/** Weights laid out from rows of bytes, and their scales. */
function weightsOf(own: Compute, { kind, n, k, block, w }: Case, fixed = false): BlockWeights {
  const { engine, workspace } = own, bytes = fileRowBytes(kind, k), floats = Float32Array.from(w);
  const rows = kind === 'b1' ? packB1(floats, 0, n, k, bytes) : packT2(floats, 1, n, k, bytes);
  const weights = allocBlockWeights(engine, kind, n, k, block, fixed);
  const ptr = workspace.alloc(rows.length);
  engine.u8(ptr, rows.length).set(rows);
  const stride = kind === 'b1' ? 16 : 32;
  layOutBlocks(own, weights, { ptr, rowBytes: bytes, stride }, SCALES(n * Math.ceil(k / block)).bits);
  return weights;
}

/** What the reference makes of the codes that the quantizer gave. */
function expectedOf(own: Compute, made: Case, q: ReturnType<typeof quantizeBlocks>): Float32Array {
  const { n, k, block, w } = made, { engine } = own, padded = new Int8Array(n * q.kp);
  for (let r = 0; r < n; r++) padded.set(w.subarray(r * k, (r + 1) * k), r * q.kp);
  return gemmBlockI8({
    q: new Int8Array(engine.memory.buffer, q.codes, q.rows * q.kp).slice(), weights: padded,
    xScales: engine.f32(q.scales, (q.rows * q.kp) / q.part).slice(),
    scales: SCALES((n * q.kp) / block).values, part: q.part, parts: block / q.part,
  }, q.rows, n, q.kp);
}

const test = suite('blockGemm');

for (const kind of ['b1', 't2'] as const)
  for (const [m, n, k] of [[1, 1, 1], [1, 40, 300], [2, 33, 128], [20, 16, 1100]])
    test(`${kind} [${m}, ${k}] · [${n}, ${k}]ᵀ has the bits of the reference in every family`, () => {
      const made = makeCase(kind, n, k), w = weightsOf(compute, made);
      const x = newMatrix(compute, m, k), out = newMatrix(compute, m, n);
      viewOf(compute, x).set(randomF32(m * k, 3));
      for (const part of [128, 32]) {
        const q = quantizeBlocks(compute, x, w, { part });
        for (const product of PRODUCTS) {
          blockGemm(compute, q, [w], [out], { product });
          sameBits(viewOf(compute, out).slice(), expectedOf(compute, made, q), `${product} ${part}`);
        }
      }
      freeBlockWeights(compute.engine, w);
    });

/** The scales of `SCALES` as 32,767ths of the largest of each row. */
function fixedScales(n: number, blocks: number): { scales: Int16Array; rowScales: Float32Array } {
  const { values } = SCALES(n * blocks), rowScales = new Float32Array(n);
  for (let r = 0; r < n; r++) rowScales[r] = Math.max(...values.subarray(r * blocks, (r + 1) * blocks));
  const scales = Int16Array.from(values, (d, i) =>
    Math.round((d / rowScales[Math.floor(i / blocks)]) * 32_767));
  return { scales, rowScales };
}

for (const kind of ['b1', 't2'] as const)
  for (const [m, n, k, block] of [
    [1, 1, 32, 16], [1, 40, 370, 64], [2, 33, 768, 128], [20, 16, 1024, 128]])
    test(`${kind} [${m}, ${k}] · [${n}, ${k}]ᵀ / ${block}, fixed point: bits of the reference`, () => {
      const made = makeCase(kind, n, k, block), w = weightsOf(compute, made, true), { engine } = compute;
      const x = newMatrix(compute, m, k), out = newMatrix(compute, m, n);
      for (const extreme of [false, true]) {
        viewOf(compute, x).set(randomF32(m * k, 3).map((v, i) =>
          (extreme ? (made.w[i % k] || 1) : v * (1 + (i % 9)))));
        const q = quantizeBlocks(compute, x, w), parts = q.kp / block;
        const padded = new Int8Array(n * q.kp);
        for (let r = 0; r < n; r++) padded.set(made.w.subarray(r * k, (r + 1) * k), r * q.kp);
        const expected = gemmFixedI8({
          q: new Int8Array(engine.memory.buffer, q.codes, m * q.kp).slice(), weights: padded,
          xi: new Int16Array(engine.memory.buffer, q.xi, m * parts).slice(),
          factors: engine.f32(q.factors, m).slice(), ...fixedScales(n, parts), part: block,
        }, m, n, q.kp);
        for (const product of PRODUCTS) {
          blockGemm(compute, q, [w], [out], { product });
          sameBits(viewOf(compute, out).slice(), expected, `${product}, ${extreme ? 'extreme' : 'random'}`);
        }
      }
      freeBlockWeights(engine, w);
    });

test('scales in fixed point change a sum by less than 2^−13 of its largest scale', () => {
  const made = makeCase('b1', 48, 1024), x = newMatrix(compute, 1, 1024);
  viewOf(compute, x).set(randomF32(1024, 5));
  const results = [false, true].map((fixed) => {
    const w = weightsOf(compute, made, fixed), out = newMatrix(compute, 1, 48);
    blockGemm(compute, quantizeBlocks(compute, x, w), [w], [out]);
    return viewOf(compute, out).slice();
  });
  // Each of 8 parts adds at most 128 columns of at most 3, times 2^−15 twice.
  results[0].forEach((y, r) => assert.ok(Math.abs(y - results[1][r]) < 8 * 128 * 3 * 2 ** -14, `row ${r}`));
});

test('an embedding is gathered from scales in fixed point', () => {
  const made = makeCase('b1', 20, 256), w = weightsOf(compute, made, true), out = newMatrix(compute, 2, 256);
  const ids = compute.workspace.alloc(8);
  compute.engine.i32(ids, 2).set([0, 19]);
  gatherBlocks(compute, w, ids, out);
  const { values } = SCALES(40);
  [0, 19].forEach((row, i) => {
    for (let c = 0; c < 256; c++) {
      const expected = made.w[row * 256 + c] * values[row * 2 + (c >> 7)];
      assert.ok(Math.abs(viewOf(compute, out)[i * 256 + c] - expected) < 2 ** -15, `${row}, ${c}`);
    }
  });
});

test('the sum of a row is near that of the floats it stands for', () => {
  const made = makeCase('b1', 16, 256), w = weightsOf(compute, made);
  const x = newMatrix(compute, 1, 256), out = newMatrix(compute, 1, 16);
  const values = viewOf(compute, x);
  values.set(randomF32(256, 3));
  const { values: d } = SCALES(32), expected = Float32Array.from({ length: 16 }, (_, r) =>
    values.reduce((sum, v, c) => sum + v * made.w[r * 256 + c] * d[r * 2 + (c >> 7)], 0));
  blockGemm(compute, quantizeBlocks(compute, x, w), [w], [out]);
  // Half a step of 2.7/127 per column at most, 256 of them, and signs that cancel.
  viewOf(compute, out).forEach((y, r) => assert.ok(Math.abs(y - expected[r]) < 0.5, `row ${r}`));
});

test('threads give the same bits', async () => {
  const threading = { threads: 3, module: embeddedSharedModule(), spawn: spawnWorker };
  const threaded = computeOf(new Engine({ module: embeddedModule(), threading }));
  const made = makeCase('b1', 2080, 1024);
  for (const m of [1, 40]) {
    const results: Float32Array[] = [];
    for (const own of [compute, threaded, threaded]) {
      const w = weightsOf(own, made), x = newMatrix(own, m, 1024), out = newMatrix(own, m, 2080);
      viewOf(own, x).set(randomF32(m * 1024, 3));
      own.engine.run(() => blockGemm(own, quantizeBlocks(own, x, w), [w], [out]));
      results.push(viewOf(own, out).slice());
      await new Promise((resolve) => setTimeout(resolve, 300)); // the workers come online
    }
    sameBits(results[1], results[0], `${m} tokens`);
    sameBits(results[2], results[0], `${m} tokens, with workers`);
  }
  threaded.engine.dispose();
});

test('shapes and parts that do not fit are refused with both sizes', () => {
  const w = weightsOf(compute, makeCase('b1', 16, 256)), x = newMatrix(compute, 1, 256);
  assert.throws(() => quantizeBlocks(compute, x, w, { part: 48 }), /"part" expected .* divides 128, got 48/);
  assert.throws(() => allocBlockWeights(compute.engine, 'b1', 16, 256, 100), /"block" .* 16, got 100/);
  const q = quantizeBlocks(compute, newMatrix(compute, 1, 128), w);
  assert.throws(() => blockGemm(compute, q, [w], [newMatrix(compute, 1, 16)]),
    /expected 128 columns .* got 256 in blocks of 128/);
});

test.run();

// Linear: forward and both gradients against the formulas in f64.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Linear } from '../../src/nn/linear.ts';
import { embeddedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';
import { close, sameBits } from '../helpers/close.ts';
import { randomF32 } from '../helpers/random.ts';
import {
  LAYER, gradientOf, linear, linearBackward, makePass, matrix, prepared, randomLinear,
  randomParameter, read, valueOf,
} from './layers.ts';

const engine = new Engine({ module: embeddedModule() });
const test = suite('Linear');

for (const [m, k, parts] of [[1, 1, [1]], [5, 7, [9]], [6, 8, [8, 4, 4]], [65, 20, [33, 3]]] as
  [number, number, number[]][])
  test(`is y = x · Wᵀ with its gradients for [${m}, ${k}] · [${parts}]`, () => {
    const layer = randomLinear(engine, k, parts, 1), pass = makePass(engine, m);
    const x = randomF32(m * k, 2), dys = parts.map((rows, p) => randomF32(m * rows, 3 + p));
    const ys = layer.forward(matrix(pass, m, k, x), pass);
    const dx = layer.backward(dys.map((dy, p) => matrix(pass, m, parts[p], dy)), pass);
    const expectedDx = new Float64Array(x.length);
    layer.weights.forEach((weight, p) => {
      const w = valueOf(engine, weight), back = linearBackward(dys[p], x, w, k);
      close(read(pass, ys[p]), linear(x, w, k), LAYER, `y of part ${p}`);
      close(gradientOf(engine, weight), back.dw, LAYER, `dW of part ${p}`);
      back.dx.forEach((d, i) => (expectedDx[i] += d));
    });
    close(read(pass, dx), expectedDx, LAYER, 'dx');
  });

test('gives a token the same bits alone as among others', () => {
  const layer = randomLinear(engine, 9, [5], 4), x = randomF32(7 * 9, 5);
  const forward = (rows: Float32Array): Float32Array => {
    const pass = makePass(engine, rows.length / 9, { training: false });
    return read(pass, layer.forward(matrix(pass, rows.length / 9, 9, rows), pass)[0]);
  };
  sameBits(forward(x.slice(27, 36)), forward(x).slice(15, 20));
});

test('multiplies what the hook puts in the place of its input', () => {
  const layer = randomLinear(engine, 9, [5, 3], 6), data = randomF32(4 * 9, 7);
  const pass = makePass(engine, 4, { training: false }), x = matrix(pass, 4, 9, data);
  const seen: string[][] = [];
  const hooked = layer.forward(x, { ...pass, onInput: (input, weights, { workspace }) => {
    assert.is(input, x);
    seen.push(weights.map(({ name }) => name));
    return matrix({ ...pass, workspace }, 4, 9, data.map((value) => 2 * value));
  } }).map((y) => read(pass, y));
  layer.forward(x, pass).forEach((y, p) => sameBits(hooked[p], read(pass, y).map((v) => 2 * v)));
  assert.equal(seen, [['p6', 'p7']]);
});

test('refuses backward without a forward pass of training, and without a gradient', () => {
  const pass = makePass(engine, 1);
  assert.throws(
    () => randomLinear(engine, 4, [4], 6).backward([], pass), /Linear: backward expected/);
  const { name, value } = randomParameter(engine, 4, 4, 7);
  const layer = prepared(engine, new Linear(engine, [{ name, value }]));
  const x = matrix(pass, 1, 4, randomF32(4, 8));
  layer.forward(x, pass);
  assert.throws(() => layer.backward([x], pass), /parameter p7 has no gradient/);
});

test('gives its panels back when it is disposed', () => {
  const weights = [randomParameter(engine, 5, 3, 9)], used = engine.heap.usedBytes;
  new Linear(engine, weights).dispose();
  assert.is(engine.heap.usedBytes, used);
});

test.run();

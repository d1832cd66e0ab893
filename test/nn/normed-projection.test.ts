// normedProjection: the norm of each product, with the gradients of both.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { normedProjection } from '../../src/nn/normed-projection.ts';
import { sameBits } from '../helpers/close.ts';
import { randomF32 } from '../helpers/random.ts';
import { newEngine } from '../helpers/tiny-model.ts';
import { gradientOf, makePass, matrix, randomLinear, randomNorm, read } from './layers.ts';

const engine = newEngine();
const M = 5, K = 12, ROWS = [8, 6];
const X = randomF32(M * K, 1), DYS = ROWS.map((rows, p) => randomF32(M * rows, 2 + p));

const linear = (): ReturnType<typeof randomLinear> => randomLinear(engine, K, ROWS, 10);
const norms = (): ReturnType<typeof randomNorm>[] =>
  ROWS.map((rows, p) => randomNorm(engine, p === 0 ? 'layernorm' : 'rmsnorm', rows, 20 + p));

const test = suite('normedProjection');

test('is a norm behind each product, with the gradients of both', () => {
  const gains = norms(), whole = normedProjection(linear(), gains), pass = makePass(engine, M);
  const ys = whole.forward(matrix(pass, M, K, X), pass);
  const dx = whole.backward(DYS.map((dy, p) => matrix(pass, M, ROWS[p], dy)), pass);

  const projection = linear(), own = norms(), apart = makePass(engine, M);
  projection.forward(matrix(apart, M, K, X), apart).forEach((product, p) =>
    sameBits(read(pass, ys[p]), read(apart, own[p].forward(product, apart)), `y of part ${p}`));
  const dProducts = DYS.map((dy, p) => own[p].backward(matrix(apart, M, ROWS[p], dy), apart));
  sameBits(read(pass, dx), read(apart, projection.backward(dProducts, apart)), 'dx');
  own.forEach(({ gain }, p) =>
    sameBits(gradientOf(engine, gains[p].gain), gradientOf(engine, gain), `dgain of part ${p}`));
});

test('gives back what its projection took, and leaves its gains to the weights', () => {
  const before = engine.heap.usedBytes, made = norms(), gains = engine.heap.usedBytes - before;
  const projection = linear(), latents = 4 * 2 * K * (ROWS[0] + ROWS[1]);
  normedProjection(projection, made).dispose();
  assert.ok(engine.heap.usedBytes - before - gains >= latents);
  assert.throws(() => projection.dispose(), /used block/);
});

test.run();

/** Quantizers after training: small cases by hand, and the properties their papers claim. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { quantizeAbsmax } from '../../../src/quant/absmax.ts';
import { Rng } from '../../../src/rng.ts';
import { roundGptq } from '../../../src/study/ptq/gptq.ts';
import type { Weights } from '../../../src/study/ptq/layer.ts';
import { outputError } from '../../../src/study/ptq/layer.ts';
import {
  randomOrthogonal, transformCols, transformRows,
} from '../../../src/study/ptq/orthogonal.ts';
import { roundLdlq, roundQuip } from '../../../src/study/ptq/quip.ts';
import { minMaxGrid, roundAbsmax, roundNearest } from '../../../src/study/ptq/round.ts';
import { columnMaxima, smooth, smoothingFactors } from '../../../src/study/ptq/smooth.ts';
import type { Square } from '../../../src/study/ptq/symmetric.ts';
import {
  choleskyLower, choleskyUpper, dampened, inverse, unitUpper,
} from '../../../src/study/ptq/symmetric.ts';
import { close } from '../../helpers/close.ts';
import { randomF32 } from '../../helpers/random.ts';
import { throwsA } from '../../helpers/throws.ts';

/** Products of f64 matrices of width ≤ 96, of values about 1. */
const F64 = { name: 'f64 rounding of small products', absolute: 1e-9, relative: 1e-9 };

const product = (n: number, a: ArrayLike<number>, b: ArrayLike<number>): Float64Array =>
  Float64Array.from({ length: n * n }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += a[Math.floor(at / n) * n + k] * b[k * n + (at % n)];
    return sum;
  });

const transposed = (n: number, a: Float64Array): Float64Array =>
  a.map((_, at) => a[(at % n) * n + Math.floor(at / n)]);

/** Σ x·xᵀ of correlated inputs, one channel 20 times as large as the rest. */
function hessian(n: number, seed: number): Square {
  const h = { n, data: new Float64Array(n * n) };
  for (let s = 0; s < 2 * n; s++) {
    const x = randomF32(n, seed * 1000 + s);
    for (let i = 1; i < n; i++) x[i] += 0.8 * x[i - 1];
    x[n >> 1] *= 20;
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) h.data[i * n + j] += x[i] * x[j];
  }
  return h;
}

const weights = (rows: number, cols: number, seed: number): Weights =>
  ({ rows, cols, data: randomF32(rows * cols, seed, 0.3) });

const algebra = suite('symmetric matrices');

algebra('factors multiply to the matrix they come from', () => {
  for (const n of [1, 2, 7, 24]) {
    const a = dampened(hessian(n, n), 0.01), lower = choleskyLower(a).data, upper = choleskyUpper(a).data;
    close(product(n, lower, transposed(n, lower)), a.data, F64, 'L·Lᵀ');
    close(product(n, transposed(n, upper), upper), a.data, F64, 'Uᵀ·U');
    const identity = Float64Array.from(a.data, (_, at) => Number(at % (n + 1) === 0));
    close(product(n, inverse(a).data, a.data), identity, F64, 'A⁻¹·A');
    const { upper: { data: u }, diagonal } = unitUpper(a), unit = u.map((v, at) => v + identity[at]);
    const scaled = unit.map((v, at) => v * diagonal[at % n]);
    close(product(n, scaled, transposed(n, unit)), a.data, F64, '(I + Ů)·D·(I + Ů)ᵀ');
  }
});

algebra('a matrix by hand', () => {
  const a = { n: 2, data: Float64Array.of(4, 2, 2, 2) };
  assert.equal([...choleskyLower(a).data], [2, 0, 1, 1]);
  assert.equal([...inverse(a).data], [0.5, -0.5, -0.5, 1]);
  const { upper, diagonal } = unitUpper(a);
  assert.equal([...upper.data, ...diagonal], [0, 1, 0, 0, 2, 2]);
  assert.equal([...dampened(a, 0.5).data], [5.5, 2, 2, 3.5]);
});

algebra('a matrix that is not positive definite is refused by name', () => {
  throwsA(() => choleskyLower({ n: 2, data: Float64Array.of(1, 1, 1, 1) }), RangeError, 'row 1');
  throwsA(() => unitUpper({ n: 2, data: Float64Array.of(1, 1, 1, 1) }), RangeError, 'row 0');
});

algebra.run();

const transforms = suite('orthogonal transforms');

transforms('keep lengths and are undone, for powers of 2 and other sizes', () => {
  for (const n of [1, 2, 3, 8, 15, 96, 128]) {
    const q = randomOrthogonal(n, new Rng(n)), x = Float64Array.from(randomF32(n, 2)), y = x.slice();
    q.apply(y);
    const length = (v: Float64Array): number => Math.sqrt(v.reduce((sum, w) => sum + w * w, 0));
    close([length(y)], [length(x)], F64, `length of ${n}`);
    q.undo(y);
    close(y, x, F64, `undone ${n}`);
  }
});

transforms('have orthonormal rows', () => {
  for (const n of [3, 8, 12]) {
    const q = randomOrthogonal(n, new Rng(1));
    const rows = Float64Array.from({ length: n * n }, (_, at) => Number(at % (n + 1) === 0));
    const identity = rows.slice();
    transformRows(rows, q);
    close(product(n, rows, transposed(n, rows)), identity, F64, `Q·Qᵀ of ${n}`);
  }
});

transforms('spread one large value over all coordinates', () => {
  const x = Float64Array.of(1, 0, 0, 0, 0, 0, 0, 0);
  randomOrthogonal(8, new Rng(1)).apply(x);
  close(x.map(Math.abs), new Float64Array(8).fill(1 / Math.sqrt(8)), F64, 'spread');
});

transforms('of columns are those of rows of the transpose', () => {
  const q = randomOrthogonal(6, new Rng(3)), x = Float64Array.from(randomF32(36, 4));
  const rows = transposed(6, x);
  transformRows(rows, q);
  transformCols(x, q);
  assert.equal(transposed(6, x), rows);
});

transforms.run();

const rounding = suite('rounding');

rounding('absmax is the quantizer of activations on the whole matrix', () => {
  for (const bits of [1, 2, 4, 8]) {
    const w = weights(5, 12, bits), { codes, scales } = quantizeAbsmax(w.data, 1, 60, { bits });
    assert.equal(roundAbsmax(w, bits).data, Float32Array.from(codes, (c) => c * scales[0]));
  }
  const one = Float32Array.of(1, -0.4, 0.2);
  assert.equal([...roundAbsmax({ rows: 1, cols: 3, data: one }, 2).data].map(Math.abs), [1, 0, 0]);
});

rounding('the grid of a row has 2^bits points, 0 and both ends among them', () => {
  const round = minMaxGrid({ rows: 2, cols: 2, data: Float32Array.of(-1, 2, 0, 0) }, 2);
  assert.equal([0.6, 9, -9, 0, -0.4].map((v) => round(v, 0) + 0), [1, 2, -1, 0, 0]);
  assert.is(round(0, 1), 0);
});

rounding('GPTQ by hand: the second weight takes over what the first one lost', () => {
  const w = { rows: 1, cols: 2, data: Float32Array.of(0.4, 0.4) };
  const h = { n: 2, data: Float64Array.of(1, 1, 1, 1) };
  assert.equal([...roundGptq(w, h, Math.round).data], [0, 1]);
  assert.equal([...roundNearest(w, Math.round).data], [0, 0]);
});

rounding('GPTQ changes the output less than rounding each weight by itself', () => {
  for (const bits of [2, 3, 4])
    for (const seed of [1, 2, 3]) {
      const w = weights(16, 24, seed), h = hessian(24, seed), round = minMaxGrid(w, bits);
      const gptq = outputError(w, roundGptq(w, h, round), h);
      assert.ok(gptq < outputError(w, roundNearest(w, round), h), `${bits} bits, seed ${seed}`);
    }
});

rounding('LDLQ without transforms gives the weights of GPTQ', () => {
  for (const seed of [1, 2, 3]) {
    const w = weights(16, 24, seed), h = hessian(24, seed), round = minMaxGrid(w, 3);
    const ldlq = Float64Array.from(w.data);
    roundLdlq(ldlq, dampened(h, 0.01), round);
    assert.equal(Float32Array.from(ldlq), roundGptq(w, h, round).data);
  }
});

rounding('with no correlation GPTQ is rounding to nearest', () => {
  const w = weights(4, 6, 5), round = minMaxGrid(w, 2);
  const h = { n: 6, data: Float64Array.from({ length: 36 }, (_, at) => Number(at % 7 === 0)) };
  assert.equal(roundGptq(w, h, round).data, roundNearest(w, round).data);
});

rounding('QuIP changes the output less than GPTQ at 2 bits, where a weight sticks out', () => {
  for (const seed of [1, 2, 3]) {
    const w = weights(32, 32, seed), h = hessian(32, seed);
    for (let r = 0; r < 32; r++) w.data[r * 32 + ((r * 5) % 32)] *= 12;
    const quip = outputError(w, roundQuip(w, h, 2, seed), h);
    const gptq = outputError(w, roundGptq(w, h, minMaxGrid(w, 2)), h);
    assert.ok(quip < gptq, `seed ${seed}: ${quip} against ${gptq}`);
  }
});

rounding('QuIP at 8 bits comes back to the weights, through transforms of any size', () => {
  for (const [rows, cols] of [[8, 8], [12, 20], [7, 96]]) {
    const w = weights(rows, cols, 3), h = hessian(cols, 4);
    const relative = outputError(w, roundQuip(w, h, 8, 1), h) /
      outputError(w, { ...w, data: new Float32Array(rows * cols) }, h);
    assert.ok(relative < 1e-3, `[${rows}, ${cols}]: ${relative}`);
  }
});

rounding('QuIP is the same for the same seed and another for another', () => {
  const w = weights(8, 16, 1), h = hessian(16, 1);
  assert.equal(roundQuip(w, h, 2, 1).data, roundQuip(w, h, 2, 1).data);
  assert.not.equal(roundQuip(w, h, 2, 1).data, roundQuip(w, h, 2, 2).data);
});

rounding('the output error by hand, and shapes that do not fit', () => {
  const w = { rows: 1, cols: 1, data: Float32Array.of(0.5) }, h = { n: 1, data: Float64Array.of(8) };
  assert.is(outputError(w, { ...w, data: Float32Array.of(1) }, h), 2);
  throwsA(() => roundGptq(w, hessian(2, 1), Math.round), RangeError, '"hessian" expected [1, 1]');
});

rounding.run();

const smoothing = suite('SmoothQuant');

smoothing('the factor is the root of inputs over weights', () => {
  assert.equal([...smoothingFactors(Float32Array.of(8, 0), Float32Array.of(0.5, 1))][0], 4);
  assert.ok(smoothingFactors(Float32Array.of(0), Float32Array.of(0))[0] === 1);
  const maxima = columnMaxima([Float32Array.of(1, -2, -3, 1), Float32Array.of(0, 4)], 2);
  assert.equal([...maxima], [3, 4]);
});

smoothing('gain and weights change, their product does not', () => {
  const gain = Float32Array.of(1, 2, 4), w = Float32Array.of(1, 2, 3, 4, 5, 6);
  const before = w.map((v, i) => v * gain[i % 3]);
  smooth(gain, [w], Float32Array.of(2, 4, 0.5));
  assert.equal([...gain], [0.5, 0.5, 8]);
  assert.equal(w.map((v, i) => v * gain[i % 3]), before);
});

smoothing.run();

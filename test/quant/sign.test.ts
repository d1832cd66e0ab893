import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { quantizeSign } from '../../src/quant/sign.ts';
import { unpack } from '../../src/ref/pack.ts';
import { randomF32 } from '../helpers/random.ts';
import { throwsA } from '../helpers/throws.ts';

const test = suite('quantizeSign');

test('the example of its documentation holds', () => {
  const w = quantizeSign(Float32Array.of(0.5, -0.5, 1.5, -1.5), 2, 2);
  assert.equal(w.codes, Uint8Array.of(1, 1));
  assert.is(w.scales[0], 1);
  assert.is(w.rows, 2);
  assert.is(w.cols, 2);
});

test('compares with the mean, not with 0', () => {
  // Mean 2: only 3 and 4 are above it. 2 itself becomes −1.
  const w = quantizeSign(Float32Array.of(0, 1, 2, 3, 4), 1, 5);
  assert.equal(w.codes, Uint8Array.of(0b11000));
  assert.is(w.scales[0], 2);
});

test('pads each row to a whole byte with 0 bits', () => {
  const values = Float32Array.from({ length: 18 }, (_, i) => (i % 9 === 8 ? 1 : -1));
  const { codes } = quantizeSign(values, 2, 9);
  assert.equal(codes, Uint8Array.of(0, 1, 0, 1));
});

test('gives each group of rows a mean and a scale of its own', () => {
  const weights = Float32Array.of(1, -1, 3, -3, 11, 9, 13, 7);
  const w = quantizeSign(weights, 4, 2, 2);
  assert.equal([...w.scales], [2, 10]);
  assert.equal([...unpack('b1', w.codes, 4, 2, 1)], [1, -1, 1, -1, 1, -1, 1, -1]);
  const halves = [0, 4].map((from) => quantizeSign(weights.subarray(from, from + 4), 2, 2));
  assert.equal([...w.codes], halves.flatMap(({ codes }) => [...codes]));
});

test('zeros become −1 with scale 0', () => {
  const w = quantizeSign(new Float32Array(6), 2, 3);
  assert.equal(w.codes, Uint8Array.of(0, 0));
  assert.is(w.scales[0], 0);
});

test('the scale is the best one for its signs when the mean is 0', () => {
  // Least squares: scale = Σ w·code / n, which is mean |W| if codes are the signs of W.
  const half = randomF32(50, 1);
  const weights = Float32Array.of(...half, ...half.map((w) => -w));
  const { codes, scales } = quantizeSign(weights, 10, 10);
  const signs = unpack('b1', codes, 10, 10, 2);
  const best = weights.reduce((sum, w, i) => sum + w * signs[i], 0) / 100;
  assert.ok(Math.abs(best - scales[0]) < 1e-6);
});

test('does not modify its input', () => {
  const weights = randomF32(12, 1), before = weights.slice();
  quantizeSign(weights, 3, 4);
  assert.equal(weights, before);
});

test('rejects a wrong length, wrong sizes, wrong groups and values that are not finite', () => {
  const w = new Float32Array(6);
  const fails = (rows: number, cols: number, groups: number, message: string): void => {
    throwsA(() => quantizeSign(w, rows, cols, groups), RangeError, `quantizeSign: ${message}`);
  };
  fails(2, 4, 1, '"weights" expected 8 values for [2, 4], got 6');
  fails(0, 3, 1, '"rows" expected an integer ≥ 1, got 0');
  fails(2, 1.5, 1, '"cols" expected an integer ≥ 1, got 1.5');
  fails(2, 3, 3, '"groups" expected an integer from 1 to 2, got 3');
  fails(3, 2, 2, '"groups" expected a divisor of 3 rows, got 2');
  throwsA(() => quantizeSign(w, '2' as unknown as number, 3), TypeError, '"rows"');
  for (const bad of [NaN, Infinity, -Infinity])
    for (const at of [0, 5])
      throwsA(
        () => quantizeSign(w.map((_, i) => (i === at ? bad : 0)), 2, 3), RangeError,
        `quantizeSign: "weights" expected finite values, got ${bad} at ${at}`);
});

test.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { quantizeAbsmean } from '../../src/quant/absmean.ts';
import { unpack } from '../../src/ref/pack.ts';
import { randomF32 } from '../helpers/random.ts';
import { throwsA } from '../helpers/throws.ts';

const test = suite('quantizeAbsmean');

const ternary = (values: number[], rows = 1): number[] => {
  const cols = values.length / rows, bytes = Math.ceil(cols / 4);
  const { codes } = quantizeAbsmean(Float32Array.from(values), rows, cols);
  return [...unpack('t2', codes, rows, cols, bytes)];
};

test('the example of its documentation holds', () => {
  const w = quantizeAbsmean(Float32Array.of(2, -2, 0.25, -0.75), 1, 4);
  assert.is(w.scales[0], 1.25);
  assert.equal(w.codes, Uint8Array.of(0b00_01_00_10));
});

test('rounds to the nearest of −1, 0, 1 in units of the mean magnitude', () => {
  // Mean magnitude 1.
  assert.equal(ternary([0.4, -0.4, 0.6, -0.6, 2.5, -1.5]), [0, 0, 1, -1, 1, -1]);
});

test('half the mean magnitude becomes 0: halves round to even', () => {
  assert.equal(ternary([0.5, -0.5, 1.5, -1.5]), [0, 0, 1, -1]); // mean magnitude 1
});

test('pads each row to a whole byte with the weight 0', () => {
  const { codes } = quantizeAbsmean(Float32Array.of(1, 1, 1, 1, 1, -1, -1, -1, -1, -1), 2, 5);
  assert.equal(codes, Uint8Array.of(0b10101010, 0b01010110, 0, 0b01010100));
});

test('gives each group of rows a scale of its own', () => {
  const w = quantizeAbsmean(Float32Array.of(1, -1, 0.1, -0.1), 2, 2, 2);
  assert.equal(w.scales, Float32Array.of(1, 0.1));
  assert.equal([...unpack('t2', w.codes, 2, 2, 1)], [1, -1, 1, -1]);
});

test('zeros stay zeros, with the smallest scale', () => {
  const w = quantizeAbsmean(new Float32Array(5), 1, 5);
  assert.equal(w.codes, Uint8Array.of(0x55, 0x55));
  assert.is(w.scales[0], Math.fround(1e-5));
});

test('changes sign with its input', () => {
  const w = randomF32(64, 1);
  assert.equal(ternary([...w.map((x) => -x)]), ternary([...w]).map((code) => 0 - code));
});

test('rejects a wrong length, wrong groups and values that are not finite', () => {
  const w = new Float32Array(6);
  const fn = 'quantizeAbsmean';
  throwsA(() => quantizeAbsmean(w, 2, 4), RangeError, `${fn}: "weights" expected 8 values`);
  throwsA(() => quantizeAbsmean(w, 3, 2, 2), RangeError, `${fn}: "groups" expected a divisor`);
  throwsA(() => quantizeAbsmean(w, 3, true as unknown as number), TypeError, `${fn}: "cols"`);
  throwsA(
    () => quantizeAbsmean(w.fill(NaN, 4), 2, 3), RangeError,
    `${fn}: "weights" expected finite values, got NaN at 4`);
});

test.run();

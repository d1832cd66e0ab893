import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { quantizeAbsmax } from '../../src/quant/absmax.ts';
import { randomF32 } from '../helpers/random.ts';
import { throwsA } from '../helpers/throws.ts';

const test = suite('quantizeAbsmax');

test('the example of its documentation holds', () => {
  const q = quantizeAbsmax(Float32Array.of(0.5, -1, 0.25, 0), 1, 4, { bits: 8 });
  assert.equal(q.codes, Int8Array.of(64, -127, 32, 0));
  assert.is(q.scales[0], Math.fround(1 / 127));
  assert.equal(q.shifts, Float32Array.of(0));
});

test('has 8 bits and no shift unless asked', () => {
  const x = randomF32(12, 1);
  assert.equal(quantizeAbsmax(x, 3, 4), quantizeAbsmax(x, 3, 4, { bits: 8, shifted: false }));
});

test('each row has a scale of its own', () => {
  const q = quantizeAbsmax(Float32Array.of(1, -2, 100, 50), 2, 2, { bits: 2 });
  assert.equal([...q.scales], [2, 100]);
  assert.equal([...q.codes], [0, -1, 1, 0]); // 1/2 and 50/100 are halves: to even
});

test('the largest magnitude gets the largest code at 2 to 8 bits', () => {
  for (let bits = 2; bits <= 8; bits++) {
    const levels = 2 ** (bits - 1) - 1;
    const q = quantizeAbsmax(Float32Array.of(-3, 3, 0), 1, 3, { bits });
    assert.equal([...q.codes], [-levels, levels, 0]);
    assert.is(q.scales[0], Math.fround(3 / levels));
  }
});

test('shifted codes begin at 0 for the minimum and end at Q for the maximum', () => {
  const q = quantizeAbsmax(Float32Array.of(-1, 0, 1, 3), 1, 4, { bits: 3, shifted: true });
  assert.equal([...q.codes], [0, 1, 2, 3]); // (x + 1) · 3/4 = 0, 0.75, 1.5, 3; 1.5 goes to 2
  assert.is(q.shifts[0], -1);
  assert.is(q.scales[0], Math.fround(4 / 3));
});

test('1 bit has codes ±1, 0 becoming −1, and the mean magnitude as scale', () => {
  const q = quantizeAbsmax(Float32Array.of(2, 0, -3, 1, 4), 1, 5, { bits: 1 });
  assert.equal([...q.codes], [1, -1, -1, 1, 1]);
  assert.is(q.scales[0], 2);
});

test('code · scale + shift is within half a step of x', () => {
  const x = randomF32(4 * 100, 2);
  for (const bits of [2, 3, 4, 8])
    for (const shifted of [false, true]) {
      const q = quantizeAbsmax(x, 4, 100, { bits, shifted });
      x.forEach((value, i) => {
        const r = Math.floor(i / 100), real = q.codes[i] * q.scales[r] + q.shifts[r];
        // 1e-6: three roundings to f32 on the way.
        assert.ok(Math.abs(real - value) <= q.scales[r] * (0.5 + 1e-6 * 2 ** bits), `${bits}`);
      });
    }
});

test('zeros have codes 0 and the smallest scale', () => {
  const q = quantizeAbsmax(new Float32Array(3), 1, 3);
  assert.equal(q.codes, new Int8Array(3));
  assert.is(q.scales[0], Math.fround(Math.fround(1e-5) / 127));
});

test('does not modify its input', () => {
  const x = randomF32(12, 1), before = x.slice();
  for (const bits of [1, 8]) quantizeAbsmax(x, 3, 4, { bits });
  assert.equal(x, before);
});

test('rejects a wrong length, wrong bits and values that are not finite', () => {
  const x = new Float32Array(6);
  throwsA(() => quantizeAbsmax(x, 2, 4), RangeError, '"x" expected 8 values for [2, 4], got 6');
  for (const bits of [0, 9, 1.5, NaN])
    throwsA(
      () => quantizeAbsmax(x, 2, 3, { bits }), RangeError,
      `"bits" expected an integer from 1 to 8, got ${bits}`);
  throwsA(
    () => quantizeAbsmax(x, 2, 3, { bits: 1, shifted: true }), RangeError,
    '"bits" expected an integer from 2 to 8, got 1');
  throwsA(
    () => quantizeAbsmax(x, 2, 3, { bits: '8' as unknown as number }), TypeError, '"bits"');
  for (const bad of [NaN, Infinity, -Infinity])
    throwsA(
      () => quantizeAbsmax(x.fill(bad, 3, 4), 2, 3), RangeError,
      `quantizeAbsmax: "x" expected finite values, got ${bad} at 3`);
});

test.run();

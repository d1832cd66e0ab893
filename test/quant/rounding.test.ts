import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { meanAbs } from '../../src/quant/mean-abs.ts';
import { roundHalfEven } from '../../src/quant/rounding.ts';

const test = suite('roundHalfEven and meanAbs');

test('halves go to the even neighbour', () => {
  assert.equal(
    [0.5, 1.5, 2.5, 3.5, -0.5, -1.5, -2.5, -3.5].map((x) => roundHalfEven(x) + 0),
    [0, 2, 2, 4, 0, -2, -2, -4]);
});

test('other values go to the nearest integer', () => {
  for (let x = -10; x <= 10; x += 1 / 64) {
    if (Math.abs(x % 1) === 0.5) continue;
    assert.ok(Math.abs(roundHalfEven(x) - x) < 0.5, String(x));
  }
  assert.is(roundHalfEven(0.49999999999999994), 0);
  assert.is(roundHalfEven(2 ** 52 + 1), 2 ** 52 + 1);
});

test('NaN and infinities stay what they are', () => {
  assert.ok(Number.isNaN(roundHalfEven(NaN)));
  assert.is(roundHalfEven(Infinity), Infinity);
  assert.is(roundHalfEven(-Infinity), -Infinity);
});

test('meanAbs of every length up to 9 is that of plain sums', () => {
  for (let n = 1; n <= 9; n++) {
    const w = Float32Array.from({ length: n }, (_, i) => (i + 1) * (i & 1 ? -1 : 1));
    const sum = w.reduce((a, b) => a + b, 0);
    assert.equal(
      meanAbs(w), { mean: Math.fround(sum / n), meanAbs: Math.fround((n + 1) / 2) }, `${n}`);
  }
});

test.run();

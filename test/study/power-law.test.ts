/** The law of scaling: fits that are known, intervals, and the exponential they stand on. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Rng } from '../../src/rng.ts';
import { exp, pow } from '../../src/ref/math.ts';
import { exponential } from '../../src/study/exponential.ts';
import { fitPowerLaw, predict } from '../../src/study/power-law.ts';
import { throwsA } from '../helpers/throws.ts';

const test = suite('fitPowerLaw');
const SIZES = [2e4, 5e4, 1.5e5, 4e5, 1e6, 5e6];
const law = (a: number, b: number, c: number) => (n: number): number => a * pow(n, b) + c;
const close = (got: number, want: number, relative: number): void =>
  assert.ok(Math.abs(got - want) <= relative * Math.abs(want), `${got}, expected ${want}`);

test('finds a, b and c of points that lie on a law', () => {
  for (const [a, b, c] of [[40, -0.4, 0.8], [6, -0.1, 0.5], [900, -0.8, 1.2]]) {
    const fit = fitPowerLaw(SIZES, SIZES.map(law(a, b, c)));
    close(fit.a.value, a, 1e-4);
    close(fit.b.value, b, 1e-5);
    close(fit.c.value, c, 1e-4);
    assert.ok(fit.r2 > 1 - 1e-9);
    close(predict(fit, 3e6), law(a, b, c)(3e6), 1e-6);
  }
});

test('the 95 % interval of b holds the true one in about 95 of 100 noisy samples', () => {
  const rng = new Rng(1);
  let inside = 0;
  for (let i = 0; i < 200; i++) {
    const losses = SIZES.map((n) => law(40, -0.4, 0.8)(n) + 0.005 * rng.nextNormal());
    const { b } = fitPowerLaw(SIZES, losses);
    if (Math.abs(b.value + 0.4) <= b.plusMinus) inside++;
  }
  assert.ok(inside >= 180 && inside <= 199, `${inside} of 200`);
});

test('intervals are infinite when there are no more points than parameters', () => {
  const { a, b, c } = fitPowerLaw([1, 4, 16], [3, 2, 1.5]);
  assert.equal([a.plusMinus, b.plusMinus, c.plusMinus], [Infinity, Infinity, Infinity]);
  close(b.value, -0.5, 1e-5);
});

test('refuses fewer than three sizes, and losses that are not as many', () => {
  throwsA(() => fitPowerLaw([1, 2, 2], [1, 2, 3]), RangeError, '"sizes"');
  throwsA(() => fitPowerLaw([1, 2, 3], [1, 2]), RangeError, '"losses.length"');
});

test('exponential is e^x within 2⁻⁴⁹ for |x| ≤ 100', () => {
  const rng = new Rng(2);
  for (let i = 0; i < 2000; i++) {
    const x = 200 * rng.nextFloat() - 100;
    close(exponential(x), exp(x), 2 ** -49 + Math.abs(x) * 2 ** -53);
  }
  assert.is(exponential(0), 1);
  throwsA(() => exponential(701), RangeError);
});

test.run();

// quantElasticI8, elasticBackwardF32: bit for bit the twins, whose gradients are those of code · s
// with rounding held fixed, by differences.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { paddedCols } from '../../src/quant/layout.ts';
import type { QuantizedRows } from '../../src/ref/quant.ts';
import * as ref from '../../src/ref/elastic.ts';
import { close, sameBits, sameIntegers } from '../helpers/close.ts';
import { differences, dot } from '../helpers/gradients.ts';
import { builds, isolated, place, readF32, readI32, readI8, room } from '../helpers/kernels.ts';
import type { Build } from '../helpers/kernels.ts';
import { randomF32 } from '../helpers/random.ts';
import { COLUMNS } from '../helpers/sizes.ts';

const ROWS = [1, 2, 5];
/** Scales from where all values are clipped to where all codes are 0. */
const SCALES = [1e-5, 0.004, 0.1, 1, 1000];

function quantize(
  { engine }: Build, x: Float32Array, scale: number, m: number, k: number, bits: number,
): QuantizedRows {
  const kp = paddedCols(k);
  return isolated(engine, () => {
    const from = place(engine, x), q = room(engine, m * kp);
    const scales = room(engine, m * 4), sums = room(engine, m * 4);
    engine.kernels.quantElasticI8(from, q, scales, sums, m, k, kp, bits, scale);
    return {
      codes: readI8(engine, q, m * kp), scales: readF32(engine, scales, m),
      shifts: new Float32Array(m), sums: readI32(engine, sums, m),
    };
  });
}

function same(actual: QuantizedRows, expected: QuantizedRows): void {
  sameIntegers(actual.codes, expected.codes, 'codes');
  sameBits(actual.scales, expected.scales, 'scales');
  sameIntegers(actual.sums, expected.sums, 'sums');
}

function backward(
  { engine }: Build, d: Float32Array, x: Float32Array, scale: number, bits: number,
): { dx: Float32Array; ds: number } {
  return isolated(engine, () => {
    const at = place(engine, d);
    const ds = engine.kernels.elasticBackwardF32(at, place(engine, x), d.length, bits, scale);
    return { dx: readF32(engine, at, d.length), ds };
  });
}

for (const build of builds) {
  const test = suite(`elastic-i8 [${build.name}]`);

  for (const bits of [8, 4, 3, 2]) {
    test(`has the codes, scales and sums of the reference at every size, ${bits} bits`, () => {
      for (const k of COLUMNS)
        for (const m of ROWS)
          for (const scale of SCALES) {
            const x = randomF32(m * k, m * k + bits);
            same(quantize(build, x, scale, m, k, bits),
              ref.quantElasticI8(x, scale, m, k, paddedCols(k), bits));
          }
    });

    test(`has the gradients of the reference at every size, ${bits} bits`, () => {
      for (const n of COLUMNS)
        for (const scale of SCALES) {
          const x = randomF32(n, n + bits), d = randomF32(n, n);
          const expected = ref.elasticBackwardF32(d, x, scale, bits);
          const actual = backward(build, d, x, scale, bits);
          sameBits(actual.dx, expected.dx, 'dx');
          assert.is(actual.ds, expected.ds, 'ds');
        }
    });
  }

  test('clips at ±Q, rounds halves to even, and keeps the scale as it is', () => {
    const row = Float32Array.of(0.25, 0.75, 1.25, -0.25, -0.75, 63.5, 64, -64, 1000, -1000);
    const { codes, scales, sums } = quantize(build, row, 0.5, 1, row.length, 8);
    sameIntegers(codes.subarray(0, 10), [0, 2, 2, 0, -2, 127, 127, -127, 127, -127]);
    assert.is(scales[0], 0.5);
    assert.is(sums[0], 129);
  });

  test('passes no gradient where x is clipped, and there ±Q to the scale', () => {
    const x = Float32Array.of(63, 63.5, -64, 0.3, 63.4), d = Float32Array.of(2, 3, 5, 7, 0);
    const { dx, ds } = backward(build, d, x, 0.5, 8);
    sameBits(dx, Float32Array.of(2, 0, 0, 7, 0));
    const inside = Math.fround(1 - Math.fround(Math.fround(0.3) * 2));
    assert.ok(Math.abs(ds - (3 * 127 - 5 * 127 + 7 * inside)) < 1e-4);
  });

  for (const bad of [NaN, Infinity, -Infinity])
    for (const at of [0, 5, 16])
      test(`${bad} at ${at} spoils the scale of its row only`, () => {
        const x = randomF32(3 * 17, 5);
        x[17 + at] = bad;
        const { scales } = quantize(build, x, 0.1, 3, 17, 8);
        assert.equal(Array.from(scales, Number.isFinite), [true, false, true]);
      });

  test('a scale that is NaN spoils every row', () => {
    const { scales } = quantize(build, randomF32(34, 5), NaN, 2, 17, 8);
    assert.ok(scales.every(Number.isNaN));
  });

  test.run();
}

const twin = suite('elasticBackwardF32 of the reference');

for (const [bits, scale] of [[8, 0.1], [8, 0.006], [4, 0.2], [2, 1.5]])
  twin(`agrees with differences of code · s whose rounding is held fixed: ${bits} bits, s ${scale}`, () => {
    const m = 3, k = 19, s = Math.fround(scale), levels = 2 ** (bits - 1) - 1;
    const x = randomF32(m * k, 1), d = randomF32(m * k, 2);
    // What rounding adds to v is a constant to the straight-through estimator.
    const { codes } = ref.quantElasticI8(x, s, m, k, k, bits);
    const inside = Array.from(x, (value) => Math.abs(value / s) < levels);
    const added = Array.from(x, (value, i) => (inside[i] ? codes[i] - value / s : 0));
    const value = (xs: ArrayLike<number>, scaled: number): number =>
      dot(d, Array.from(xs, (v, i) => (inside[i] ? v / scaled + added[i] : codes[i]) * scaled));
    const { dx, ds } = ref.elasticBackwardF32(d, x, s, bits);
    const rounding = { name: 'f32 rounding of v', absolute: 1e-3, relative: 1e-5 };
    close([ds], differences(([v]) => value(x, v), [s]), rounding, 'ds');
    close(dx, differences((xs) => value(xs, s), x), { ...rounding, absolute: 1e-6 }, 'dx');
    const clipped = inside.filter((is) => !is).length;
    assert.ok(clipped > 0 || scale === 0.1, `${clipped} are clipped`);
  });

twin.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { paddedCols } from '../../src/quant/layout.ts';
import type { QuantizedRows } from '../../src/ref/quant.ts';
import * as ref from '../../src/ref/quant.ts';
import { sameBits, sameIntegers } from '../helpers/close.ts';
import { builds, isolated, place, readF32, readI32, readI8, room } from '../helpers/kernels.ts';
import type { Build } from '../helpers/kernels.ts';
import { randomF32 } from '../helpers/random.ts';
import { COLUMNS } from '../helpers/sizes.ts';

type Variant = 'absmax' | 'shifted' | 'sign';

/** Rows of a batch; rows are independent, so few are enough. */
const ROWS = [1, 2, 5];

/** Scale and offset of rows; far from 0 the order of the roundings shows in the codes. */
const SPREADS = [[1, 0], [1, 100], [0.01, 1000], [1e-4, -0.01], [1e30, 0]];

function quantize(
  { engine }: Build, variant: Variant, x: Float32Array, m: number, k: number, bits: number,
): QuantizedRows {
  const kp = paddedCols(k), { kernels } = engine;
  return isolated(engine, () => {
    const from = place(engine, x), q = room(engine, m * kp);
    const scale = room(engine, m * 4), sums = room(engine, m * 4);
    const shift = place(engine, new Float32Array(m));
    if (variant === 'absmax') kernels.quantAbsmaxI8(from, q, scale, sums, m, k, kp, bits);
    else if (variant === 'sign') kernels.quantSignI8(from, q, scale, sums, m, k, kp);
    else kernels.quantShiftedI8(from, q, scale, shift, sums, m, k, kp, bits);
    return {
      codes: readI8(engine, q, m * kp), scales: readF32(engine, scale, m),
      shifts: readF32(engine, shift, m), sums: readI32(engine, sums, m),
    };
  });
}

function reference(
  variant: Variant, x: Float32Array, m: number, k: number, bits: number,
): QuantizedRows {
  const kp = paddedCols(k);
  if (variant === 'absmax') return ref.quantAbsmaxI8(x, m, k, kp, bits);
  return variant === 'sign'
    ? ref.quantSignI8(x, m, k, kp)
    : ref.quantShiftedI8(x, m, k, kp, bits);
}

function same(actual: QuantizedRows, expected: QuantizedRows): void {
  sameIntegers(actual.codes, expected.codes, 'codes');
  sameBits(actual.scales, expected.scales, 'scales');
  sameBits(actual.shifts, expected.shifts, 'shifts');
  sameIntegers(actual.sums, expected.sums, 'sums');
}

/** Codes of one row of 4 or more values, without the padding. */
const codesOf = (build: Build, variant: Variant, row: number[], bits: number): Int8Array =>
  quantize(build, variant, Float32Array.from(row), 1, row.length, bits).codes
    .subarray(0, row.length);

/** 8 bits to 2 with both variants, and signs. */
const VARIANTS: readonly (readonly [Variant, number])[] = [
  ...[8, 7, 6, 5, 4, 3, 2].flatMap((bits) =>
    [['absmax', bits], ['shifted', bits]] as const), ['sign', 1],
];

for (const build of builds) {
  const test = suite(`quant-i8 [${build.name}]`);

  for (const [variant, bits] of VARIANTS) {
    const largest = 2 ** (bits - 1) - 1 || 1;

    test(`${variant} at ${bits} bits has the bits of the reference at every size`, () => {
      for (const k of COLUMNS)
        for (const m of ROWS)
          for (const [scale, offset] of SPREADS) {
            const x = randomF32(m * k, m * k + bits, scale).map((value) => value + offset);
            same(quantize(build, variant, x, m, k, bits), reference(variant, x, m, k, bits));
          }
    });

    test(`${variant} at ${bits} bits keeps codes within ±${largest}`, () => {
      const x = randomF32(8 * 129, bits);
      const { codes } = quantize(build, variant, x, 8, 129, bits);
      assert.ok(codes.every((code) => Math.abs(code) <= largest));
      if (variant === 'shifted') assert.ok(codes.every((code) => code >= 0));
      if (variant !== 'sign') assert.ok(codes.includes(largest) || codes.includes(-largest));
    });

    test(`${variant} at ${bits} bits equals the reference for rows of one value`, () => {
      const k = 17, values = [0, -0, 1, -1, 1e-30, -1e-30, 3e38, -3e38, 1e-5, 2e-5];
      const x = Float32Array.from(values.flatMap((value) => new Array<number>(k).fill(value)));
      same(
        quantize(build, variant, x, values.length, k, bits),
        reference(variant, x, values.length, k, bits));
    });

    test(`${variant} at ${bits} bits does not depend on the other rows`, () => {
      const m = 5, k = 129, kp = paddedCols(k), x = randomF32(m * k, 9);
      const all = quantize(build, variant, x, m, k, bits);
      for (let i = 0; i < m; i++) {
        const one = quantize(build, variant, x.slice(i * k, (i + 1) * k), 1, k, bits);
        same(one, {
          codes: all.codes.slice(i * kp, (i + 1) * kp), scales: all.scales.slice(i, i + 1),
          shifts: all.shifts.slice(i, i + 1), sums: all.sums.slice(i, i + 1),
        });
      }
    });

    for (const at of [0, 2, 16]) {
      test(`${variant} at ${bits} bits: a NaN at ${at} spoils the scale of its row only`, () => {
        const k = 17, x = randomF32(3 * k, 5);
        x[k + at] = NaN;
        const q = quantize(build, variant, x, 3, k, bits);
        assert.ok(Number.isNaN(q.scales[1]));
        assert.ok(Number.isFinite(q.scales[0]) && Number.isFinite(q.scales[2]));
        same(q, reference(variant, x, 3, k, bits));
      });
    }
  }

  test('absmax rounds halves to even', () => {
    // The largest value 127 makes the scale 1, so codes are the rounded values.
    const row = [127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5, -126.5, 3.5, -127];
    sameIntegers(codesOf(build, 'absmax', row, 8), [127, 0, 2, 2, 0, -2, -2, 126, -126, 4, -127]);
  });

  test('shifted rounds halves to even and counts from the minimum', () => {
    const row = [-10, -9.5, -8.5, -7.5, 117, 116.5, 0];
    sameIntegers(codesOf(build, 'shifted', row, 8), [0, 0, 2, 2, 127, 126, 10]);
  });

  test('a single outlier pushes everything else to code 0', () => {
    const x = new Float32Array(129).fill(0.1);
    x[128] = -1000;
    const q = quantize(build, 'absmax', x, 1, 129, 8);
    assert.is(q.codes[128], -127);
    assert.ok(q.codes.subarray(0, 128).every((code) => code === 0));
    assert.is(q.sums[0], -127);
  });

  test('a row of zeros has codes 0, sum 0 and the smallest scale', () => {
    const { codes, scales, sums } = quantize(build, 'absmax', new Float32Array(20), 1, 20, 8);
    sameIntegers(codes, new Int8Array(32));
    sameBits(scales, Float32Array.of(Math.fround(1e-5) / 127));
    assert.is(sums[0], 0);
  });

  test('sign makes 0 and −0 the code −1 and sums the codes', () => {
    const q = quantize(build, 'sign', Float32Array.of(0, -0, 2, -3, 1), 1, 5, 1);
    sameIntegers(q.codes.subarray(0, 5), [-1, -1, 1, -1, 1]);
    assert.is(q.sums[0], -1);
    sameBits(q.scales, Float32Array.of(6 / 5));
  });

  for (const k of COLUMNS) {
    test(`dequantI8 of ${k} columns has the bits of the reference, with and without shift`, () => {
      const kp = paddedCols(k), { engine } = build;
      for (const m of ROWS)
        for (const variant of ['absmax', 'shifted'] as const) {
          const q = reference(variant, randomF32(m * k, k), m, k, 8);
          const out = isolated(engine, () => {
            const codes = place(engine, q.codes), scale = place(engine, q.scales);
            const shift = variant === 'shifted' ? place(engine, q.shifts) : 0;
            const to = room(engine, m * k * 4);
            engine.kernels.dequantI8(codes, scale, shift, to, m, k, kp);
            return readF32(engine, to, m * k);
          });
          sameBits(out, ref.dequantI8(q, m, k, kp));
        }
    });
  }

  test('quantBlockI8 quantizes every part of a row by itself', () => {
    for (const [m, k, kp, part, span] of [
      [1, 1, 16, 16, 16], [2, 33, 64, 32, 32], [3, 300, 384, 128, 128], [1, 128, 256, 64, 64],
      [2, 300, 512, 128, 256], [2, 70, 96, 32, 96]])
      for (const bits of [2, 8]) {
        const x = randomF32(m * k, k + bits).map((v, i) => v * (1 + (i % 50)));
        const parts = (m * kp) / part, { engine } = build;
        const actual = isolated(engine, () => {
          const from = place(engine, x), q = room(engine, m * kp);
          const scales = room(engine, parts * 4), sums = room(engine, parts * 4);
          engine.kernels.quantBlockI8(from, q, scales, sums, m, k, kp, part, span, bits);
          return {
            codes: readI8(engine, q, m * kp), scales: readF32(engine, scales, parts),
            shifts: new Float32Array(parts), sums: readI32(engine, sums, parts),
          };
        });
        same(actual, ref.quantBlockI8(x, m, k, kp, part, span, bits));
      }
  });

  test.run();
}

/**
 * The elementary functions against the engine's own `Math`.
 *
 * Largest errors measured on Node 20: exp, log, sin, cos, pow 1 ulp between the two f64
 * implementations, each of which may be off by 1; expF32 0.98 f32 ulp over the sweeps below. The
 * recorded hashes hold on every engine: the bits must never change.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as ref from '../../src/ref/math.ts';
import { hashBits, sameBits, ulpsF32, ulpsF64 } from '../helpers/close.ts';
import { builds, isolated, place, readF32, room } from '../helpers/kernels.ts';
import type { Build } from '../helpers/kernels.ts';

type Scalar = 'exp' | 'log' | 'sin' | 'cos';
type Vector = 'expF32';

/** Function, range of the sweep, largest ulps from `Math`, hash of the results. */
const SCALARS: readonly (readonly [Scalar, number, number, number, number])[] = [
  ['exp', -745, 709.75, 2, 0xf15b2e33],
  ['log', 2 ** -20, 2 ** 12, 2, 0x800ca919],
  ['sin', -1000, 1000, 2, 0xe3e4acf9],
  ['cos', -1000, 1000, 2, 0x63f46d14],
];
const SCALAR_POINTS = 20_000;

/** Function, range, points, largest f32 ulps from the exact value, hash. */
const VECTORS: readonly (readonly [Vector, number, number, number, number, number])[] = [
  ['expF32', -104, 89, 240_000, 1, 0x712c94ae],
  ['expF32', -1, 1, 100_000, 1, 0x374ba83e],
];

/** n + 1 points: additions, multiplications and a division, so the same on every engine. */
const sweep = (from: number, to: number, n: number): Float64Array =>
  Float64Array.from({ length: n + 1 }, (_, i) => from + ((to - from) * i) / n);

function runF32({ engine }: Build, fn: Vector, x: Float32Array): Float32Array {
  return isolated(engine, () => {
    const from = place(engine, x), to = room(engine, x.byteLength);
    engine.kernels[fn](from, to, x.length);
    return readF32(engine, to, x.length);
  });
}

for (const build of builds) {
  const { kernels } = build.engine;
  const test = suite(`math [${build.name}]`);

  for (const [fn, from, to, most, hash] of SCALARS) {
    const x = sweep(from, to, SCALAR_POINTS);
    test(`${fn} is within ${most} ulp of Math.${fn} from ${from} to ${to}`, () => {
      let worst = 0;
      const results = x.map((value) => kernels[fn](value));
      x.forEach((value, i) => { worst = Math.max(worst, ulpsF64(results[i], ref[fn](value))); });
      assert.ok(worst <= most, `${worst} ulp`);
      assert.is(hashBits(results), hash, 'the bits have changed');
    });
  }

  test('exp, log, sin and cos of 0, ±Infinity and NaN are those of Math', () => {
    for (const [fn] of SCALARS)
      for (const x of [0, -0, 1, -1, Infinity, -Infinity, NaN, 5e-324, 1e308])
        assert.ok(ulpsF64(kernels[fn](x), ref[fn](x)) <= 1, `${fn}(${x})`);
    assert.ok(Object.is(kernels.sin(-0), -0), 'keeps −0');
  });

  test('pow is within 2 ulp of Math.pow and right at special values', () => {
    for (let i = 0; i <= 100; i++)
      for (let j = 0; j <= 100; j++) {
        const x = 0.01 + i * i * 1.37, y = -9 + j * 0.173;
        assert.ok(ulpsF64(kernels.pow(x, y), ref.pow(x, y)) <= 2, `${x} ** ${y}`);
      }
    const special = [
      [0, 0], [0, -1], [-0, -1], [-2, 3], [-2, 0.5], [Infinity, 0], [NaN, 0], [1, Infinity],
      [2, 1024], [2, -1075], [0.5, Infinity], [10_000, 0.5], [2, -1074],
    ];
    for (const [x, y] of special)
      assert.ok(Object.is(kernels.pow(x, y), ref.pow(x, y)), `${x} ** ${y}`);
  });

  for (const [fn, from, to, points, most, hash] of VECTORS) {
    const x = Float32Array.from(sweep(from, to, points));
    test(`${fn} is within ${most} ulp at ${points + 1} points from ${from} to ${to}`, () => {
      const y = runF32(build, fn, x), exact = ref[fn](x);
      let worst = 0;
      for (let i = 0; i < y.length; i++) worst = Math.max(worst, ulpsF32(y[i], exact[i]));
      assert.ok(worst <= most, `${worst} ulp`);
      assert.is(hashBits(y), hash, 'the bits have changed');
    });
    test(`${fn} never falls from ${from} to ${to}`, () => {
      const y = runF32(build, fn, x);
      assert.is(y.findIndex((value, i) => i > 0 && value < y[i - 1]), -1);
    });
  }

  test('expF32 is right where it over- and underflows, at 0 and at NaN', () => {
    const x = Float32Array.of(
      0, -0, Infinity, -Infinity, NaN, 88.72, 88.73, 89, 90, 3e38, -87.3, -103.2, -103.97,
      -104, -105, -3e38, 1e-40, -1e-40, 1e-45);
    sameBits(runF32(build, 'expF32', x), Float32Array.from(ref.expF32(x)), 'expF32');
  });

  for (const n of [1, 2, 3, 4, 5, 7, 8, 9]) {
    test(`expF32 of ${n} values does not depend on the lane`, () => {
      const x = Float32Array.from(sweep(-3, 2, 9)).subarray(0, n);
      const y = runF32(build, 'expF32', x);
      x.forEach((_, i) => {
        sameBits(y.subarray(i, i + 1), runF32(build, 'expF32', x.subarray(i, i + 1)), `${i}`);
      });
    });
  }

  test.run();
}

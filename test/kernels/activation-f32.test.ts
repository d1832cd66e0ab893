// relu, relu2, silu, gelu, the kernels of their slopes, mulF32 and addF32: against the twin over
// −20 … 20 and beyond, and the twin's slopes against differences.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as ref from '../../src/ref/mlp.ts';
import type { KernelExports } from '../../src/wasm/exports.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import { close, sameBits } from '../helpers/close.ts';
import type { Tolerance } from '../helpers/close.ts';
import { DIFFERENCES_F64, differences, dot } from '../helpers/gradients.ts';
import { builds, isolated, place, readF32, room } from '../helpers/kernels.ts';
import { randomF32 } from '../helpers/random.ts';

const LENGTHS = [1, 3, 4, 5, 7, 8, 9, 63, 64, 65];

/** max, product and mask are the correctly rounded results; 0 and −0 count as equal. */
const EXACT: Tolerance = { name: 'exact', absolute: 0, relative: 0 };
/** An exponential of 2 ulp, a division, a product; below 1e−36 e^−x overflows and gives 0. */
const SILU: Tolerance = { name: 'exp of 2 ulp', absolute: 1e-36, relative: 6e-7 };
/** As SiLU where x > 0; towards −∞ the rounding of u grows, but the result is as small. */
const GELU: Tolerance = { name: 'exp of 2 ulp at a rounded u', absolute: 1e-7, relative: 3e-7 };
/** Slopes are sums of terms up to |x| = 20 that cancel. */
const SLOPE: Tolerance = { name: 'f32 rounding of a slope', absolute: 4e-6, relative: 2e-6 };

type Values = ArrayLike<number>;

interface Activation {
  readonly name: string;
  readonly forward: (k: KernelExports) => KernelExports['reluF32'];
  readonly slope: (k: KernelExports) => KernelExports['reluSlopeF32'];
  readonly ref: (x: Values) => Float64Array;
  readonly refBackward: (dy: Values, x: Values) => Float64Array;
  readonly tolerance: Tolerance;
  readonly slopeTolerance: Tolerance;
}

const ACTIVATIONS: readonly Activation[] = [
  {
    name: 'relu', forward: (k) => k.reluF32, slope: (k) => k.reluSlopeF32,
    ref: ref.relu, refBackward: ref.reluBackward, tolerance: EXACT, slopeTolerance: EXACT,
  },
  {
    name: 'relu2', forward: (k) => k.relu2F32, slope: (k) => k.relu2SlopeF32,
    ref: ref.relu2, refBackward: ref.relu2Backward, tolerance: EXACT, slopeTolerance: EXACT,
  },
  {
    name: 'silu', forward: (k) => k.siluF32, slope: (k) => k.siluSlopeF32,
    ref: ref.silu, refBackward: ref.siluBackward, tolerance: SILU, slopeTolerance: SLOPE,
  },
  {
    name: 'gelu', forward: (k) => k.geluF32, slope: (k) => k.geluSlopeF32,
    ref: ref.gelu, refBackward: ref.geluBackward, tolerance: GELU, slopeTolerance: SLOPE,
  },
];

/** −20 … 20 in steps of 0.01, and values where e^x overflows or vanishes. */
const RANGE = Float32Array.from([
  ...Array.from({ length: 4001 }, (_, i) => (i - 2000) / 100),
  0, -0, 1e-30, -1e-30, 1e-45, 50, -50, 87, -87, 88.5, -88.5, 104, -104, 1e4, -1e4, 1e9, -1e9,
]);

/** Runs a kernel that writes whole vectors: blocks end where the last vector ends. */
function run(
  engine: Engine, n: number, operands: Float32Array[], kernel: (...ptrs: number[]) => void,
): Float32Array {
  const size = Math.ceil(n / 4) * 4;
  return isolated(engine, () => {
    const ptrs = operands.map((operand) => {
      const whole = new Float32Array(size);
      whole.set(operand);
      return place(engine, whole);
    });
    const y = room(engine, size * 4);
    kernel(...ptrs, y);
    return readF32(engine, y, n);
  });
}

const forward = (engine: Engine, { forward }: Activation, x: Float32Array): Float32Array =>
  run(engine, x.length, [x], (xAt, y) => forward(engine.kernels)(xAt, y, x.length));

/** Value and slope in one pass. */
function withSlope(
  engine: Engine, { slope }: Activation, x: Float32Array,
): { y: Float32Array; slopes: Float32Array } {
  const n = x.length, size = Math.ceil(n / 4) * 4;
  return isolated(engine, () => {
    const whole = new Float32Array(size);
    whole.set(x);
    const xAt = place(engine, whole), yAt = room(engine, size * 4);
    slope(engine.kernels)(xAt, yAt, n);
    return { y: readF32(engine, yAt, n), slopes: readF32(engine, xAt, n) };
  });
}

for (const { name: build, engine } of builds) {
  for (const activation of ACTIVATIONS) {
    const { name } = activation;
    const test = suite(`${name}F32 [${build}]`);

    test('equals the reference over −20 … 20 and at the extremes', () => {
      const expected = Float32Array.from(activation.ref(RANGE));
      close(forward(engine, activation, RANGE), expected, activation.tolerance);
    });

    test('has the slope of the reference over −20 … 20 and at the extremes', () => {
      const ones = new Float32Array(RANGE.length).fill(1);
      const expected = Float32Array.from(activation.refBackward(ones, RANGE));
      close(withSlope(engine, activation, RANGE).slopes, expected, activation.slopeTolerance);
    });

    test('has the same value beside its slope as without', () => {
      sameBits(withSlope(engine, activation, RANGE).y, forward(engine, activation, RANGE));
    });

    for (const n of LENGTHS)
      test(`computes ${n} values, whole vectors and no more`, () => {
        const x = randomF32(n, 2), ones = new Float32Array(n).fill(1);
        close(
          forward(engine, activation, x), Float32Array.from(activation.ref(x)),
          activation.tolerance);
        close(
          withSlope(engine, activation, x).slopes,
          Float32Array.from(activation.refBackward(ones, x)), activation.slopeTolerance);
      });

    test('gives a value the same bits in every lane', () => {
      const y = forward(engine, activation, new Float32Array(8).fill(1.7));
      sameBits(y, new Float32Array(8).fill(y[0]));
    });

    test('keeps NaN, so that it is noticed', () => {
      assert.ok(Number.isNaN(forward(engine, activation, Float32Array.of(NaN, 1))[0]));
    });

    test.run();
  }

  const products = suite(`mulF32 and addF32 [${build}]`);
  const KERNELS = { mulF32: ref.mul, addF32: ref.add };

  for (const kernel of ['mulF32', 'addF32'] as const) {
    for (const n of LENGTHS)
      products(`${kernel} gives the rounded results of ${n} values`, () => {
        const a = randomF32(n, 4), b = randomF32(n, 5);
        const y = run(engine, n, [a, b],
          (aAt, bAt, yAt) => engine.kernels[kernel](aAt, bAt, yAt, n));
        sameBits(y, Float32Array.from(KERNELS[kernel](a, b)));
      });

    products(`${kernel} may write over either operand`, () => {
      const a = randomF32(8, 6), b = randomF32(8, 7);
      const expected = Float32Array.from(KERNELS[kernel](a, b));
      for (const over of [0, 1])
        sameBits(isolated(engine, () => {
          const ptrs = [place(engine, a), place(engine, b)];
          engine.kernels[kernel](ptrs[0], ptrs[1], ptrs[over], 8);
          return readF32(engine, ptrs[over], 8);
        }), expected, `over operand ${over}`);
    });
  }

  products.run();
}

const formulas = suite('reference activations');

/** Not 0, where relu has a corner. */
const POINTS = [-20, -6.3, -3, -1.2, -0.4, -0.01, 0.01, 0.3, 0.9, 2, 5, 20];

for (const { name, ref: f, refBackward } of ACTIVATIONS)
  formulas(`${name} has the slope of its differences`, () => {
    const dy = randomF32(POINTS.length, 8);
    close(refBackward(dy, POINTS), differences((x) => dot(dy, f(x)), POINTS), DIFFERENCES_F64);
  });

formulas('relu and relu2 have slope 0 at 0', () => {
  assert.equal([...ref.reluBackward([3], [0]), ...ref.relu2Backward([3], [0])], [0, 0]);
});

formulas.run();

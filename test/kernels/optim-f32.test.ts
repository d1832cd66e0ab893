// adamwF32, sumSquaresF32, firstNonFiniteF32: against the twin, and a first step worked by hand.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as ref from '../../src/ref/optim.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import { close, sameBits } from '../helpers/close.ts';
import type { Tolerance } from '../helpers/close.ts';
import { builds, isolated, place, readF32 } from '../helpers/kernels.ts';
import { randomF32 } from '../helpers/random.ts';

const LENGTHS = [1, 3, 4, 5, 7, 8, 9, 63, 64, 65];

const OPTIONS: ref.AdamOptions = {
  learningRate: 1e-2, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.1, gradScale: 0.5,
};

/** 1 − β in f32 is off by up to 1e−6 of itself where β is 0.98. */
const MOMENT: Tolerance = { name: '1 − β in f32', absolute: 1e-9, relative: 3e-6 };
/** Five steps of lr · 1e−6 · (error of the ratio), and five roundings of w. */
const WEIGHT: Tolerance = { name: 'f32 steps of AdamW', absolute: 2e-7, relative: 5e-7 };

interface State {
  readonly w: Float32Array;
  readonly m: Float32Array;
  readonly v: Float32Array;
}

/** One step over n weights in blocks that end where the last vector ends. */
function adamw(
  engine: Engine, { w, m, v }: State, g: Float32Array, step: number, o: ref.AdamOptions,
): State {
  const n = w.length, size = Math.ceil(n / 4) * 4;
  return isolated(engine, () => {
    const [wAt, gAt, mAt, vAt] = [w, g, m, v].map((array) => {
      const whole = new Float32Array(size);
      whole.set(array);
      return place(engine, whole);
    });
    engine.kernels.adamwF32(
      wAt, gAt, mAt, vAt, n, o.learningRate, o.beta1, o.beta2, o.epsilon, o.weightDecay,
      o.gradScale, 1 - o.beta1 ** step, 1 - o.beta2 ** step);
    sameBits(readF32(engine, gAt, n), new Float32Array(n), 'g');
    const [w2, m2, v2] = [wAt, mAt, vAt].map((at) => readF32(engine, at, n));
    return { w: w2, m: m2, v: v2 };
  });
}

const zeroState = (w: Float32Array): State =>
  ({ w, m: new Float32Array(w.length), v: new Float32Array(w.length) });

for (const { name, engine } of builds) {
  const test = suite(`adamwF32 [${name}]`);

  for (const n of LENGTHS)
    test(`follows the reference for five steps over ${n} weights`, () => {
      const w = randomF32(n, 1);
      let state = zeroState(w);
      let expected: ref.AdamState = {
        w: Float64Array.from(w), m: new Float64Array(n), v: new Float64Array(n),
      };
      for (let step = 1; step <= 5; step++) {
        const g = randomF32(n, 10 + step, 0.3);
        state = adamw(engine, state, g, step, OPTIONS);
        expected = ref.adamw(expected, g, step, OPTIONS);
        close(state.m, expected.m, MOMENT, `m at step ${step}`);
        close(state.v, expected.v, MOMENT, `v at step ${step}`);
        close(state.w, expected.w, WEIGHT, `w at step ${step}`);
      }
    });

  test('moves every weight by the learning rate against the sign in the first step', () => {
    // m/c₁ = g and v/c₂ = g² at step 1, so the change is lr · g/(|g| + ε).
    const g = Float32Array.of(3, -0.5, 1e-3, -200, 0.25);
    const options = { ...OPTIONS, weightDecay: 0, gradScale: 1 };
    const { w, m, v } = adamw(engine, zeroState(new Float32Array(5)), g, 1, options);
    const oneStep = { name: 'the step worked by hand', absolute: 0, relative: 1e-5 };
    close(w, [-0.01, 0.01, -0.01, 0.01, -0.01], oneStep, 'w');
    close(m, [0.3, -0.05, 1e-4, -20, 0.025], oneStep, 'm');
    close(v, [0.18, 0.005, 2e-8, 800, 0.00125], oneStep, 'v');
  });

  test('decays weights apart from gradients and moments', () => {
    const w = Float32Array.of(1, -2, 4), zeros = new Float32Array(3);
    const decayed = adamw(engine, zeroState(w), zeros, 1, OPTIONS);
    close(decayed.w, [0.999, -1.998, 3.996], WEIGHT, 'w');
    sameBits(decayed.m, zeros, 'm');
    sameBits(decayed.v, zeros, 'v');
  });

  test('leaves weights without gradient, moments and decay alone', () => {
    const w = randomF32(9, 2);
    sameBits(
      adamw(engine, zeroState(w), new Float32Array(9), 3, { ...OPTIONS, weightDecay: 0 }).w, w);
  });

  test('scales gradients before everything else', () => {
    const w = randomF32(5, 3), g = randomF32(5, 4);
    const scaled = adamw(engine, zeroState(w), g, 1, { ...OPTIONS, gradScale: 0.25 });
    const before = adamw(
      engine, zeroState(w), g.map((x) => x / 4), 1, { ...OPTIONS, gradScale: 1 });
    for (const field of ['w', 'm', 'v'] as const) sameBits(scaled[field], before[field], field);
  });

  test('gives a weight the same bits at every place', () => {
    const fill = (value: number): Float32Array => new Float32Array(7).fill(value);
    const state = { w: fill(0.3), m: fill(0.1), v: fill(0.2) };
    const { w } = adamw(engine, state, fill(0.7), 4, OPTIONS);
    sameBits(w, fill(w[0]));
  });

  test.run();
}

for (const { name, engine } of builds) {
  const test = suite(`sumSquaresF32 [${name}]`);

  const sumSquares = (x: Float32Array): number =>
    isolated(engine, () => engine.kernels.sumSquaresF32(place(engine, x), x.length));
  /** Every square is rounded to f32, their sum is in f64. */
  const tolerance = { name: 'rounding of squares', absolute: 0, relative: 2 ** -24 };

  for (const n of LENGTHS)
    test(`equals the reference for ${n} values`, () => {
      const x = randomF32(n, 5);
      close([sumSquares(x)], [ref.sumSquares(x)], tolerance);
    });

  test('loses nothing over 100,000 equal values, and is 0 for none', () => {
    assert.is(sumSquares(new Float32Array(100_000).fill(0.5)), 25_000);
    assert.is(sumSquares(new Float32Array(0)), 0);
  });

  test('is not finite where a value is not', () => {
    assert.is(sumSquares(Float32Array.of(1, 2, 3, 4, -Infinity)), Infinity);
    assert.ok(Number.isNaN(sumSquares(Float32Array.of(1, NaN, 3, 4, 5))));
  });

  test.run();
}

for (const { name, engine } of builds) {
  const test = suite(`firstNonFiniteF32 [${name}]`);

  const first = (x: Float32Array): number =>
    isolated(engine, () => engine.kernels.firstNonFiniteF32(place(engine, x), x.length));

  test('finds NaN and infinities at each place', () => {
    for (const bad of [NaN, Infinity, -Infinity])
      for (let i = 0; i < 9; i++) {
        const x = randomF32(9, 6);
        x[i] = bad;
        assert.is(first(x), i);
        assert.is(ref.firstNonFinite(x), i);
      }
  });

  test('finds the first of several', () => {
    const x = Float32Array.of(1, 2, Infinity, 3, NaN);
    assert.is(first(x), 2);
    assert.is(ref.firstNonFinite(x), 2);
  });

  test('gives the length where all are finite, the extremes among them', () => {
    const x = Float32Array.of(0, -0, 3.4028234e38, -3.4028234e38, 1e-45, -1e-45);
    assert.is(first(x), 6);
    assert.is(ref.firstNonFinite(x), 6);
    assert.is(first(new Float32Array(0)), 0);
  });

  test.run();
}

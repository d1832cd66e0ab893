// normF32, normBackwardF32: against the twin at vector boundaries, and the twin's backward against
// finite differences of its forward. Every operand lies between guard words.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as ref from '../../src/ref/norm.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import { close, sameBits } from '../helpers/close.ts';
import type { Tolerance } from '../helpers/close.ts';
import { DIFFERENCES_F64, differences, dot } from '../helpers/gradients.ts';
import { builds, isolated, place, readF32, room } from '../helpers/kernels.ts';
import { randomF32 } from '../helpers/random.ts';

const COLS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 63, 64, 65];
/** Four that pass together, and two that do not. */
const ROWS = 6;
const EPS = 1e-5;

/** Half a dozen f32 roundings of values up to 6, the mean's among them. */
const FORWARD: Tolerance = { name: 'f32 rounding of norm', absolute: 1e-6, relative: 1e-6 };
/** As forward, times r and the sums of dx̂: two terms of size 10 may cancel. */
const BACKWARD: Tolerance = {
  name: 'f32 rounding of norm backward', absolute: 1e-5, relative: 2e-6,
};

type Maybe = Float32Array | undefined;

const shapeOf = (rows: number, cols: number, centre: boolean, eps = EPS): ref.NormShape =>
  ({ rows, cols, eps, centre });

function forward(
  engine: Engine, x: Float32Array, gain: Maybe, { rows, cols, eps, centre }: ref.NormShape,
): { y: Float32Array; stats: Float32Array } {
  return isolated(engine, () => {
    const y = room(engine, x.byteLength), stats = room(engine, rows * 8);
    const gainAt = gain ? place(engine, gain) : 0;
    engine.kernels.normF32(place(engine, x), gainAt, y, stats, rows, cols, eps, centre);
    return { y: readF32(engine, y, x.length), stats: readF32(engine, stats, rows * 2) };
  });
}

function backward(
  engine: Engine, dy: Float32Array, x: Float32Array, gain: Maybe,
  { rows, cols, eps, centre }: ref.NormShape,
  options: { inPlace?: boolean; dgain?: Float32Array; onto?: Float32Array } = {},
): { dx: Float32Array; dgain: Float32Array } {
  return isolated(engine, () => {
    const { kernels } = engine;
    const stats = room(engine, rows * 8), y = room(engine, x.byteLength);
    const xAt = place(engine, x), gainAt = gain ? place(engine, gain) : 0;
    kernels.normF32(xAt, gainAt, y, stats, rows, cols, eps, centre);
    const dyAt = place(engine, dy);
    const dgainAt = place(engine, options.dgain ?? new Float32Array(cols));
    const { onto, inPlace } = options;
    const dx = inPlace ? dyAt : onto ? place(engine, onto) : room(engine, x.byteLength);
    kernels.normBackwardF32(
      dyAt, xAt, gainAt, stats, dx, dgainAt, rows, cols, centre, onto !== undefined);
    return { dx: readF32(engine, dx, x.length), dgain: readF32(engine, dgainAt, cols) };
  });
}

/** Inputs with a mean that is not 0, so that LayerNorm and RMSNorm differ. */
const inputs = (rows: number, cols: number): Record<'x' | 'gain' | 'dy', Float32Array> => ({
  x: randomF32(rows * cols, 1).map((v) => v + 0.5),
  gain: randomF32(cols, 2, 0.5).map((v) => v + 1),
  dy: randomF32(rows * cols, 3),
});

const mean = (x: ArrayLike<number>): number =>
  dot(x, new Float64Array(x.length).fill(1)) / x.length;

for (const { name, engine } of builds) {
  for (const centre of [true, false]) {
    const kind = centre ? 'LayerNorm' : 'RMSNorm';
    const test = suite(`normF32 [${name}, ${kind}]`);

    for (const cols of COLS) {
      test(`equals the reference for [${ROWS}, ${cols}], with and without gain`, () => {
        const { x, gain } = inputs(ROWS, cols), shape = shapeOf(ROWS, cols, centre);
        for (const g of [gain, undefined]) {
          const { y, stats } = forward(engine, x, g, shape), expected = ref.norm(x, g, shape);
          close(y, expected.y, FORWARD, 'y');
          close(stats, expected.stats, FORWARD, 'stats');
        }
      });

      test(`has the gradients of the reference for [${ROWS}, ${cols}]`, () => {
        const { x, gain, dy } = inputs(ROWS, cols), shape = shapeOf(ROWS, cols, centre);
        for (const g of [gain, undefined]) {
          const { dx, dgain } = backward(engine, dy, x, g, shape);
          const expected = ref.normBackward(dy, x, g, shape);
          close(dx, expected.dx, BACKWARD, 'dx');
          close(dgain, g ? expected.dgain : new Float32Array(cols), BACKWARD, 'dgain');
        }
      });
    }

    test('adds to the gradient of the gain', () => {
      const { x, gain, dy } = inputs(ROWS, 9), shape = shapeOf(ROWS, 9, centre);
      const before = randomF32(9, 4);
      const { dgain } = backward(engine, dy, x, gain, shape, { dgain: before });
      const added = ref.normBackward(dy, x, gain, shape).dgain;
      close(dgain, before.map((v, j) => v + added[j]), BACKWARD, 'dgain');
    });

    test('adds to dx where it is told to, as an addition afterwards does', () => {
      for (const cols of [3, 33]) {
        const { x, gain, dy } = inputs(ROWS, cols), shape = shapeOf(ROWS, cols, centre);
        const onto = randomF32(ROWS * cols, 5), { dx } = backward(engine, dy, x, gain, shape);
        const added = backward(engine, dy, x, gain, shape, { onto });
        sameBits(added.dx, dx.map((v, i) => v + onto[i]));
      }
    });

    test('gives the same bits when dx is written over dy', () => {
      const { x, gain, dy } = inputs(ROWS, 33), shape = shapeOf(ROWS, 33, centre);
      const apart = backward(engine, dy, x, gain, shape);
      const inPlace = backward(engine, dy, x, gain, shape, { inPlace: true });
      sameBits(inPlace.dx, apart.dx, 'dx');
      sameBits(inPlace.dgain, apart.dgain, 'dgain');
    });

    test('gives a row the same bits alone as among others', () => {
      for (const cols of [64, 65]) {
        const { x, gain } = inputs(ROWS, cols);
        const all = forward(engine, x, gain, shapeOf(ROWS, cols, centre)).y;
        for (let row = 0; row < ROWS; row++) {
          const [from, to] = [row * cols, (row + 1) * cols];
          const alone = forward(engine, x.slice(from, to), gain, shapeOf(1, cols, centre)).y;
          sameBits(all.slice(from, to), alone, `row ${row} of ${cols}`);
        }
      }
    });

    test('gives each row unit variance', () => {
      const { x } = inputs(1, 257);
      const { y } = forward(engine, x, undefined, shapeOf(1, 257, centre, 1e-12));
      close([mean(y.map((v) => v * v))], [1], FORWARD, 'mean square');
      if (centre) close([mean(y)], [0], FORWARD, 'mean');
    });

    test('turns a row of zeros into zeros', () => {
      const { y, stats } = forward(engine, new Float32Array(5), undefined, shapeOf(1, 5, centre));
      close(y, new Float32Array(5), FORWARD);
      close([stats[1]], [1 / Math.sqrt(EPS)], FORWARD, 'r');
    });

    test.run();
  }

  const test = suite(`normF32 [${name}, both]`);

  test('ignores a shift of all values in LayerNorm and not in RMSNorm', () => {
    const { x } = inputs(1, 17);
    const shifted = x.map((v) => v + 2);
    const run = (values: Float32Array, centre: boolean): Float32Array =>
      forward(engine, values, undefined, shapeOf(1, 17, centre)).y;
    close(run(shifted, true), run(x, true), { ...FORWARD, absolute: 3e-6 });
    assert.ok(Math.abs(run(shifted, false)[0] - run(x, false)[0]) > 0.1);
  });

  test('does not cancel where the mean is a thousand times the deviation', () => {
    const x = randomF32(64, 5).map((v) => v + 1000), shape = shapeOf(1, 64, true);
    // The mean is rounded to f32: half an ulp of 1000 is 3e−5, and r is about 1.
    const tolerance = { name: 'ulp of the mean', absolute: 5e-5, relative: 1e-5 };
    close(forward(engine, x, undefined, shape).y, ref.norm(x, undefined, shape).y, tolerance);
  });

  test.run();
}

const formulas = suite('reference norm');

for (const centre of [true, false]) {
  formulas(`has the gradients of its differences (${centre ? 'LayerNorm' : 'RMSNorm'})`, () => {
    const { x, gain, dy } = inputs(2, 5), shape = shapeOf(2, 5, centre);
    const { dx, dgain } = ref.normBackward(dy, x, gain, shape);
    close(dx, differences((v) => dot(dy, ref.norm(v, gain, shape).y), x), DIFFERENCES_F64, 'dx');
    close(
      dgain, differences((v) => dot(dy, ref.norm(x, v, shape).y), gain), DIFFERENCES_F64, 'dgain');
  });
}

formulas.run();

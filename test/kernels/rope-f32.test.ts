// ropeTableF32, ropeF32: against the twin, at vector boundaries of half a head, with rows wider
// than their heads.
import { suite } from 'uvu';
import * as ref from '../../src/ref/rope.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import { close, sameBits } from '../helpers/close.ts';
import type { Tolerance } from '../helpers/close.ts';
import { DIFFERENCES_F64, differences, dot } from '../helpers/gradients.ts';
import { builds, isolated, place, readF32, room } from '../helpers/kernels.ts';
import { randomF32 } from '../helpers/random.ts';

const HALVES = [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33];
const BASE = 10_000;
const POSITIONS = 300;

/** An f32 in [−1, 1] is at most half an ulp, 2^−25, away from its f64 value. */
const TABLE: Tolerance = { name: 'rounding to f32', absolute: 2 ** -25 + 1e-12, relative: 0 };
/** Two products and a sum of values up to 6, each rounded: 3 · 6 · 2^−24. */
const ROTATION: Tolerance = { name: 'f32 rounding of a rotation', absolute: 1e-6, relative: 0 };

function table(
  engine: Engine, positions: number, half: number, base: number, scale = 1,
): Float32Array {
  return isolated(engine, () => {
    const at = room(engine, positions * 2 * half * 4);
    const frequencies = room(engine, half * 8);
    engine.kernels.ropeFrequencies(frequencies, half, base);
    engine.kernels.ropeTableF32(at, positions, half, frequencies, scale);
    return readF32(engine, at, positions * 2 * half);
  });
}

function rotate(
  engine: Engine, x: Float32Array, cosSin: Float32Array, positions: number[],
  { heads, half, stride }: ref.RopeShape, direction: number,
): Float32Array {
  return isolated(engine, () => {
    const xAt = place(engine, x);
    engine.kernels.ropeF32(
      xAt, place(engine, cosSin), place(engine, Int32Array.from(positions)), positions.length,
      heads, half, stride, direction);
    return readF32(engine, xAt, x.length);
  });
}

const shapeOf = (heads: number, half: number, spare = 0): ref.RopeShape =>
  ({ heads, half, stride: heads * 2 * half + spare });

for (const { name, engine } of builds) {
  const test = suite(`ropeTableF32 [${name}]`);

  for (const half of HALVES)
    test(`holds the rounded cosines and sines of ${half} angles a position`, () => {
      close(table(engine, 40, half, BASE), ref.ropeTable(40, half, BASE), TABLE);
    });

  test('is as exact at position 4095 and with another base', () => {
    close(table(engine, 4096, 2, 500_000), ref.ropeTable(4096, 2, 500_000), TABLE);
  });

  test('is multiplied by a scale', () => {
    const twice = ref.ropeTable(40, 4, BASE).map((value) => value * 2);
    close(table(engine, 40, 4, BASE, 2), twice, { ...TABLE, absolute: 2 * TABLE.absolute });
  });

  test('gives a position the same bits in a longer table', () => {
    sameBits(table(engine, 50, 5, BASE).slice(0, 7 * 10), table(engine, 7, 5, BASE));
  });

  test.run();
}

for (const { name, engine } of builds) {
  const test = suite(`ropeF32 [${name}]`);

  for (const half of HALVES) {
    for (const heads of [1, 3]) {
      test(`equals the reference for ${heads} heads of ${2 * half}, both ways`, () => {
        const shape = shapeOf(heads, half), positions = [5, 0, POSITIONS - 1, 5];
        const x = randomF32(positions.length * shape.stride, 1);
        const cosSin = table(engine, POSITIONS, half, BASE);
        for (const direction of [1, -1])
          close(
            rotate(engine, x, cosSin, positions, shape, direction),
            ref.rope(x, cosSin, positions, shape, direction), ROTATION);
      });
    }
  }

  test('leaves what lies behind the heads of a row alone', () => {
    const shape = shapeOf(2, 5, 3), x = randomF32(3 * shape.stride, 2);
    const cosSin = table(engine, 4, 5, BASE);
    const y = rotate(engine, x, cosSin, [1, 2, 3], shape, 1);
    for (let row = 0; row < 3; row++) {
      const at = row * shape.stride + 20;
      sameBits(y.slice(at, at + 3), x.slice(at, at + 3), `row ${row}`);
    }
    close(y, ref.rope(x, cosSin, [1, 2, 3], shape, 1), ROTATION);
  });

  test('is the identity at position 0', () => {
    const shape = shapeOf(2, 5), x = randomF32(shape.stride, 3);
    sameBits(rotate(engine, x, table(engine, 1, 5, BASE), [0], shape, 1), x);
  });

  test('is undone by the rotation with direction −1', () => {
    const shape = shapeOf(2, 9), positions = [1, 100, 299], x = randomF32(3 * shape.stride, 4);
    const cosSin = table(engine, POSITIONS, 9, BASE);
    const there = rotate(engine, x, cosSin, positions, shape, 1);
    close(rotate(engine, there, cosSin, positions, shape, -1), x, ROTATION);
  });

  test('makes a product of two heads depend on their distance alone', () => {
    const shape = shapeOf(1, 8), [q, k] = [randomF32(16, 5), randomF32(16, 6)];
    const cosSin = table(engine, POSITIONS, 8, BASE);
    const product = (p: number, u: number): number =>
      dot(rotate(engine, q, cosSin, [p], shape, 1), rotate(engine, k, cosSin, [u], shape, 1));
    // 16 products of rotated values.
    close([product(117, 104)], [product(13, 0)], { ...ROTATION, absolute: 16e-6 });
  });

  test('gives a row the same bits alone as among others', () => {
    const shape = shapeOf(2, 7), x = randomF32(3 * shape.stride, 7);
    const cosSin = table(engine, 10, 7, BASE);
    const all = rotate(engine, x, cosSin, [3, 4, 5], shape, 1);
    const row = x.slice(shape.stride, 2 * shape.stride);
    sameBits(
      rotate(engine, row, cosSin, [4], shape, 1), all.slice(shape.stride, 2 * shape.stride));
  });

  test.run();
}

const formulas = suite('reference rope');

formulas('has the rotation by −1 as gradient', () => {
  const shape = shapeOf(2, 3), positions = [2, 7];
  const x = randomF32(2 * shape.stride, 1), dy = randomF32(2 * shape.stride, 2);
  const cosSin = ref.ropeTable(8, 3, BASE);
  close(
    ref.rope(dy, cosSin, positions, shape, -1),
    differences((v) => dot(dy, ref.rope(v, cosSin, positions, shape, 1)), x), DIFFERENCES_F64);
});

formulas.run();

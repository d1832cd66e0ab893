// crossEntropyF32: against the twin at vector and block boundaries, at extreme logits,
// and the twin's gradient against differences.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as ref from '../../src/ref/loss.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import { close, sameBits } from '../helpers/close.ts';
import type { Tolerance } from '../helpers/close.ts';
import { DIFFERENCES_F64, differences, dot } from '../helpers/gradients.ts';
import { builds, isolated, place, readF32, room } from '../helpers/kernels.ts';
import { randomF32 } from '../helpers/random.ts';

/** 256 values are one block of the sum; 257 and 260 need a second. */
const VOCABULARIES = [1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 255, 256, 257, 260, 1000];
const ROWS = 3;

/** The sum's relative error is an absolute one in its logarithm; then one rounding. */
const LOSS: Tolerance = { name: 'f32 sum in a logarithm', absolute: 5e-7, relative: 1e-7 };
/** A probability, and 1 subtracted from it: an ulp of 1 is left. */
const GRADIENT: Tolerance = { name: 'probability minus one', absolute: 2e-7, relative: 2e-6 };

const logits = (rows: number, cols: number): Float32Array => randomF32(rows * cols, 1, 3);

type Gradient = 'none' | 'apart' | 'in place';

function crossEntropy(
  engine: Engine, z: Float32Array, targets: number[], scale = 1, gradient: Gradient = 'apart',
): { losses: Float32Array; dz: Float32Array } {
  const rows = targets.length;
  return isolated(engine, () => {
    const at = place(engine, z), losses = room(engine, rows * 4);
    const dz = { none: () => 0, apart: () => room(engine, z.byteLength), 'in place': () => at };
    const dzAt = dz[gradient]();
    engine.kernels.crossEntropyF32(
      at, place(engine, Int32Array.from(targets)), losses, dzAt, rows, z.length / rows, scale);
    if (gradient !== 'in place') sameBits(readF32(engine, at, z.length), z, 'z');
    return {
      losses: readF32(engine, losses, rows), dz: readF32(engine, dzAt || at, z.length),
    };
  });
}

const sum = (x: Float32Array): number => dot(x, new Float32Array(x.length).fill(1));

for (const { name, engine } of builds) {
  const test = suite(`crossEntropyF32 [${name}]`);

  for (const cols of VOCABULARIES)
    test(`has the losses and gradients of the reference for ${cols} tokens`, () => {
      const z = logits(ROWS, cols), targets = [cols - 1, 0, Math.floor(cols / 2)];
      const { losses, dz } = crossEntropy(engine, z, targets);
      const expected = ref.crossEntropy(z, targets, ROWS, cols, 1);
      close(losses, expected.losses, LOSS, 'losses');
      close(dz, expected.dz, GRADIENT, 'dz');
    });

  for (const cols of [5, 257, 1000])
    test(`gives rows of gradients of ${cols} tokens that sum to 0`, () => {
      const { dz } = crossEntropy(engine, logits(ROWS, cols), [0, 1, 4]);
      for (let i = 0; i < ROWS; i++)
        close([sum(dz.slice(i * cols, (i + 1) * cols))], [0], { ...LOSS, name: 'sum of a row' });
    });

  test('gives equal logits equal bits in every lane, and all of 150,000 a sum of 0', () => {
    const { dz } = crossEntropy(engine, new Float32Array(8).fill(-3), [7]);
    sameBits(dz.subarray(0, 7), new Float32Array(7).fill(1 / 8));
    close([sum(crossEntropy(engine, logits(1, 150_000), [5]).dz)], [0], { ...LOSS, name: 'sum of a row' });
  });

  test('leaves a row with target −1 out: loss 0, gradient 0', () => {
    const z = logits(3, 9), { losses, dz } = crossEntropy(engine, z, [2, -1, 8]);
    const alone = [0, 2].map((i) =>
      crossEntropy(engine, z.slice(i * 9, i * 9 + 9), [i === 0 ? 2 : 8]));
    sameBits(losses, Float32Array.of(alone[0].losses[0], 0, alone[1].losses[0]));
    sameBits(dz, Float32Array.of(...alone[0].dz, ...new Float32Array(9), ...alone[1].dz));
  });

  test('has loss 0 and gradient 0 for a vocabulary of one token', () => {
    const { losses, dz } = crossEntropy(engine, Float32Array.of(3, -7), [0, 0]);
    sameBits(losses, new Float32Array(2));
    sameBits(dz, new Float32Array(2));
  });

  test('multiplies the gradient, and not the loss, by the scale', () => {
    const z = logits(ROWS, 65), targets = [1, 64, 7];
    const one = crossEntropy(engine, z, targets), third = crossEntropy(engine, z, targets, 1 / 3);
    sameBits(third.losses, one.losses);
    close(third.dz, one.dz.map((d) => d / 3), GRADIENT);
  });

  test('gives the same bits in place, and the same losses without a gradient', () => {
    const z = logits(ROWS, 259), targets = [258, -1, 0];
    const apart = crossEntropy(engine, z, targets, 0.25);
    const inPlace = crossEntropy(engine, z, targets, 0.25, 'in place');
    sameBits(inPlace.losses, apart.losses);
    sameBits(inPlace.dz, apart.dz);
    sameBits(crossEntropy(engine, z, targets, 0.25, 'none').losses, apart.losses);
  });

  test('is right for logits of ±10,000', () => {
    const z = Float32Array.of(1e4, -1e4, 0, 1e4, 5, 1e4, -1e4, 0, 1e4, 5), targets = [1, 3];
    const { losses, dz } = crossEntropy(engine, z, targets);
    const expected = ref.crossEntropy(z, targets, 2, 5, 1);
    close(losses, expected.losses, LOSS);
    close(dz, expected.dz, GRADIENT);
  });

  test('counts −Infinity as impossible: infinite loss where it is the target', () => {
    const z = Float32Array.of(0, -Infinity, 0, 0, -Infinity, 0);
    const { losses, dz } = crossEntropy(engine, z, [0, 1]);
    close(losses, [Math.log(2), Infinity], LOSS);
    close(dz, [-0.5, 0, 0.5, 0.5, -1, 0.5], GRADIENT);
  });

  test('has a loss of NaN where a logit is NaN, in a whole vector and in the rest', () => {
    for (const at of [0, 3, 4])
      assert.ok(Number.isNaN(
        crossEntropy(engine, new Float32Array(5).fill(NaN, at, at + 1), [1]).losses[0]));
  });

  test.run();
}

const formulas = suite('reference loss');

formulas('has the gradients of its differences', () => {
  const z = logits(4, 5), targets = [4, 0, -1, 2];
  const f = (x: ArrayLike<number>): number => {
    const { losses } = ref.crossEntropy(x, targets, 4, 5, 1);
    return losses.reduce((total, loss) => total + loss, 0) * 0.3;
  };
  close(ref.crossEntropy(z, targets, 4, 5, 0.3).dz, differences(f, z), DIFFERENCES_F64);
});

formulas('is ln V where all logits are equal', () => {
  close(ref.crossEntropy([2, 2, 2], [1], 1, 3, 1).losses, [Math.log(3)], DIFFERENCES_F64);
});

formulas.run();

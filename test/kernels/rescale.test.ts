import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RescaleOperands } from '../../src/ref/rescale.ts';
import * as ref from '../../src/ref/rescale.ts';
import { sameBits } from '../helpers/close.ts';
import { builds, isolated, place, readF32, room } from '../helpers/kernels.ts';
import type { Build } from '../helpers/kernels.ts';
import { randomF32, randomI32 } from '../helpers/random.ts';

function rescale(
  { engine }: Build, { acc, xScale, shift, wScale, wSums }: RescaleOperands,
  m: number, n: number, np: number, y?: Float32Array,
): Float32Array {
  return isolated(engine, () => {
    const to = y ? place(engine, y) : room(engine, m * n * 4);
    engine.kernels.rescaleI32(
      place(engine, acc), place(engine, xScale), shift ? place(engine, shift) : 0,
      place(engine, wScale), place(engine, wSums), to, m, n, np, y !== undefined);
    return readF32(engine, to, m * n);
  });
}

/** Sums as large as 8192 columns give, of either sign. */
const operands = (m: number, n: number, np: number, shifted: boolean): RescaleOperands => ({
  acc: randomI32(m * np, n, -(2 ** 20), 2 ** 20), xScale: randomF32(m, 1, 0.01),
  shift: shifted ? randomF32(m, 2) : undefined,
  wScale: randomF32(n, 3), wSums: randomI32(n, 4, -8192, 8192),
});

for (const build of builds) {
  const test = suite(`rescale [${build.name}]`);

  for (const shifted of [false, true])
    for (const accumulate of [false, true]) {
      const how = `${shifted ? 'with' : 'without'} shift, ${accumulate ? 'adding' : 'overwriting'}`;
      test(`rescaleI32 has the bits of the reference ${how}`, () => {
        for (const n of [1, 3, 4, 5, 31, 32, 33, 64, 65])
          for (const m of [1, 2, 5]) {
            const np = Math.ceil(n / 32) * 32, given = operands(m, n, np, shifted);
            const y = accumulate ? randomF32(m * n, 5, 100) : undefined;
            const expected = ref.rescaleI32(given, m, n, np, y);
            sameBits(rescale(build, given, m, n, np, y), expected, `${m} × ${n}`);
          }
      });
    }

  test('rescaleI32 rounds large integers to f32 first', () => {
    const acc = new Int32Array(32).fill(2 ** 24 + 1);
    const one = { xScale: Float32Array.of(1), wScale: new Float32Array(5).fill(1) };
    const y = rescale(build, { acc, ...one, wSums: new Int32Array(5) }, 1, 5, 32);
    assert.equal(y, new Float32Array(5).fill(2 ** 24));
  });

  test('rescaleI32 gives NaN for a row whose scale is NaN, and only there', () => {
    const given = { ...operands(2, 5, 32, false), xScale: Float32Array.of(NaN, 1) };
    const y = rescale(build, given, 2, 5, 32);
    assert.ok(y.subarray(0, 5).every(Number.isNaN) && y.subarray(5).every(Number.isFinite));
  });

  test.run();
}

/** The self-test: passes on every build, and finds a kernel that computes wrongly. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { KernelExports } from '../../src/wasm/exports.ts';
import { selfTest } from '../../src/wasm/self-test.ts';
import { builds } from '../helpers/kernels.ts';

/** Kernels, and which argument is their output. */
const KERNELS = [
  ['gemmLookupI8B1', 3], ['gemmLookupI8T2', 3], ['gemmLookupBlockI8B1', 5], ['gemmLookupBlockI8T2', 5],
  ['gemmPopcountI8B1', 3], ['gemmPopcountI8T2', 3], ['gemmPopcountBlockI8', 5], ['gemmPanelsF32', 4],
] as const;

const test = suite('selfTest');

for (const { name, engine } of builds) {
  test(`passes on the ${name} build and leaves nothing on the heap`, () => {
    const used = engine.heap.usedBytes;
    selfTest(engine.kernels, engine.memory, engine.heap);
    assert.is(engine.heap.usedBytes, used);
  });

  for (const [kernel, output] of KERNELS)
    for (const element of [0, 33, 54])
      test(`names ${kernel} of the ${name} build when element ${element} is off by one bit`, () => {
        const run = engine.kernels[kernel] as (...args: number[]) => void;
        const broken = (...args: number[]): void => {
          run(...args);
          engine.i32(args[output] + element * 4, 1)[0] ^= 1;
        };
        const kernels = { ...engine.kernels, [kernel]: broken } as KernelExports;
        assert.throws(
          () => selfTest(kernels, engine.memory, engine.heap),
          (error: { code: string; field: string }) =>
            error.code === 'SELFTEST_FAILED' && error.field === kernel);
      });
}

test.run();

// gateSiluF32, gateRelu2F32 and gateBackwardF32: the bits of the separate kernels one after the other,
// and the twin.
import { suite } from 'uvu';
import * as ref from '../../src/ref/mlp.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import { close, sameBits } from '../helpers/close.ts';
import type { Tolerance } from '../helpers/close.ts';
import { DIFFERENCES_F64, differences, dot } from '../helpers/gradients.ts';
import { builds, isolated, place, readF32, room } from '../helpers/kernels.ts';
import { randomF32 } from '../helpers/random.ts';

const LENGTHS = [0, 1, 3, 4, 5, 7, 8, 9, 63, 64, 65];

/** An exponential of 2 ulp and products of values up to 6. */
const GATE: Tolerance = { name: 'exp of 2 ulp and products', absolute: 2e-5, relative: 2e-6 };

const ACTS = {
  silu: { forward: 'gateSiluF32', act: 'siluF32', slope: 'siluSlopeF32',
    ref: ref.silu, refBackward: ref.siluBackward },
  relu2: { forward: 'gateRelu2F32', act: 'relu2F32', slope: 'relu2SlopeF32',
    ref: ref.relu2, refBackward: ref.relu2Backward },
} as const;

type Name = (typeof ACTS)[keyof typeof ACTS]['forward' | 'act' | 'slope'] | 'mulF32';

/** Operands of n values with room for whole vectors, where the last vector ends a block. */
const placed = (engine: Engine, n: number, operands: readonly Float32Array[]): number[] =>
  operands.map((operand) => {
    const whole = new Float32Array(Math.ceil(n / 4) * 4);
    whole.set(operand);
    return place(engine, whole);
  });

/** The result of an element-wise kernel. */
function run(engine: Engine, name: Name, n: number, operands: Float32Array[]): Float32Array {
  return isolated(engine, () => {
    const y = room(engine, Math.ceil(n / 4) * 16);
    (engine.kernels[name] as (...args: number[]) => void)(...placed(engine, n, operands), y, n);
    return readF32(engine, y, n);
  });
}

/** Gradients of z and u, as training has them: with the kernel of the slope first. */
function backward(
  engine: Engine, slope: 'siluSlopeF32' | 'relu2SlopeF32', dh: Float32Array, z: Float32Array,
  u: Float32Array,
): { dz: Float32Array; du: Float32Array; slopes: Float32Array } {
  const n = z.length;
  return isolated(engine, () => {
    const [dhAt, zAt, uAt, aAt] = placed(engine, n, [dh, z, u, new Float32Array(n)]);
    engine.kernels[slope](zAt, aAt, n);
    const slopes = readF32(engine, zAt, n);
    engine.kernels.gateBackwardF32(dhAt, uAt, zAt, aAt, n);
    return { dz: readF32(engine, zAt, n), du: readF32(engine, aAt, n), slopes };
  });
}

for (const { name: build, engine } of builds)
  for (const [name, k] of Object.entries(ACTS)) {
    const test = suite(`gate of ${name} [${build}]`);

    for (const n of LENGTHS)
      test(`has the bits of the separate kernels, and is the twin, for ${n} values`, () => {
        const [z, u, dh] = [1, 2, 3].map((seed) => randomF32(n, seed, 2));
        const h = run(engine, k.forward, n, [z, u]);
        const a = run(engine, k.act, n, [z]);
        sameBits(h, run(engine, 'mulF32', n, [a, u]), 'h');
        close(h, ref.mul(k.ref(z), u), GATE, 'h');

        const { dz, du, slopes } = backward(engine, k.slope, dh, z, u);
        const da = run(engine, 'mulF32', n, [dh, u]);
        sameBits(du, run(engine, 'mulF32', n, [dh, a]), 'du');
        sameBits(dz, run(engine, 'mulF32', n, [da, slopes]), 'dz');
        const expected = ref.gateBackward(k.ref, k.refBackward, dh, z, u);
        close(dz, expected.dz, GATE, 'dz');
        close(du, expected.du, GATE, 'du');
      });

    test('may write h over z or u', () => {
      const z = randomF32(8, 4), u = randomF32(8, 5), expected = run(engine, k.forward, 8, [z, u]);
      for (const over of [0, 1])
        sameBits(isolated(engine, () => {
          const ptrs = [place(engine, z), place(engine, u)];
          engine.kernels[k.forward](ptrs[0], ptrs[1], ptrs[over], 8);
          return readF32(engine, ptrs[over], 8);
        }), expected, `over operand ${over}`);
    });

    test.run();
  }

const formulas = suite('reference gates');

for (const [name, k] of Object.entries(ACTS))
  formulas(`${name} has the gradients of its differences`, () => {
    const [z, u, dh] = [6, 7, 8].map((seed) => randomF32(5, seed));
    const { dz, du } = ref.gateBackward(k.ref, k.refBackward, dh, z, u);
    close(dz, differences((x) => dot(dh, ref.mul(k.ref(x), u)), z), DIFFERENCES_F64, 'dz');
    close(du, differences((x) => dot(dh, ref.mul(k.ref(z), x)), u), DIFFERENCES_F64, 'du');
  });

formulas.run();

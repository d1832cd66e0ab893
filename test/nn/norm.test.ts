// Norm: the layer around the kernel, against the twin.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as ref from '../../src/ref/norm.ts';
import { embeddedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';
import { close } from '../helpers/close.ts';
import { randomF32 } from '../helpers/random.ts';
import { LAYER, gradientOf, makePass, matrix, randomNorm, read, valueOf } from './layers.ts';

const engine = new Engine({ module: embeddedModule() });
const test = suite('Norm');

for (const type of ['layernorm', 'rmsnorm'] as const)
  test(`is the reference ${type}, with the gradients of x and gain`, () => {
    const norm = randomNorm(engine, type, 9, 1), pass = makePass(engine, 4);
    const shape = { rows: 4, cols: 9, eps: 1e-5, centre: type === 'layernorm' };
    const x = randomF32(36, 2).map((v) => v + 0.5), dy = randomF32(36, 3);
    const gain = valueOf(engine, norm.gain);
    const y = norm.forward(matrix(pass, 4, 9, x), pass);
    close(read(pass, y), ref.norm(x, gain, shape).y, LAYER, 'y');
    const { dx, dgain } = ref.normBackward(dy, x, gain, shape);
    close(read(pass, norm.backward(matrix(pass, 4, 9, dy), pass)), dx, LAYER, 'dx');
    close(gradientOf(engine, norm.gain), dgain, LAYER, 'dgain');
  });

test('refuses backward without a forward pass of training', () => {
  const norm = randomNorm(engine, 'rmsnorm', 4, 4);
  const pass = makePass(engine, 1, { training: false });
  const x = matrix(pass, 1, 4, randomF32(4, 5));
  norm.forward(x, pass);
  assert.throws(() => norm.backward(x, pass), /Norm: backward expected/);
});

test.run();

// GroupedProjection: the sum of its groups, each normalized and quantized on its own columns.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BitLinear } from '../../src/nn/bit-linear.ts';
import type { Group } from '../../src/nn/grouped-projection.ts';
import { GroupedProjection } from '../../src/nn/grouped-projection.ts';
import { allocBitWeights } from '../../src/ops/bit-weights.ts';
import type { BitKind } from '../../src/quant/layout.ts';
import { embeddedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';
import { sameBits } from '../helpers/close.ts';
import { randomF32 } from '../helpers/random.ts';
import {
  gradientOf, makePass, matrix, prepared, randomNorm, randomParameter, read,
} from './layers.ts';

const engine = new Engine({ module: embeddedModule() });
const M = 5, COLS = 12, ROWS = 8;

function makeGroup(kind: BitKind, g: number): Group & { projection: BitLinear } {
  const latent = randomParameter(engine, ROWS, COLS, 10 + g, 1);
  const packed = allocBitWeights(engine, kind, ROWS, COLS, true);
  const part = { name: latent.name, latent, packed };
  const quantization = { bits: 8, shifted: false };
  return {
    norm: randomNorm(engine, kind === 'b1' ? 'layernorm' : 'rmsnorm', COLS, 20 + g),
    projection: new BitLinear(engine, [part], quantization),
  };
}

const gradientsOf = ({ norm, projection }: ReturnType<typeof makeGroup>): Float32Array[] =>
  [gradientOf(engine, projection.parts[0].latent!), gradientOf(engine, norm.gain)];

/** Columns of group g of x[M, COLS · groups]. */
const columns = (x: Float32Array, groups: number, g: number): Float32Array =>
  x.filter((_, i) => Math.floor((i % (COLS * groups)) / COLS) === g);

const test = suite('GroupedProjection');

for (const kind of ['b1', 't2'] as const)
  for (const count of [1, 2, 4])
    test(`is the sum of its ${count} groups, with their gradients (${kind})`, () => {
      const x = randomF32(M * COLS * count, 1), dy = randomF32(M * ROWS, 2);
      const groups = Array.from({ length: count }, (_, g) => makeGroup(kind, g));
      const whole = prepared(engine, new GroupedProjection(groups));
      const pass = makePass(engine, M);
      const [y] = whole.forward(matrix(pass, M, COLS * count, x), pass);
      const dx = whole.backward([matrix(pass, M, ROWS, dy)], pass);

      let sum: Float32Array | undefined;
      groups.forEach((group, g) => {
        const twin = makeGroup(kind, g), own = makePass(engine, M);
        prepared(engine, twin.projection);
        const part = matrix(own, M, COLS, columns(x, count, g));
        const [partY] = twin.projection.forward(twin.norm.forward(part, own), own);
        const values = read(own, partY);
        sum = sum ? sum.map((v, i) => v + values[i]) : values;
        const partDx = twin.norm.backward(
          twin.projection.backward([matrix(own, M, ROWS, dy)], own), own);
        sameBits(columns(read(pass, dx), count, g), read(own, partDx), `dx of group ${g}`);
        const [dw, dgain] = gradientsOf(twin), [wholeDw, wholeDgain] = gradientsOf(group);
        sameBits(wholeDw, dw, `dW of group ${g}`);
        sameBits(wholeDgain, dgain, `dgain of group ${g}`);
      });
      sameBits(read(pass, y), sum!, 'y');
    });

test('lets each group have its own statistics: a loud group leaves the bits of the other', () => {
  const whole = prepared(
    engine, new GroupedProjection([0, 1].map((g) => makeGroup('b1', g))));
  const x = randomF32(M * COLS * 2, 3), dy = randomF32(M * ROWS, 4);
  const loud = x.map((v, i) => (i % (2 * COLS) < COLS ? v * 1000 : v));
  const dxOf = (input: Float32Array): Float32Array => {
    const pass = makePass(engine, M);
    whole.forward(matrix(pass, M, 2 * COLS, input), pass);
    return read(pass, whole.backward([matrix(pass, M, ROWS, dy)], pass));
  };
  const [quiet, shouted] = [x, loud].map(dxOf);
  sameBits(columns(shouted, 2, 1), columns(quiet, 2, 1));
  assert.ok(Math.abs(shouted[0]) < Math.abs(quiet[0]) / 100); // its norm divides by 1000
});

test('disposes of every group', () => {
  const used = engine.heap.usedBytes;
  const groups = [0, 1].map((g) => makeGroup('t2', g));
  const packed = groups.map(({ projection }) => projection.parts[0].packed);
  new GroupedProjection(groups).dispose();
  for (const { codes } of packed) assert.throws(() => engine.heap.free(codes), /used block/);
  assert.ok(engine.heap.usedBytes > used); // latents and gains belong to the weights
});

test.run();

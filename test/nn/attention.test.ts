// Attention: the layer with float projections against the twins in f64, its gradients against
// differences of the twins, and its bits with batches and caches.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Attention } from '../../src/nn/attention.ts';
import { makeRopeTable } from '../../src/ops/rope.ts';
import type { Linear } from '../../src/nn/linear.ts';
import type { Norm } from '../../src/nn/norm.ts';
import { attention } from '../../src/ref/attention.ts';
import { norm } from '../../src/ref/norm.ts';
import { rope, ropeTable } from '../../src/ref/rope.ts';
import type { LayerCache } from '../../src/nn/pass.ts';
import type { KeyValues } from '../../src/ops/cached-attention.ts';
import { embeddedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';
import { close, sameBits } from '../helpers/close.ts';
import { differences, dot } from '../helpers/gradients.ts';
import { randomF32 } from '../helpers/random.ts';
import {
  LAYER, gradientOf, linear, makePass, matrix, randomLinear, randomNorm, read, valueOf,
} from './layers.ts';

const engine = new Engine({ module: embeddedModule() });

const D = 4, T = 3;

interface Setup {
  readonly heads: number;
  readonly kvHeads: number;
  readonly rope: boolean;
  readonly subNorm: boolean;
}

interface Built {
  readonly layer: Attention;
  readonly qkv: Linear;
  readonly out: Linear;
  readonly subNorm?: Norm;
}

function build({ heads, kvHeads, rope, subNorm }: Setup): Built {
  const width = heads * D;
  const qkv = randomLinear(engine, width, [width, kvHeads * D, kvHeads * D], 1);
  const out = randomLinear(engine, width, [width], 5);
  const sub = subNorm ? randomNorm(engine, 'layernorm', width, 6) : undefined;
  const table = rope ? makeRopeTable(engine, { positions: 16, headDim: D, theta: 10_000 }) : undefined;
  const layer = new Attention(
    0, { heads, kvHeads, headDim: D }, { qkv, out, subNorm: sub, ropeTable: table });
  return { layer, qkv, out, subNorm: sub };
}

/** Weights in the order q, k, v, out, gain. */
const weightsOf = ({ qkv, out, subNorm }: Built): ArrayLike<number>[] =>
  [...qkv.weights, ...out.weights, ...(subNorm ? [subNorm.gain] : [])]
    .map((p) => valueOf(engine, p));

/** The layer in f64, made of twins: one sequence of T tokens. */
function twin(
  s: Setup, x: ArrayLike<number>, [wq, wk, wv, wo, gain]: ArrayLike<number>[],
): Float64Array {
  const width = s.heads * D, positions = [0, 1, 2], table = ropeTable(T, D / 2, 10_000);
  const rotated = (y: Float64Array, heads: number): Float64Array => s.rope
    ? rope(y, table, positions, { heads, half: D / 2, stride: heads * D }, 1) : y;
  const q = rotated(linear(x, wq, width), s.heads), k = rotated(linear(x, wk, width), s.kvHeads);
  const shape = { queries: T, offset: 0, heads: s.heads, kvHeads: s.kvHeads, headDim: D };
  const { out } = attention(q, k, linear(x, wv, width), shape);
  const normed = s.subNorm
    ? norm(out, gain, { rows: T, cols: width, eps: 1e-5, centre: true }).y : out;
  return linear(normed, wo, width);
}

const SETUPS: Setup[] = [
  { heads: 2, kvHeads: 2, rope: false, subNorm: false },
  { heads: 2, kvHeads: 2, rope: true, subNorm: false },
  { heads: 4, kvHeads: 2, rope: true, subNorm: true },
  { heads: 2, kvHeads: 1, rope: false, subNorm: true },
];

const test = suite('Attention');

for (const s of SETUPS)
  test(`is its twin, gradients too: ${JSON.stringify(s)}`, () => {
    const built = build(s), width = s.heads * D, pass = makePass(engine, T);
    const x = randomF32(T * width, 2), dy = randomF32(T * width, 3), weights = weightsOf(built);
    const y = built.layer.forward(matrix(pass, T, width, x), pass);
    close(read(pass, y), twin(s, x, weights), LAYER, 'y');

    const dx = read(pass, built.layer.backward(matrix(pass, T, width, dy), pass));
    close(dx, differences((v) => dot(dy, twin(s, v, weights)), x), LAYER, 'dx');
    const parameters = [...built.qkv.weights, ...built.out.weights];
    if (built.subNorm) parameters.push(built.subNorm.gain);
    parameters.forEach((p, i) => {
      const expected = differences((v) => dot(dy, twin(s, x, weights.with(i, v))), weights[i]);
      close(gradientOf(engine, p), expected, LAYER, `gradient ${i}`);
    });
  });

/** A cache of 16 positions for one layer of `width` floats. */
function makeCache(width: number): LayerCache & { length: number } {
  const [keys, values] = [0, 1].map(() => engine.heap.alloc(16 * width * 4));
  const layer: KeyValues = {
    type: 'f32', capacity: 16, keys, values, keyScales: 0, valueScales: 0,
  };
  return { length: 0, layer: () => layer };
}

for (const s of SETUPS.slice(1, 3))
  test(`gives the same bits in calls of 1, 3 and the rest: ${JSON.stringify(s)}`, () => {
    const { layer } = build(s), width = s.heads * D, rows = 9;
    const x = randomF32(rows * width, 4);
    const run = (from: number, to: number, cache?: LayerCache): Float32Array => {
      const pass = makePass(engine, to - from, { training: false, cache });
      const part = x.slice(from * width, to * width);
      return read(pass, layer.forward(matrix(pass, to - from, width, part), pass));
    };
    const whole = run(0, rows), cache = makeCache(s.kvHeads * D);
    for (const [from, to] of [[0, 1], [1, 4], [4, 9]]) {
      sameBits(run(from, to, cache), whole.slice(from * width, to * width), `${from} to ${to}`);
      cache.length = to;
    }
  });

test('gives a sequence the same bits and gradients in a batch as alone', () => {
  const s = SETUPS[2], built = build(s), width = s.heads * D, size = T * width;
  const x = randomF32(2 * size, 5), dy = randomF32(2 * size, 6);
  const run = (from: number, to: number, batch: number): { y: Float32Array; dx: Float32Array } => {
    const rows = (to - from) / width, pass = makePass(engine, rows, { batch });
    const y = built.layer.forward(matrix(pass, rows, width, x.slice(from, to)), pass);
    const dx = built.layer.backward(matrix(pass, rows, width, dy.slice(from, to)), pass);
    return { y: read(pass, y), dx: read(pass, dx) };
  };
  const both = run(0, 2 * size, 2);
  for (const b of [0, 1]) {
    const alone = run(b * size, (b + 1) * size, 1);
    sameBits(both.y.slice(b * size, (b + 1) * size), alone.y, `y of sequence ${b}`);
    sameBits(both.dx.slice(b * size, (b + 1) * size), alone.dx, `dx of sequence ${b}`);
  }
});

test('refuses backward after a forward pass that was not training', () => {
  const { layer } = build(SETUPS[0]), pass = makePass(engine, 1, { training: false });
  const x = matrix(pass, 1, 8, randomF32(8, 7));
  layer.forward(x, pass);
  assert.throws(() => layer.backward(x, pass), /Attention: backward expected/);
});

test.run();

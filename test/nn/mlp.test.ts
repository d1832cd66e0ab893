// Mlp and Block: float layers against the twins in f64, gradients against differences of the twins.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Attention } from '../../src/nn/attention.ts';
import { Block } from '../../src/nn/block.ts';
import type { Linear } from '../../src/nn/linear.ts';
import { Mlp } from '../../src/nn/mlp.ts';
import type { Norm } from '../../src/nn/norm.ts';
import type { Parameter } from '../../src/nn/pass.ts';
import type { HiddenAct } from '../../src/ops/activation.ts';
import { attention } from '../../src/ref/attention.ts';
import * as activations from '../../src/ref/mlp.ts';
import { norm } from '../../src/ref/norm.ts';
import { embeddedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';
import { close, sameBits } from '../helpers/close.ts';
import { differences, dot } from '../helpers/gradients.ts';
import { randomF32 } from '../helpers/random.ts';
import {
  LAYER, gradientOf, linear, makePass, matrix, randomLinear, randomNorm, read, valueOf,
} from './layers.ts';

const engine = new Engine({ module: embeddedModule() });

const C = 4, F = 8, T = 3;

interface Setup {
  readonly act: HiddenAct;
  readonly gated: boolean;
  readonly subNorm: boolean;
}

interface Built {
  readonly layer: Mlp;
  readonly up: Linear;
  readonly down: Linear;
  readonly subNorm?: Norm;
}

function build({ act, gated, subNorm }: Setup): Built {
  const up = randomLinear(engine, C, gated ? [F, F] : [F], 1);
  const down = randomLinear(engine, F, [C], 4);
  const sub = subNorm ? randomNorm(engine, 'rmsnorm', F, 6) : undefined;
  return { layer: new Mlp({ up, down, subNorm: sub, act }), up, down, subNorm: sub };
}

/** up, or gate and up; down; gain. */
const parametersOf = ({ up, down, subNorm }: Built): Parameter[] =>
  [...up.weights, ...down.weights, ...(subNorm ? [subNorm.gain] : [])];

const normed = (x: Float64Array, gain: ArrayLike<number>, centre: boolean): Float64Array =>
  norm(x, gain, { rows: T, cols: gain.length, eps: 1e-5, centre }).y;

function twin(s: Setup, x: ArrayLike<number>, weights: ArrayLike<number>[]): Float64Array {
  const [first, ...rest] = weights;
  const a = activations[s.act](linear(x, first, C));
  const h = s.gated ? activations.mul(a, linear(x, rest.shift()!, C)) : a;
  const [down, gain] = rest;
  return linear(s.subNorm ? normed(h, gain, false) : h, down, F);
}

/** Every gradient of a layer against differences of its twin. */
function checkGradients(
  parameters: Parameter[], f: (weights: ArrayLike<number>[]) => number,
): void {
  const weights: ArrayLike<number>[] = parameters.map((p) => valueOf(engine, p));
  parameters.forEach((p, i) => {
    const expected = differences((v) => f(weights.with(i, v)), weights[i]);
    close(gradientOf(engine, p), expected, LAYER, `gradient ${i}`);
  });
}

const test = suite('Mlp');

for (const act of ['gelu', 'relu', 'silu', 'relu2'] as const)
  for (const gated of [false, true])
    for (const subNorm of [false, true])
      test(`is its twin, gradients too: ${act}${gated ? ', gated' : ''}${subNorm ? ', SubLN' : ''}`,
        () => {
          const s = { act, gated, subNorm }, built = build(s), pass = makePass(engine, T);
          const x = randomF32(T * C, 2), dy = randomF32(T * C, 3);
          const weights = parametersOf(built).map((p) => valueOf(engine, p));
          const y = built.layer.forward(matrix(pass, T, C, x), pass);
          close(read(pass, y), twin(s, x, weights), LAYER, 'y');
          const dx = read(pass, built.layer.backward(matrix(pass, T, C, dy), pass));
          close(dx, differences((v) => dot(dy, twin(s, v, weights)), x), LAYER, 'dx');
          checkGradients(parametersOf(built), (w) => dot(dy, twin(s, x, w)));
        });

test.run();

const block = suite('Block');

function buildBlock(): { layer: Block; parameters: Parameter[] } {
  const qkv = randomLinear(engine, C, [C, C, C], 11), out = randomLinear(engine, C, [C], 14);
  const [inputNorm, postAttentionNorm] = [15, 16].map((seed) =>
    randomNorm(engine, 'layernorm', C, seed));
  const mlp = build({ act: 'gelu', gated: false, subNorm: false });
  const attentionLayer = new Attention(0, { heads: 1, kvHeads: 1, headDim: C }, { qkv, out });
  return {
    layer: new Block({ inputNorm, attention: attentionLayer, postAttentionNorm, mlp: mlp.layer }),
    parameters: [
      inputNorm.gain, ...qkv.weights, ...out.weights, postAttentionNorm.gain, ...parametersOf(mlp)],
  };
}

/** x + attention(norm₁(x)), then + mlp(norm₂(·)). */
function blockTwin(x: ArrayLike<number>, weights: ArrayLike<number>[]): Float64Array {
  const [gain1, wq, wk, wv, wo, gain2, ...mlp] = weights;
  const h = normed(Float64Array.from(x), gain1, true);
  const shape = { queries: T, offset: 0, heads: 1, kvHeads: 1, headDim: C };
  const { out } = attention(linear(h, wq, C), linear(h, wk, C), linear(h, wv, C), shape);
  const middle = activations.add(x, linear(out, wo, C));
  const s: Setup = { act: 'gelu', gated: false, subNorm: false };
  return activations.add(middle, twin(s, normed(middle, gain2, true), mlp));
}

block('adds attention and MLP to the residual stream, gradients too', () => {
  const { layer, parameters } = buildBlock(), pass = makePass(engine, T);
  const x = randomF32(T * C, 17), dy = randomF32(T * C, 18);
  const weights = parameters.map((p) => valueOf(engine, p));
  close(read(pass, layer.forward(matrix(pass, T, C, x), pass)), blockTwin(x, weights), LAYER, 'y');
  const dx = read(pass, layer.backward(matrix(pass, T, C, dy), pass));
  close(dx, differences((v) => dot(dy, blockTwin(v, weights)), x), LAYER, 'dx');
  checkGradients(parameters, (w) => dot(dy, blockTwin(x, w)));
});

block('writes over its input outside of training, and gives the same bits', () => {
  const { layer } = buildBlock(), x = randomF32(T * C, 19);
  const [trained, served] = [true, false].map((training) => {
    const pass = makePass(engine, T, { training }), into = matrix(pass, T, C, x);
    const y = layer.forward(into, pass);
    assert.is(y.ptr === into.ptr, !training);
    return read(pass, y);
  });
  sameBits(served, trained);
});

block.run();

// BitLinear with a learned scale: forward bit for bit its definition, backward that of the
// straight-through estimator with clipping, the scale's gradient against differences of the output.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BitLinear } from '../../src/nn/bit-linear.ts';
import type { Parameter } from '../../src/nn/pass.ts';
import { allocBitWeights } from '../../src/ops/bit-weights.ts';
import type { BitKind } from '../../src/quant/layout.ts';
import * as ref from '../../src/ref/elastic.ts';
import { close, sameBits } from '../helpers/close.ts';
import type { Tolerance } from '../helpers/close.ts';
import { dot } from '../helpers/gradients.ts';
import { randomF32 } from '../helpers/random.ts';
import { newEngine } from '../helpers/tiny-model.ts';
import { bitForward, realValues, weightCodes } from './bit-definition.ts';
import {
  gradientOf, linearBackward, makePass, matrix, parameter, prepared, read, valueOf,
} from './layers.ts';

const engine = newEngine();
const M = 6, K = 20, ROWS = [8, 4];

/** One f32 rounding for each of up to 24 terms of size 1. */
const GRADIENT: Tolerance = { name: 'f32 sums of a gradient', absolute: 3e-6, relative: 1e-6 };

/** Multiples of 1/256: their sums are exact in any order. */
const grid = (n: number, seed: number): Float32Array =>
  randomF32(n, seed).map((v) => Math.round(v * 256) / 256);

const WEIGHTS = ROWS.map((rows, p) => grid(rows * K, 10 + p));
const X = grid(M * K, 1);
const DYS = ROWS.map((rows, p) => randomF32(M * rows, 20 + p));

interface Layer {
  readonly layer: BitLinear;
  readonly latent: readonly Parameter[];
  readonly scale: Parameter;
}

function build(kind: BitKind, bits: number, s: number): Layer {
  const latent = WEIGHTS.map((w, p) => parameter(engine, `w${p}`, ROWS[p], K, w));
  const parts = latent.map((l, p) =>
    ({ name: l.name, latent: l, packed: allocBitWeights(engine, kind, ROWS[p], K, true) }));
  const scale = parameter(engine, 's', 1, 1, Float32Array.of(s));
  const layer = new BitLinear(engine, parts, { bits, shifted: false }, 1, scale);
  return { layer: prepared(engine, layer), latent, scale };
}

function forward({ layer }: Layer, training = true, x = X): Float32Array[] {
  const pass = makePass(engine, M, { training });
  return layer.forward(matrix(pass, M, K, x), pass).map((y) => read(pass, y));
}

function backward({ layer, latent, scale }: Layer): { dx: Float32Array; dws: Float32Array[]; ds: number } {
  const pass = makePass(engine, M);
  layer.forward(matrix(pass, M, K, X), pass);
  const dx = layer.backward(DYS.map((dy, p) => matrix(pass, M, ROWS[p], dy)), pass);
  return {
    dx: read(pass, dx), dws: latent.map((l) => gradientOf(engine, l)), ds: gradientOf(engine, scale)[0],
  };
}

const test = suite('BitLinear with a learned scale');

for (const kind of ['b1', 't2'] as const)
  for (const [bits, s] of [[8, 0.02], [8, 0.01], [4, 0.25], [2, 0.9]]) {
    const levels = 2 ** (bits - 1) - 1;

    test(`is its definition: ${kind}, ${bits} bits, s ${s}`, () => {
      const { codes, scales } = ref.quantElasticI8(X, Math.fround(s), M, K, K, bits);
      const xs = { codes: Array.from(codes), scales: Array.from(scales) };
      const ws = WEIGHTS.map((w, p) => weightCodes(kind, w, ROWS[p], K, 1));
      const made = build(kind, bits, s), ys = forward(made), { dx, dws, ds } = backward(made);
      const real = realValues(xs, K), d = new Float64Array(M * K);
      ws.forEach((w, p) => {
        sameBits(ys[p], bitForward(xs, w, K), `y of part ${p}`);
        const back = linearBackward(DYS[p], real, realValues(w, K), K);
        close(dws[p], back.dw, GRADIENT, `dW of part ${p}`);
        back.dx.forEach((value, i) => (d[i] += value));
      });
      const v = Array.from(X, (x) => x / Math.fround(s)), inside = v.map((value) => Math.abs(value) < levels);
      assert.ok(inside.includes(true) && inside.includes(false));
      close(dx, d.map((value, i) => (inside[i] ? value : 0)), { ...GRADIENT, absolute: 6e-6 }, 'dx');
      const sum = dot(d, Array.from(codes, (code, i) => (inside[i] ? code - v[i] : code)));
      const size = Math.sqrt(K * levels);
      close([ds], [sum / size], { name: 'f32 rounding of ds', absolute: 1e-4, relative: 1e-5 }, 'ds');
    });

    test(`gives a token the same bits in training and outside of it: ${kind}, ${bits} bits, s ${s}`, () => {
      const made = build(kind, bits, s), [a, b] = [true, false].map((training) => forward(made, training));
      a.forEach((y, p) => sameBits(b[p], y));
    });
  }

test('has the gradient of its scale by differences of its own output, where most is clipped', () => {
  // Rounding averages out over 120 inputs; clipping, which the scale is there for, does not.
  const s = 0.004, h = 0.0005, value = (scale: number): number =>
    forward(build('b1', 8, scale), false).reduce((sum, y, p) => sum + dot(DYS[p], y), 0);
  const expected = (value(s + h) - value(s - h)) / (2 * h) / Math.sqrt(K * 127);
  const { ds } = backward(build('b1', 8, s));
  assert.ok(Math.abs(ds / expected - 1) < 0.05, `${ds}, expected ${expected}`);
});

test('sets a scale of 0 to 2 · mean |x| / √Q in training, once, and not outside of it', () => {
  const made = build('b1', 8, 0);
  forward(made, false);
  assert.is(valueOf(engine, made.scale)[0], 0);
  forward(made);
  const [first] = valueOf(engine, made.scale);
  const meanAbs = X.reduce((sum, x) => sum + Math.abs(x), 0) / X.length;
  assert.ok(Math.abs(first / (2 * meanAbs / Math.sqrt(127)) - 1) < 1e-6);
  forward(made, true, X.map((x) => 3 * x));
  assert.is(valueOf(engine, made.scale)[0], first);
});

test('does not set a scale from an input that is not finite, and lets the output tell', () => {
  const made = build('b1', 8, 0), x = X.slice();
  x[5] = NaN;
  const [y] = forward(made, true, x);
  assert.is(valueOf(engine, made.scale)[0], 0);
  assert.ok(y.subarray(0, ROWS[0]).every(Number.isNaN));
  assert.ok(y.subarray(ROWS[0]).every(Number.isFinite));
});

test('a scale that is NaN is seen in every output', () => {
  for (const y of forward(build('b1', 8, NaN), false)) assert.ok(y.every(Number.isNaN));
});

test('a scale below 1e-5 counts as that, and can come back', () => {
  const [a, b] = [-3, 1e-5].map((s) => build('b1', 8, s));
  forward(b).forEach((y, p) => sameBits(forward(a)[p], y));
  assert.is(valueOf(engine, a.scale)[0], -3);
  assert.is(backward(a).ds, backward(b).ds);
});

test('adds to the gradient of the scale', () => {
  const made = build('b1', 8, 0.01), once = backward(made).ds;
  assert.ok(Math.abs(backward(made).ds / (2 * once) - 1) < 1e-6);
});

test.run();

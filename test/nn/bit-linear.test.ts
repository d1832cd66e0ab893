// BitLinear by its definition: forward bit for bit, backward as the straight-through estimator.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BitLinear } from '../../src/nn/bit-linear.ts';
import type { Parameter } from '../../src/nn/pass.ts';
import { allocBitWeights } from '../../src/ops/bit-weights.ts';
import type { BitKind } from '../../src/quant/layout.ts';
import { embeddedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';
import { close, sameBits } from '../helpers/close.ts';
import type { Tolerance } from '../helpers/close.ts';
import { randomF32, randomI8 } from '../helpers/random.ts';
import type { Codes } from './bit-definition.ts';
import { activationCodes, bitForward, realValues, weightCodes } from './bit-definition.ts';
import {
  gradientOf, linearBackward, makePass, matrix, parameter, prepared, read,
} from './layers.ts';

const engine = new Engine({ module: embeddedModule() });

/** One f32 rounding for each of up to 24 terms of size 1. */
const GRADIENT: Tolerance = { name: 'f32 sums of a gradient', absolute: 3e-6, relative: 1e-6 };

interface Setup {
  readonly kind: BitKind;
  readonly bits: number;
  readonly shifted: boolean;
  readonly groups: number;
  readonly m: number;
  readonly k: number;
  /** Rows of each part. */
  readonly parts: readonly number[];
}

const BASIC: Setup = {
  kind: 'b1', bits: 8, shifted: false, groups: 1, m: 5, k: 20, parts: [8, 4, 4],
};

/** Multiples of 1/256: their sums are exact in any order. */
const grid = (n: number, seed: number, scale = 1): Float32Array =>
  randomF32(n, seed, scale).map((v) => Math.round(v * 256) / 256);

/** Values with a mean that is not 0, so that α and η matter. */
const latents = ({ k, parts }: Setup): Float32Array[] =>
  parts.map((rows, p) => grid(rows * k, 10 + p).map((v) => v + 0.25));
const inputs = ({ m, k }: Setup): Float32Array => grid(m * k, 1).map((v) => v + 0.125);
const gradients = ({ m, parts }: Setup): Float32Array[] =>
  parts.map((rows, p) => randomF32(m * rows, 20 + p));

function build(s: Setup, weights: Float32Array[]): { layer: BitLinear; latent: Parameter[] } {
  const latent = weights.map((w, p) => parameter(engine, `w${p}`, s.parts[p], s.k, w));
  const parts = latent.map((l, p) => ({
    name: l.name, latent: l, packed: allocBitWeights(engine, s.kind, s.parts[p], s.k, true),
  }));
  const quantization = { bits: s.bits, shifted: s.shifted };
  return { layer: prepared(engine, new BitLinear(engine, parts, quantization, s.groups)), latent };
}

interface Result {
  readonly ys: Float32Array[];
  readonly dx: Float32Array;
  readonly dws: Float32Array[];
}

function run(s: Setup, weights: Float32Array[], x: Float32Array, dys: Float32Array[]): Result {
  const { layer, latent } = build(s, weights);
  const pass = makePass(engine, s.m);
  const ys = layer.forward(matrix(pass, s.m, s.k, x), pass).map((y) => read(pass, y));
  const dx = layer.backward(dys.map((dy, p) => matrix(pass, s.m, s.parts[p], dy)), pass);
  const result = {
    ys, dx: read(pass, dx), dws: latent.map((l) => gradientOf(engine, l)),
  };
  pass.workspace.dispose();
  layer.dispose();
  return result;
}

/** Codes of x and of each part, by the definition. */
function codesOf(s: Setup, weights: Float32Array[], x: Float32Array): { xs: Codes; ws: Codes[] } {
  return {
    xs: activationCodes(x, s.m, s.k, s.bits, s.shifted),
    ws: weights.map((w, p) => weightCodes(s.kind, w, s.parts[p], s.k, s.groups)),
  };
}

const CASES: Setup[] = [
  ...(['b1', 't2'] as const).flatMap((kind) => [1, 2, 4, 8].flatMap((bits) =>
    [false, true].flatMap((shifted) => [1, 2, 4].map((groups) =>
      ({ ...BASIC, kind, bits, shifted, groups }))))),
  ...(['b1', 't2'] as const).flatMap((kind) => [2, 8].flatMap((bits) => [
    { ...BASIC, kind, bits, m: 1, k: 4, parts: [1] },
    { ...BASIC, kind, bits, m: 17, k: 33, parts: [31, 33], shifted: true },
    { ...BASIC, kind, bits, m: 33, k: 129, parts: [32] },
  ])),
];

const describe = (s: Setup): string =>
  `${s.kind}, ${s.bits} bits${s.shifted ? ' shifted' : ''}, ${s.groups} groups, ` +
  `[${s.m}, ${s.k}] · [${s.parts}]`;

const test = suite('BitLinear');

for (const s of CASES)
  test(`is its definition: ${describe(s)}`, () => {
    const weights = latents(s), x = inputs(s), dys = gradients(s);
    const { xs, ws } = codesOf(s, weights, x);
    const { ys, dx, dws } = run(s, weights, x, dys);
    const expectedDx = new Float64Array(x.length);
    ws.forEach((w, p) => {
      sameBits(ys[p], bitForward(xs, w, s.k), `y of part ${p}`);
      const back = linearBackward(dys[p], realValues(xs, s.k), realValues(w, s.k), s.k);
      close(dws[p], back.dw, GRADIENT, `dW of part ${p}`);
      back.dx.forEach((d, i) => (expectedDx[i] += d));
    });
    close(dx, expectedDx, { ...GRADIENT, absolute: 2 * GRADIENT.absolute }, 'dx');
  });

test('has exactly the gradients of a linear layer where quantization loses nothing', () => {
  // W = ±½ gives β = ½; x = code/64 with a code 127 in each row gives γ/Q = 1/64: all is exact.
  const s = { ...BASIC, parts: [8] };
  const w = Float32Array.from(randomI8(160, 1, 0, 1), (bit) => bit - 0.5);
  const x = Float32Array.from(randomI8(100, 2, -127), (code, i) => (i % 20 ? code : 127) / 64);
  const dy = Float32Array.from(randomI8(40, 3, -8, 8));
  const { dx, dws } = run(s, [w], x, [dy]);
  const expected = linearBackward(dy, x, w, s.k);
  sameBits(dx, Float32Array.from(expected.dx), 'dx');
  sameBits(dws[0], Float32Array.from(expected.dw), 'dW');
});

for (const kind of ['b1', 't2'] as const) {
  test(`gives no gradient through α and β: dW does not depend on W (${kind})`, () => {
    const s = { ...BASIC, kind }, weights = latents(s);
    const others = weights.map((w) => w.map((v) => -3 * v + 1));
    const [a, b] = [weights, others].map((w) => run(s, w, inputs(s), gradients(s)));
    a.dws.forEach((dw, p) => sameBits(b.dws[p], dw, `part ${p}`));
  });

  test(`gives no gradient through γ: dx does not depend on x (${kind})`, () => {
    const s = { ...BASIC, kind }, x = inputs(s);
    const [a, b] = [x, x.map((v) => 5 - v)].map((v) => run(s, latents(s), v, gradients(s)));
    sameBits(b.dx, a.dx);
  });

  test(`has no clip mask: weights and inputs far from the others get gradients (${kind})`, () => {
    const s = { ...BASIC, kind, parts: [4] }, weights = latents(s), x = inputs(s);
    weights[0][3] = 4; // about 4 γ: the ternary clip cuts it to 1
    x[2] = -1000;
    const { dx, dws } = run(s, weights, x, gradients(s));
    assert.ok(dws[0][3] !== 0);
    assert.ok(dx[2] !== 0);
  });
}

test('adds to the gradient of its weights', () => {
  const { layer, latent } = build(BASIC, latents(BASIC));
  const pass = makePass(engine, BASIC.m);
  const once = (): Float32Array => {
    layer.forward(matrix(pass, BASIC.m, BASIC.k, inputs(BASIC)), pass);
    const dys = gradients(BASIC).map((dy, p) => matrix(pass, BASIC.m, BASIC.parts[p], dy));
    layer.backward(dys, pass);
    return gradientOf(engine, latent[0]);
  };
  const first = once();
  close(once(), first.map((d) => 2 * d), GRADIENT);
});

test('gives a token the same bits alone, among others, and outside of training', () => {
  const s = { ...BASIC, m: 20 }, x = inputs(s), { layer } = build(s, latents(s));
  const forward = (rows: Float32Array, training: boolean): Float32Array => {
    const pass = makePass(engine, rows.length / s.k, { training });
    return read(pass, layer.forward(matrix(pass, rows.length / s.k, s.k, rows), pass)[0]);
  };
  const all = forward(x, true);
  sameBits(forward(x, false), all);
  for (const i of [0, 15, 16, 19])
    sameBits(forward(x.slice(i * s.k, (i + 1) * s.k), false), all.slice(i * 8, (i + 1) * 8));
});

test('follows its latent weights when it is prepared again, and not before', () => {
  const s = { ...BASIC, parts: [8] }, [w] = latents(s), { layer, latent } = build(s, [w]);
  const forward = (): Float32Array => {
    const pass = makePass(engine, s.m, { training: false });
    return read(pass, layer.forward(matrix(pass, s.m, s.k, inputs(s)), pass)[0]);
  };
  const before = forward(), changed = w.map((v) => 2 * v - 1);
  engine.f32(latent[0].value.ptr, w.length).set(changed);
  sameBits(forward(), before);
  prepared(engine, layer);
  const { xs, ws } = codesOf(s, [changed], inputs(s));
  sameBits(forward(), bitForward(xs, ws[0], s.k));
});

test('refuses backward without a forward pass of training', () => {
  const { layer } = build(BASIC, latents(BASIC));
  const pass = makePass(engine, BASIC.m, { training: false });
  layer.forward(matrix(pass, BASIC.m, BASIC.k, inputs(BASIC)), pass);
  assert.throws(() => layer.backward([], pass), /BitLinear: backward expected a forward pass/);
});

test('gives its packed weights back when it is disposed', () => {
  const latent = latents(BASIC).map((w, p) => parameter(engine, 'w', BASIC.parts[p], BASIC.k, w));
  const used = engine.heap.usedBytes;
  const parts = latent.map((l, p) => ({
    name: 'w', latent: l,
    packed: allocBitWeights(engine, 'b1', BASIC.parts[p], BASIC.k, true),
  }));
  new BitLinear(engine, parts, { bits: 8, shifted: false }).dispose();
  assert.is(engine.heap.usedBytes, used);
});

test.run();

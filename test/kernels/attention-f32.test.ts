// attentionF32, attentionBackwardF32: against the twin, the twin's gradients against differences,
// and what the kernel promises in bits: causality, independence of the cache and of the layout.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as ref from '../../src/ref/attention.ts';
import { ROW_BLOCK } from '../../src/ops/attention-pieces.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import { close, sameBits } from '../helpers/close.ts';
import type { Tolerance } from '../helpers/close.ts';
import { DIFFERENCES_F64, differences, dot } from '../helpers/gradients.ts';
import { builds, isolated, place, readF32, room } from '../helpers/kernels.ts';
import { randomF32 } from '../helpers/random.ts';

/** Sums of up to 65 terms of size 6, and an exponential of 2 ulp. */
const FORWARD: Tolerance = { name: 'f32 rounding of attention', absolute: 1e-6, relative: 5e-7 };
/** Differences of sums of T products: absolute errors grow with √T and with dq, dk, dv. */
const BACKWARD: Tolerance = {
  name: 'f32 rounding of attention backward', absolute: 4e-6, relative: 1e-6,
};

/** 16 columns are one tile of the sum over keys; 20 and 36 leave a rest. */
const HEAD_SIZES = [4, 8, 12, 16, 20, 36, 64];

interface Case {
  readonly shape: ref.AttentionShape;
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
  readonly dout: Float32Array;
}

function makeCase(
  queries: number, heads: number, kvHeads: number, headDim: number, offset = 0,
): Case {
  const shape = { queries, offset, heads, kvHeads, headDim };
  const rows = queries * heads * headDim, keyRows = (offset + queries) * kvHeads * headDim;
  return {
    shape, q: randomF32(rows, 1), k: randomF32(keyRows, 2), v: randomF32(keyRows, 3),
    dout: randomF32(rows, 4),
  };
}

const padded = ({ queries, offset }: ref.AttentionShape): number =>
  Math.ceil((offset + queries) / 4) * 4;

/** Rows of `width` floats put `spare` floats apart. */
function spread(x: Float32Array, width: number, spare: number): Float32Array {
  const rows = x.length / width, y = new Float32Array(rows * (width + spare)).fill(NaN);
  for (let i = 0; i < rows; i++) y.set(x.subarray(i * width, (i + 1) * width), i * (width + spare));
  return y;
}

function gatherRows(x: Float32Array, width: number, spare: number): Float32Array {
  return x.filter((_, i) => i % (width + spare) < width);
}

interface Forward {
  readonly out: Float32Array;
  /** f32[heads, queries, padded keys] if kept. */
  readonly p: Float32Array;
}

function forward(
  engine: Engine, { shape, q, k, v }: Case, { keep = true, spare = 0 } = {},
): Forward {
  const { queries, offset, heads, kvHeads, headDim } = shape;
  const width = heads * headDim, kvWidth = kvHeads * headDim;
  const scores = padded(shape) *
    (keep ? heads * queries : Math.min(ROW_BLOCK, (queries * heads) / kvHeads));
  return isolated(engine, () => {
    const out = room(engine, q.byteLength), p = room(engine, scores * 4);
    engine.kernels.attentionF32(
      place(engine, spread(q, width, spare)), place(engine, spread(k, kvWidth, spare)),
      place(engine, spread(v, kvWidth, spare)), out, p, queries, offset, heads, kvHeads, headDim,
      width + spare, kvWidth + spare, headDim, width, keep);
    return { out: readF32(engine, out, q.length), p: readF32(engine, p, scores) };
  });
}

function backward(
  engine: Engine, { shape, q, k, v, dout }: Case, p: Float32Array,
  options: { spare?: number; dk?: Float32Array; dv?: Float32Array } = {},
): Record<'dq' | 'dk' | 'dv', Float32Array> {
  const { queries, heads, kvHeads, headDim } = shape;
  const { spare = 0, dk = new Float32Array(k.length), dv = new Float32Array(v.length) } = options;
  const width = heads * headDim, kvWidth = kvHeads * headDim;
  return isolated(engine, () => {
    const put = (x: Float32Array, w: number): number => place(engine, spread(x, w, spare));
    const dq = put(new Float32Array(q.length).fill(9), width);
    const dkAt = put(dk, kvWidth), dvAt = put(dv, kvWidth);
    engine.kernels.attentionBackwardF32(
      place(engine, dout), put(q, width), put(k, kvWidth), put(v, kvWidth), place(engine, p),
      room(engine, Math.min(ROW_BLOCK, queries) * padded(shape) * 4), dq, dkAt, dvAt, queries, heads,
      kvHeads, headDim, width + spare, kvWidth + spare, width);
    const read = (at: number, w: number, rows: number): Float32Array =>
      gatherRows(readF32(engine, at, rows * (w + spare)), w, spare);
    return {
      dq: read(dq, width, queries), dk: read(dkAt, kvWidth, queries),
      dv: read(dvAt, kvWidth, queries),
    };
  });
}

/** Rows of kept probabilities, without what lies behind a query's last key. */
function checkProbabilities(
  { p }: Forward, expected: Float64Array, shape: ref.AttentionShape,
): void {
  const { queries, offset, heads } = shape, keys = offset + queries;
  for (let row = 0; row < heads * queries; row++) {
    const seen = offset + (row % queries) + 1, at = row * padded(shape);
    const own = p.slice(at, at + seen);
    close(own, expected.slice(row * keys, row * keys + seen), FORWARD, `p row ${row}`);
    close([dot(own, own.map(() => 1))], [1], FORWARD, `sum of row ${row}`);
  }
}

for (const { name, engine } of builds) {
  const test = suite(`attentionF32 [${name}]`);

  for (const queries of [1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65])
    test(`equals the reference for ${queries} tokens`, () => {
      const c = makeCase(queries, 2, 2, 8);
      const actual = forward(engine, c), expected = ref.attention(c.q, c.k, c.v, c.shape);
      close(actual.out, expected.out, FORWARD, 'out');
      checkProbabilities(actual, expected.p, c.shape);
    });

  for (const [heads, kvHeads] of [[1, 1], [4, 4], [4, 2], [4, 1], [6, 3]])
    for (const headDim of HEAD_SIZES)
      test(`equals the reference for ${heads} heads on ${kvHeads} of ${headDim}`, () => {
        const c = makeCase(6, heads, kvHeads, headDim, 3);
        close(forward(engine, c).out, ref.attention(c.q, c.k, c.v, c.shape).out, FORWARD);
      });

  test('lets query head h read key head ⌊h·G/H⌋ and no other', () => {
    const c = makeCase(5, 4, 2, 4), { out } = forward(engine, c);
    const repeat = (x: Float32Array): Float32Array =>
      Float32Array.from({ length: 5 * 16 }, (_, i) =>
        x[Math.floor(i / 16) * 8 + Math.floor((i % 16) / 8) * 4 + (i % 4)]);
    const full = { ...c, k: repeat(c.k), v: repeat(c.v), shape: { ...c.shape, kvHeads: 4 } };
    sameBits(forward(engine, full).out, out);
  });

  test('gives the same bits in calls of 1, 3 and the rest as in one', () => {
    const c = makeCase(13, 4, 2, 8), width = 32, kvWidth = 16;
    const whole = forward(engine, c).out;
    for (const [from, to] of [[0, 1], [1, 4], [4, 13]]) {
      const shape = { ...c.shape, queries: to - from, offset: from };
      const part = {
        ...c, shape, q: c.q.slice(from * width, to * width), k: c.k.slice(0, to * kvWidth),
        v: c.v.slice(0, to * kvWidth),
      };
      const { out } = forward(engine, part, { keep: false });
      sameBits(out, whole.slice(from * width, to * width), `tokens ${from} to ${to}`);
    }
  });

  test('gives the same bits whether or not probabilities are kept', () => {
    const c = makeCase(9, 2, 1, 8);
    sameBits(forward(engine, c, { keep: false }).out, forward(engine, c).out);
  });

  test('gives the same bits when the rows of q, k, v are further apart', () => {
    const c = makeCase(7, 2, 1, 4);
    sameBits(forward(engine, c, { spare: 8 }).out, forward(engine, c).out);
  });

  for (const queries of [15, 16, 17, 31, 33, 48])
    test(`gives ${queries} tokens the bits they have alone, over blocks of keys and rows`, () => {
      for (const [heads, kvHeads, headDim] of [[3, 1, 20], [2, 2, 16], [6, 2, 4]]) {
        const c = makeCase(queries, heads, kvHeads, headDim, 29), width = heads * headDim;
        const whole = forward(engine, c, { keep: false }).out;
        close(whole, ref.attention(c.q, c.k, c.v, c.shape).out, FORWARD);
        for (let t = 0; t < queries; t++) {
          const alone = {
            ...c, shape: { ...c.shape, queries: 1, offset: 29 + t },
            q: c.q.slice(t * width, (t + 1) * width),
            k: c.k.slice(0, (30 + t) * kvHeads * headDim), v: c.v.slice(0, (30 + t) * kvHeads * headDim),
          };
          const { out } = forward(engine, alone, { keep: false });
          sameBits(out, whole.slice(t * width, (t + 1) * width), `token ${t} of ${heads} heads`);
        }
      }
    });

  test('lets the first token attend to itself alone', () => {
    const c = makeCase(5, 2, 2, 8), { out, p } = forward(engine, c);
    sameBits(out.slice(0, 16), c.v.slice(0, 16));
    assert.is(p[0], 1);
  });

  test('keeps the bits of earlier tokens when a later one changes', () => {
    const c = makeCase(6, 2, 2, 4), width = 8;
    const changed = { ...c, q: c.q.slice(), k: c.k.slice(), v: c.v.slice() };
    for (const x of [changed.q, changed.k, changed.v]) x.fill(1e4, 4 * width);
    const before = forward(engine, c).out, after = forward(engine, changed).out;
    sameBits(after.slice(0, 4 * width), before.slice(0, 4 * width));
    assert.is.not(after[4 * width], before[4 * width]);
  });

  test('gives equal keys equal weight, in fours and in the rest', () => {
    for (const headDim of [4, 20]) {
      const c = makeCase(7, 1, 1, headDim), row = c.k.slice(0, headDim);
      const k = c.k.map((_, i) => row[i % headDim]);
      const last = forward(engine, { ...c, k }).p.slice(6 * 8, 6 * 8 + 7);
      sameBits(last, new Float32Array(7).fill(last[0]));
    }
  });

  test('puts all weight on one key where scores are ±10,000', () => {
    const shape = { queries: 3, offset: 0, heads: 1, kvHeads: 1, headDim: 4 };
    const q = new Float32Array(12).fill(100), v = randomF32(12, 5);
    const k = Float32Array.from({ length: 12 }, (_, i) => (i < 4 ? 50 : -50));
    const { out } = forward(engine, { shape, q, k, v, dout: v });
    for (let t = 0; t < 3; t++) sameBits(out.slice(t * 4, t * 4 + 4), v.slice(0, 4));
  });

  test.run();
}

for (const { name, engine } of builds) {
  const test = suite(`attentionBackwardF32 [${name}]`);

  const check = (c: Case, options: { spare?: number } = {}): void => {
    const { p } = forward(engine, c);
    const expected = ref.attentionBackward(
      c.dout, c.q, c.k, c.v, ref.attention(c.q, c.k, c.v, c.shape).p, c.shape);
    const actual = backward(engine, c, p, options);
    for (const field of ['dq', 'dk', 'dv'] as const)
      close(actual[field], expected[field], BACKWARD, field);
  };

  for (const queries of [1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65])
    test(`has the gradients of the reference for ${queries} tokens`, () => {
      check(makeCase(queries, 2, 2, 8));
    });

  for (const [heads, kvHeads] of [[1, 1], [4, 2], [4, 1], [6, 3]])
    for (const headDim of HEAD_SIZES)
      test(`has them for ${heads} heads on ${kvHeads} of ${headDim}`, () => {
        check(makeCase(5, heads, kvHeads, headDim));
      });

  for (const queries of [15, 16, 17, 31, 32, 33])
    test(`has them for ${queries} tokens: blocks of 16 queries, quads and what is left`, () => {
      check(makeCase(queries, 2, 1, 20));
    });

  test('has them when the rows are further apart', () => check(makeCase(7, 2, 1, 4), { spare: 8 }));

  test('replaces what was in dk and dv', () => {
    const c = makeCase(5, 4, 2, 4), { p } = forward(engine, c);
    const plain = backward(engine, c, p);
    const dk = randomF32(c.k.length, 6), dv = randomF32(c.v.length, 7);
    const other = backward(engine, c, p, { dk, dv });
    for (const name of ['dq', 'dk', 'dv'] as const) sameBits(other[name], plain[name], name);
  });

  test.run();
}

const formulas = suite('reference attention');

for (const [heads, kvHeads, offset] of [[2, 2, 0], [4, 2, 0], [2, 1, 2]])
  formulas(`has the gradients of its differences (H=${heads}, G=${kvHeads}, +${offset})`, () => {
    const { shape, q, k, v, dout } = makeCase(3, heads, kvHeads, 4, offset);
    const f = (a: ArrayLike<number>, b: ArrayLike<number>, c: ArrayLike<number>): number =>
      dot(dout, ref.attention(a, b, c, shape).out);
    const { p } = ref.attention(q, k, v, shape);
    const { dq, dk, dv } = ref.attentionBackward(dout, q, k, v, p, shape);
    close(dq, differences((x) => f(x, k, v), q), DIFFERENCES_F64, 'dq');
    close(dk, differences((x) => f(q, x, v), k), DIFFERENCES_F64, 'dk');
    close(dv, differences((x) => f(q, k, x), v), DIFFERENCES_F64, 'dv');
  });

formulas.run();

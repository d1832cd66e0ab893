// attentionF16, attentionI8: the bits of attentionF32 on the same values, the twin on the values
// that the codes stand for, and no reading beyond the positions that are there.
import { suite } from 'uvu';
import * as ref from '../../src/ref/attention.ts';
import { decodeF16, encodeF16 } from '../../src/ref/half.ts';
import { quantAbsmaxI8 } from '../../src/ref/quant.ts';
import { ROW_BLOCK } from '../../src/ops/attention-pieces.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import { close, sameBits } from '../helpers/close.ts';
import type { Tolerance } from '../helpers/close.ts';
import type { Typed } from '../helpers/kernels.ts';
import { builds, isolated, place, readF32, room } from '../helpers/kernels.ts';
import { randomF32 } from '../helpers/random.ts';

/** As in `attention-f32.test.ts`: the codes are exact, the scales round once more. */
const FORWARD: Tolerance = { name: 'f32 rounding of attention', absolute: 2e-6, relative: 1e-6 };

interface Case {
  readonly shape: ref.AttentionShape;
  readonly q: Float32Array;
  /** f32[kvHeads, positions, d]: heads first. */
  readonly k: Float32Array;
  readonly v: Float32Array;
}

function makeCase(
  queries: number, offset: number, heads: number, kvHeads: number, headDim: number,
): Case {
  const cached = kvHeads * (offset + queries) * headDim;
  return {
    shape: { queries, offset, heads, kvHeads, headDim }, q: randomF32(queries * heads * headDim, 1),
    k: randomF32(cached, 2), v: randomF32(cached, 3),
  };
}

/** Rows put where they are in a cache of `capacity` positions; what is behind them is `spare`. */
function cacheOf<T extends Float32Array | Int8Array | Uint16Array>(
  x: T, { kvHeads, offset, queries }: ref.AttentionShape, capacity: number, spare: number,
): T {
  const width = x.length / kvHeads, row = width / (offset + queries);
  const y = new (x.constructor as new (n: number) => T)(kvHeads * capacity * row).fill(spare) as T;
  for (let h = 0; h < kvHeads; h++)
    y.set(x.subarray(h * width, (h + 1) * width), h * capacity * row);
  return y;
}

/** The twin, which wants positions first. */
function expected({ shape, q }: Case, k: ArrayLike<number>, v: ArrayLike<number>): Float64Array {
  const { kvHeads, headDim, offset, queries } = shape, keys = offset + queries;
  const positionsFirst = (x: ArrayLike<number>): Float64Array =>
    Float64Array.from({ length: x.length }, (_, i) => {
      const j = i % headDim, h = Math.floor(i / headDim) % kvHeads;
      return x[(h * keys + Math.floor(i / headDim / kvHeads)) * headDim + j];
    });
  return ref.attention(q, positionsFirst(k), positionsFirst(v), shape).out;
}

/** Runs a kernel on packed k and v, with scales for i8; q and out have `spare` floats a row more. */
function run(
  engine: Engine, { shape, q }: Case, name: 'attentionF32' | 'attentionF16' | 'attentionI8',
  packed: readonly Typed[], capacity: number,
): Float32Array {
  const { queries, offset, heads, kvHeads, headDim: d } = shape, width = heads * d;
  const scores = Math.min(ROW_BLOCK, (queries * heads) / kvHeads) * Math.ceil((offset + queries) / 4) * 4;
  return isolated(engine, () => {
    const out = room(engine, q.byteLength);
    const kernel = engine.kernels[name] as (...args: number[]) => void;
    kernel(
      place(engine, q), ...packed.map((x) => place(engine, x)), out, room(engine, scores * 4),
      queries, offset, heads, kvHeads, d, width,
      ...(name === 'attentionF32' ? [d, capacity * d, width, 0] : [width, capacity]));
    return readF32(engine, out, q.length);
  });
}

const bytesOf = (halves: Uint16Array): Uint8Array => new Uint8Array(halves.buffer);
/** NaN as a half, and the code furthest from 0: what the kernels must not read. */
const NAN_HALF = 0x7e00, SPARE_CODE = -128;

/** Queries, offset, heads, key heads, head size. 16 columns and rows are tiles, 32 keys a block. */
const CASES = [
  [1, 0, 1, 1, 4], [1, 1, 2, 2, 4], [1, 6, 4, 2, 8], [1, 31, 3, 1, 12], [1, 32, 2, 2, 16],
  [1, 66, 4, 1, 20], [2, 3, 2, 1, 16], [3, 0, 4, 4, 36], [5, 30, 6, 3, 32], [17, 2, 2, 1, 64],
  [33, 31, 2, 2, 20], [31, 67, 3, 3, 8],
];

for (const { name, engine } of builds) {
  const f16 = suite(`attentionF16 [${name}]`), i8 = suite(`attentionI8 [${name}]`);

  for (const [queries, offset, heads, kvHeads, d] of CASES)
    for (const spare of [0, 3]) {
      const c = makeCase(queries, offset, heads, kvHeads, d), capacity = offset + queries + spare;
      const label = `${queries} queries after ${offset}, ${heads} heads on ${kvHeads} of ${d}, ` +
        `${spare} positions free`;

      f16(`gives the bits of attentionF32 on the same values: ${label}`, () => {
        const [k, v] = [c.k, c.v].map((x) => Uint16Array.from(x, encodeF16));
        const [k32, v32] = [k, v].map((x) => Float32Array.from(x, decodeF16));
        const packed = [k, v].map((x) => bytesOf(cacheOf(x, c.shape, capacity, NAN_HALF)));
        const plain = [k32, v32].map((x) => cacheOf(x, c.shape, capacity, NaN));
        const out = run(engine, c, 'attentionF16', packed, capacity);
        sameBits(out, run(engine, c, 'attentionF32', plain, capacity));
        close(out, expected(c, k32, v32), FORWARD);
      });

      i8(`is attention over what the codes stand for: ${label}`, () => {
        const [k, v] = [c.k, c.v].map((x) => quantAbsmaxI8(x, x.length / d, d, d, 8));
        const real = [k, v].map(({ codes, scales }) =>
          Float64Array.from(codes, (code, i) => code * scales[Math.floor(i / d)]));
        const packed = [k, v].map(({ codes }) => cacheOf(codes, c.shape, capacity, SPARE_CODE));
        const scales = [k, v].map((x) => cacheOf(x.scales, c.shape, capacity, NaN));
        const out = run(engine, c, 'attentionI8', [...packed, ...scales], capacity);
        close(out, expected(c, real[0], real[1]), FORWARD);
      });
    }

  i8('gives a token the same bits alone and among others', () => {
    const c = makeCase(21, 13, 4, 2, 20), width = 80, keys = 34;
    const [k, v] = [c.k, c.v].map((x) => quantAbsmaxI8(x, x.length / 20, 20, 20, 8));
    const cached = [k.codes, v.codes, k.scales, v.scales];
    const whole = run(engine, c, 'attentionI8', cached, keys);
    for (let t = 0; t < 21; t++) {
      const alone = { ...c, shape: { ...c.shape, queries: 1, offset: 13 + t } };
      const q = c.q.slice(t * width, (t + 1) * width);
      sameBits(run(engine, { ...alone, q }, 'attentionI8', cached, keys),
        whole.slice(t * width, (t + 1) * width), `token ${t}`);
    }
  });

  f16.run();
  i8.run();
}

/**
 * Functions of numbers over dense sweeps, and every float kernel, forward and backward.
 * @module
 */
import { attend, attendBackward } from '../../src/ops/attention.ts';
import {
  ELEMENT_BYTES, KV_CACHE_TYPES, attendCached, storeKeyValues,
} from '../../src/ops/cached-attention.ts';
import { newMatrix } from '../../src/ops/matrix.ts';
import {
  allocTable, freeTable, gatherTable, multiplyTable, quantizeTable,
} from '../../src/ops/table.ts';
import type { KernelExports } from '../../src/wasm/exports.ts';
import type { Bench, Part } from './part.ts';
import { digestF32, digestMatrix, randomIds, randomMatrix } from './part.ts';

/** Points of a sweep. */
const POINTS = 50_000;

/** POINTS values from `from` to `to`, and as many with random bits, exponents of all sizes. */
function sweep({ rng }: Bench, from: number, to: number): Float64Array {
  const values = new Float64Array(2 * POINTS), words = new Uint32Array(values.buffer, POINTS * 8);
  words.forEach((_, i) => (words[i] = rng.nextU32()));
  for (let i = 0; i < POINTS; i++) values[i] = from + ((to - from) * i) / (POINTS - 1);
  return values.map((value) => (Number.isFinite(value) ? value : 1));
}

const RANGES = {
  exp: [-760, 720], log: [0, 50], sin: [-1e3, 1e3], cos: [-1e3, 1e3],
} as const;

const scalars: Part = {
  name: 'math f64',
  run(bench) {
    const { engine: { kernels }, digest } = bench;
    for (const [name, [from, to]] of Object.entries(RANGES))
      digest.floats(sweep(bench, from, to).map(kernels[name as keyof typeof RANGES]));
    const exponents = sweep(bench, -40, 40);
    digest.floats(sweep(bench, 0, 100).map((x, i) => kernels.pow(Math.abs(x), exponents[i])));
  },
};

const vectors: Part = {
  name: 'math f32',
  run(bench) {
    const { engine, workspace, rng } = bench;
    for (const n of [1, 3, 4, 7, 4 * POINTS + 1]) {
      const x = workspace.alloc(n * 4 + 16), y = workspace.alloc(n * 4 + 16);
      engine.f32(x, n).forEach((_, i, values) => (values[i] = (rng.nextFloat() - 0.5) * 220));
      engine.kernels.expF32(x, y, n);
      digestF32(bench, y, n);
    }
  },
};

/** Halves of every size, and floats that round to them. */
const halves: Part = {
  name: 'halves',
  run(bench) {
    const { engine: { kernels }, workspace, digest, rng } = bench, n = 65_536;
    const x = workspace.alloc(n * 4), y = workspace.alloc(n * 2);
    bench.engine.f32(x, n).forEach((_, i, values) =>
      (values[i] = (rng.nextFloat() - 0.5) * kernels.exp((i % 60) - 40)));
    kernels.encodeF16(x, y, n);
    digest.bytes(bench.engine.u8(y, n * 2));
    kernels.decodeF16(y, x, n);
    digestF32(bench, x, n);
  },
};

const activations: Part = {
  name: 'activations',
  run(bench) {
    const { engine: { kernels } } = bench;
    for (const n of [4, 60, 1000]) {
      const a = randomMatrix(bench, 1, n, 4), b = randomMatrix(bench, 1, n), y = newMatrix(bench, 1, n);
      for (const name of ['relu', 'relu2', 'silu', 'gelu'] as const) {
        kernels[`${name}F32`](a.ptr, y.ptr, n);
        digestMatrix(bench, y);
        const slope = randomMatrix(bench, 1, n, 4);
        kernels[`${name}SlopeF32`](slope.ptr, y.ptr, n);
        for (const matrix of [y, slope]) digestMatrix(bench, matrix);
      }
      for (const name of ['mulF32', 'addF32', 'gateSiluF32', 'gateRelu2F32'] as const) {
        kernels[name](a.ptr, b.ptr, y.ptr, n);
        digestMatrix(bench, y);
      }
      const dh = randomMatrix(bench, 1, n);
      kernels.gateBackwardF32(dh.ptr, b.ptr, a.ptr, y.ptr, n);
      for (const matrix of [a, y]) digestMatrix(bench, matrix);
    }
  },
};

const norms: Part = {
  name: 'norms',
  run(bench) {
    const { engine: { kernels }, workspace } = bench;
    for (const [m, c] of [[1, 1], [3, 10], [17, 64], [5, 260]]) for (const centre of [true, false]) {
      const x = randomMatrix(bench, m, c, 2), gain = randomMatrix(bench, 1, c);
      const dy = randomMatrix(bench, m, c), dgain = randomMatrix(bench, 1, c);
      const y = newMatrix(bench, m, c), stats = workspace.alloc(m * 8);
      kernels.normF32(x.ptr, gain.ptr, y.ptr, stats, m, c, 1e-5, centre);
      digestMatrix(bench, y);
      for (const accumulate of [false, true]) {
        kernels.normBackwardF32(
          dy.ptr, x.ptr, gain.ptr, stats, y.ptr, dgain.ptr, m, c, centre, accumulate);
        digestMatrix(bench, y);
      }
      digestMatrix(bench, dgain);
      digestF32(bench, stats, 2 * m);
    }
  },
};

const SHAPES = [[1, 1, 1, 4], [2, 4, 2, 8], [3, 6, 1, 12], [2, 4, 4, 16]] as const;

const attention: Part = {
  name: 'attention',
  run(bench) {
    for (const [batch, heads, kvHeads, headDim] of SHAPES) for (const t of [1, 5, 33]) {
      const shape = { heads, kvHeads, headDim }, rows = batch * t;
      const [q, k, v] = [heads, kvHeads, kvHeads].map((h) => randomMatrix(bench, rows, h * headDim));
      const { out, probabilities } = attend(bench, q, k, v, batch, shape, true);
      digestMatrix(bench, out);
      const dout = randomMatrix(bench, rows, heads * headDim);
      const { dq, dk, dv } = attendBackward(bench, dout, q, k, v, probabilities, batch, shape);
      for (const matrix of [dq, dk, dv]) digestMatrix(bench, matrix);
    }
  },
};

/** Keys and values in a cache of each type, read by the last queries. */
const cachedAttention: Part = {
  name: 'cached attention',
  run(bench) {
    const { workspace } = bench, capacity = 40, queries = 3;
    for (const [, heads, kvHeads, headDim] of SHAPES) for (const type of KV_CACHE_TYPES)
      for (const t of [3, 21, 40]) {
        const shape = { heads, kvHeads, headDim }, values = kvHeads * capacity;
        const [keys, vs] = [0, 1].map(() => workspace.alloc(values * headDim * ELEMENT_BYTES[type]));
        const [keyScales, valueScales] = [0, 1].map(() => workspace.alloc(values * 4));
        const cache = { type, capacity, keys, values: vs, keyScales, valueScales };
        const [q, k, v] = [heads, kvHeads, kvHeads].map((h, i) =>
          randomMatrix(bench, i ? t : queries, h * headDim));
        storeKeyValues(bench, cache, 0, k, v, shape);
        digestMatrix(bench, attendCached(bench, q, cache, t - queries, shape));
      }
  },
};

/** Tables of every type, gathered and multiplied. */
const tables: Part = {
  name: 'tables',
  run(bench) {
    const ids = randomIds(bench, 5, 70);
    for (const kind of ['f32', 'f16', 'i8', 'b1'] as const) for (const cols of [4, 64, 132]) {
      const table = allocTable(bench.engine, kind, 70, cols), out = newMatrix(bench, 5, cols);
      quantizeTable(bench, randomMatrix(bench, 70, cols), table);
      gatherTable(bench, table, ids, out);
      digestMatrix(bench, out);
      for (const m of [1, 5, 70]) {
        const y = newMatrix(bench, m, 70);
        multiplyTable(bench, randomMatrix(bench, m, cols), table, y);
        digestMatrix(bench, y);
      }
      freeTable(bench.engine, table);
    }
  },
};

const positions: Part = {
  name: 'positions and embeddings',
  run(bench) {
    const { engine: { kernels }, workspace } = bench;
    const length = 512, rows = 21, heads = 3;
    for (const half of [2, 6, 32]) {
      const table = workspace.alloc(length * 2 * half * 4), ids = randomIds(bench, rows, length);
      const frequencies = workspace.alloc(half * 8);
      kernels.ropeFrequencies(frequencies, half, 10_000);
      kernels.ropeTableF32(table, length, half, frequencies, 1);
      digestF32(bench, table, length * 2 * half);
      const x = randomMatrix(bench, rows, heads * 2 * half);
      for (const direction of [1, -1, 1]) {
        kernels.ropeF32(x.ptr, table, ids, rows, heads, half, x.cols, direction);
        digestMatrix(bench, x);
      }
    }
    for (const c of [1, 30, 64]) {
      const table = randomMatrix(bench, 50, c), ids = randomIds(bench, rows, 50);
      const out = newMatrix(bench, rows, c), wide = newMatrix(bench, rows, c + 5);
      for (const add of [false, true]) kernels.gatherF32(table.ptr, ids, out.ptr, rows, c, add);
      kernels.scatterAddF32(out.ptr, ids, table.ptr, rows, c, c);
      bench.engine.f32(wide.ptr, rows * (c + 5)).fill(0);
      kernels.copyRowsF32(out.ptr, c, wide.ptr, c + 5, rows, c);
      for (const matrix of [out, table, wide]) digestMatrix(bench, matrix);
    }
  },
};

const losses: Part = {
  name: 'loss',
  run(bench) {
    const { engine: { kernels }, workspace } = bench;
    for (const [m, v] of [[1, 2], [5, 65], [9, 1024]]) {
      const z = randomMatrix(bench, m, v, 5), p = newMatrix(bench, m, v);
      const targets = randomIds(bench, m, v), out = workspace.alloc(m * 4);
      kernels.crossEntropyF32(z.ptr, targets, out, p.ptr, m, v, 1 / m);
      digestMatrix(bench, p);
      digestF32(bench, out, m);
    }
  },
};

const optimizer: Part = {
  name: 'optimizer',
  run(bench) {
    const { engine: { kernels }, digest } = bench;
    for (const n of [4, 100, 4096]) {
      const [w, g, m, v] = [1, 0.1, 0.01, 0.01].map((scale) => randomMatrix(bench, 1, n, scale));
      kernels.mulF32(v.ptr, v.ptr, v.ptr, n);
      for (let step = 1; step <= 3; step++)
        kernels.adamwF32(
          w.ptr, g.ptr, m.ptr, v.ptr, n, 3e-3, 0.9, 0.98, 1e-8, 0.01, 0.7,
          1 - kernels.pow(0.9, step), 1 - kernels.pow(0.98, step));
      for (const matrix of [w, m, v]) digestMatrix(bench, matrix);
      digest.numbers([kernels.sumSquaresF32(w.ptr, n), kernels.firstNonFiniteF32(w.ptr, n)]);
    }
  },
};

export const floatParts: readonly Part[] = [
  scalars, vectors, halves, activations, norms, attention, cachedAttention, positions, tables, losses,
  optimizer,
];

/** Names of kernels that are no computation: the coverage test leaves them out. */
export const NOT_COMPUTING: readonly (keyof KernelExports)[] = ['heapBase'];

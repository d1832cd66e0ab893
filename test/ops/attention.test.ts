// Attention on threads: the pieces cover everything once, and the bits are those of one thread.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { attend, attendBackward } from '../../src/ops/attention.ts';
import { makeRopeTable, rotate } from '../../src/ops/rope.ts';
import type { Heads } from '../../src/ops/attention-pieces.ts';
import { piecesOf } from '../../src/ops/attention-pieces.ts';
import type { KeyValues, KvCacheType } from '../../src/ops/cached-attention.ts';
import { KV_CACHE_TYPES, attendCached, storeKeyValues } from '../../src/ops/cached-attention.ts';
import type { Matrix } from '../../src/ops/matrix.ts';
import { newMatrix, viewOf } from '../../src/ops/matrix.ts';
import { spawnWorker } from '../../src/spawn-node.ts';
import { embeddedModule, embeddedSharedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';
import { Workspace } from '../../src/wasm/workspace.ts';
import { sameBits } from '../helpers/close.ts';
import { randomF32 } from '../helpers/random.ts';

const alone = new Engine({ module: embeddedModule() });

const engineOf = (threads: number): Engine => new Engine({
  module: embeddedModule(),
  threading: { threads, module: embeddedSharedModule(), spawn: spawnWorker },
});

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

interface Setup {
  readonly compute: { engine: Engine; workspace: Workspace };
  matrix(rows: number, cols: number, seed: number): Matrix;
  read(m: Matrix): Float32Array;
}

function setup(engine: Engine): Setup {
  const compute = { engine, workspace: new Workspace(engine.heap) };
  return {
    compute,
    matrix: (rows, cols, seed) => {
      const m = newMatrix(compute, rows, cols);
      viewOf(compute, m).set(randomF32(rows * cols, seed));
      return m;
    },
    read: (m) => viewOf(compute, m).slice(),
  };
}

const pieces = suite('piecesOf');

const SHAPES: Heads[] = [
  { heads: 1, kvHeads: 1, headDim: 64 }, { heads: 4, kvHeads: 4, headDim: 64 },
  { heads: 6, kvHeads: 3, headDim: 32 }, { heads: 8, kvHeads: 1, headDim: 128 },
];

pieces('make every query of every head once, at any number of threads', () => {
  for (const threads of [1, 2, 3, 8, 64])
    for (const shape of SHAPES)
      for (const batch of [1, 2, 7])
        for (const queries of [1, 5, 16, 17, 300])
          for (const splitQueries of [false, true]) {
            const engine = { threads } as Engine;
            const work = { batch, queries, keys: queries + 700, splitQueries };
            const seen = new Uint8Array(batch * shape.heads * queries);
            for (const p of piecesOf(engine, work, shape)) {
              assert.is(p.head, (p.kvHead * shape.heads) / shape.kvHeads);
              assert.is(p.heads, (p.kvHeads * shape.heads) / shape.kvHeads);
              for (let h = p.head; h < p.head + p.heads; h++)
                for (let t = p.from; t < p.to; t++)
                  seen[(p.sequence * shape.heads + h) * queries + t]++;
            }
            assert.ok(seen.every((count) => count === 1), JSON.stringify({ threads, shape, ...work }));
          }
});

pieces('are several where there is work for several threads, even of one sequence or head', () => {
  const engine = { threads: 4 } as Engine;
  const count = (batch: number, queries: number, shape: Heads): number =>
    piecesOf(engine, { batch, queries, keys: 4096, splitQueries: true }, shape).length;
  assert.is(count(1, 1, SHAPES[1]), 4);
  assert.ok(count(1, 512, SHAPES[0]) >= 8);
  assert.ok(count(1, 512, SHAPES[3]) >= 8);
  assert.is(piecesOf(engine, { batch: 1, queries: 1, keys: 9, splitQueries: true }, SHAPES[1]).length, 1);
});

pieces.run();

const threads = suite('attention on threads');

function cacheOf({ compute }: Setup, type: KvCacheType, capacity: number, s: Heads): KeyValues {
  const alloc = (bytes: number): number => compute.workspace.alloc(bytes);
  const bytes = capacity * s.kvHeads * s.headDim * 4, scales = capacity * s.kvHeads * 4;
  return {
    type, capacity, keys: alloc(bytes), values: alloc(bytes),
    keyScales: alloc(scales), valueScales: alloc(scales),
  };
}

/** A prompt of 900 positions, 40 more at once, then one: the results of the last two. */
function decode(engine: Engine, type: KvCacheType, shape: Heads): Float32Array[] {
  const s = setup(engine), { heads, kvHeads, headDim } = shape;
  const cache = cacheOf(s, type, 941, shape);
  let at = 0;
  return [900, 40, 1].map((rows) => {
    const [k, v] = [1, 2].map((seed) => s.matrix(rows, kvHeads * headDim, at + seed));
    storeKeyValues(s.compute, cache, at, k, v, shape);
    const q = s.matrix(rows, heads * headDim, at + 3);
    const out = rows < 100 ? s.read(attendCached(s.compute, q, cache, at, shape)) : new Float32Array();
    at += rows;
    return out;
  });
}

/** Three sequences of 70 tokens, forward and backward. */
function train(engine: Engine, shape: Heads): Float32Array[] {
  const s = setup(engine), { heads, kvHeads, headDim } = shape;
  const q = s.matrix(210, heads * headDim, 1), dout = s.matrix(210, heads * headDim, 2);
  const [k, v] = [3, 4].map((seed) => s.matrix(210, kvHeads * headDim, seed));
  const { out, probabilities } = attend(s.compute, q, k, v, 3, shape, true);
  const { dq, dk, dv } = attendBackward(s.compute, dout, q, k, v, probabilities, 3, shape);
  const run = attend(s.compute, q, k, v, 3, shape, false);
  sameBits(s.read(run.out), s.read(out), 'with and without probabilities');
  const table = makeRopeTable(engine, { positions: 210, headDim, theta: 10_000 });
  const positions = s.compute.workspace.alloc(840);
  engine.i32(positions, 210).forEach((_, i, view) => (view[i] = 209 - i));
  rotate(s.compute, dq, table, positions, headDim, -1);
  return [out, dq, dk, dv].map((m) => s.read(m));
}

threads('gives the bits of one thread, for every type of cache and in training', async () => {
  for (const count of [2, 3]) {
    const engine = engineOf(count);
    train(engine, SHAPES[1]); // starts the workers
    for (let i = 0; i < 10; i++) await tick();
    for (const shape of SHAPES.slice(1, 3)) {
      const trained = train(alone, shape);
      train(engine, shape).forEach((x, i) => sameBits(x, trained[i], `training ${i}`));
      for (const type of KV_CACHE_TYPES) {
        const decoded = decode(alone, type, shape);
        decode(engine, type, shape).forEach((x, i) => sameBits(x, decoded[i], `${type} ${i}`));
      }
    }
    engine.dispose();
  }
});

threads.run();

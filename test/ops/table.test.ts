// Tables: what a row becomes, what a product gives, one token as among others, and on threads.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Compute, Matrix } from '../../src/ops/matrix.ts';
import { newMatrix, viewOf } from '../../src/ops/matrix.ts';
import { gatherBackward } from '../../src/ops/embedding.ts';
import type { Table, TableKind } from '../../src/ops/table.ts';
import {
  allocTable, freeTable, gatherTable, multiplyTable, quantizeTable,
} from '../../src/ops/table.ts';
import { spawnWorker } from '../../src/spawn-node.ts';
import { embeddedModule, embeddedSharedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';
import { Workspace } from '../../src/wasm/workspace.ts';
import { close, sameBits } from '../helpers/close.ts';
import { randomF32 } from '../helpers/random.ts';
import { throwsA } from '../helpers/throws.ts';

const KINDS: readonly TableKind[] = ['f32', 'f16', 'i8', 'b1'];

const computeOf = (engine: Engine): Compute => ({ engine, workspace: new Workspace(engine.heap) });
const alone = computeOf(new Engine({ module: embeddedModule() }));

function matrix(compute: Compute, rows: number, cols: number, data: Float32Array): Matrix {
  const m = newMatrix(compute, rows, cols);
  viewOf(compute, m).set(data);
  return m;
}

function tableOf(compute: Compute, kind: TableKind, w: Float32Array, rows: number): Table {
  const table = allocTable(compute.engine, kind, rows, w.length / rows);
  quantizeTable(compute, matrix(compute, rows, w.length / rows, w), table);
  return table;
}

function gathered(compute: Compute, table: Table, ids: number[]): Float32Array {
  const at = compute.workspace.alloc(ids.length * 4), out = newMatrix(compute, ids.length, table.cols);
  compute.engine.i32(at, ids.length).set(ids);
  gatherTable(compute, table, at, out);
  return viewOf(compute, out).slice();
}

function multiplied(compute: Compute, table: Table, x: Float32Array): Float32Array {
  const rows = x.length / table.cols, out = newMatrix(compute, rows, table.rows);
  multiplyTable(compute, matrix(compute, rows, table.cols, x), table, out);
  return viewOf(compute, out).slice();
}

/** x · wᵀ in f64. */
const product = (x: Float32Array, w: Float32Array, cols: number): Float64Array => {
  const rows = x.length / cols, outs = w.length / cols;
  return Float64Array.from({ length: rows * outs }, (_, at) => {
    const i = Math.floor(at / outs), n = at % outs;
    let sum = 0;
    for (let j = 0; j < cols; j++) sum += x[i * cols + j] * w[n * cols + j];
    return sum;
  });
};

/** The activations as i8 and b1 products see them: 8 bits a token. */
const rounded = (x: Float32Array, cols: number): Float32Array => x.map((v, i) => {
  const at = i - (i % cols), most = x.subarray(at, at + cols).reduce((m, y) => Math.max(m, Math.abs(y)), 0);
  return (Math.round((v * 127) / most) * most) / 127;
});

const test = suite('a table');

for (const kind of KINDS) {
  test(`of ${kind} gathers the values that it stands for`, () => {
    for (const [rows, cols] of [[1, 4], [7, 20], [33, 136]]) {
      const w = randomF32(rows * cols, 1), ids = [rows - 1, 0, 0, rows >> 1];
      const found = gathered(alone, tableOf(alone, kind, w, rows), ids);
      ids.forEach((id, i) => {
        const row = w.subarray(id * cols, (id + 1) * cols), own = found.subarray(i * cols, (i + 1) * cols);
        const most = row.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
        const mean = row.reduce((s, v) => s + Math.abs(v), 0) / cols;
        row.forEach((v, j) => {
          if (kind === 'f32') assert.is(own[j], v);
          if (kind === 'f16') assert.ok(Math.abs(own[j] - v) <= Math.abs(v) * 2 ** -11 + 2 ** -25);
          if (kind === 'i8') assert.ok(Math.abs(own[j] - v) <= most / 254 + 1e-7);
          if (kind === 'b1') assert.ok(Math.abs(own[j] - (v > 0 ? mean : -mean)) < 1e-6);
        });
      });
    }
  });

  test(`of ${kind} multiplies with the values that it gathers`, () => {
    for (const [rows, cols] of [[1, 4], [7, 20], [67, 136]])
      for (const tokens of [1, 2, 3, 4, 5, 65]) {
        const table = tableOf(alone, kind, randomF32(rows * cols, 2), rows);
        const w = gathered(alone, table, Array.from({ length: rows }, (_, i) => i));
        const x = randomF32(tokens * cols, 3);
        const seen = kind === 'f32' || kind === 'f16' ? x : rounded(x, cols);
        const bound = { name: 'f32 rounding of a table', absolute: 1e-5 * Math.sqrt(cols), relative: 1e-5 };
        close(multiplied(alone, table, x), product(seen, w, cols), bound, `${tokens} × ${rows}`);
      }
  });

  test(`of ${kind} gives a token the same bits alone and among 64 others`, () => {
    const rows = 45, cols = 36, x = randomF32(65 * cols, 4);
    const table = tableOf(alone, kind, randomF32(rows * cols, 5), rows);
    const whole = multiplied(alone, table, x);
    for (let i = 0; i < 65; i++)
      sameBits(multiplied(alone, table, x.slice(i * cols, (i + 1) * cols)),
        whole.slice(i * rows, (i + 1) * rows), `token ${i}`);
  });

  test(`of ${kind} gives its memory back`, () => {
    const engine = new Engine({ module: embeddedModule() });
    for (const multiplied of [true, false])
      freeTable(engine, allocTable(engine, kind, 5, 8, multiplied));
    assert.is(engine.heap.usedBytes, 0);
  });
}

test('refuses columns that are no multiple of 4, and products of what was made to be gathered', () => {
  throwsA(() => allocTable(alone.engine, 'f16', 3, 6), RangeError, '"cols" expected a multiple of 4');
  const table = allocTable(alone.engine, 'f32', 3, 8, false);
  throwsA(() => multiplied(alone, table, randomF32(8, 1)), RangeError, 'made to be multiplied');
});

test('has the bits of one thread on several, for one token and many', async () => {
  const compute = computeOf(new Engine({
    module: embeddedModule(),
    threading: { threads: 3, module: embeddedSharedModule(), spawn: spawnWorker },
  }));
  const rows = 8009, cols = 256, w = randomF32(rows * cols, 6), x = randomF32(5 * cols, 7);
  for (const kind of KINDS) {
    const table = tableOf(compute, kind, w, rows), own = tableOf(alone, kind, w, rows);
    for (const tokens of [1, 3, 5]) {
      const part = x.slice(0, tokens * cols);
      multiplied(compute, table, part); // starts the workers
      await new Promise((resolve) => setTimeout(resolve, 50));
      sameBits(multiplied(compute, table, part), multiplied(alone, own, part), `${kind} ${tokens}`);
    }
    const ids = Array.from({ length: 200 }, (_, i) => (i * 37) % rows);
    sameBits(gathered(compute, table, ids), gathered(alone, own, ids), `rows of ${kind}`);
  }
  const ids = [...Array(200).keys()].map((i) => i % 7);
  const [several, one] = [compute, alone].map((c) => {
    const at = c.workspace.alloc(800), dtable = matrix(c, 7, cols, randomF32(7 * cols, 8));
    c.engine.i32(at, 200).set(ids);
    gatherBackward(c, matrix(c, 200, cols, randomF32(200 * cols, 9)), at, dtable);
    return viewOf(c, dtable).slice();
  });
  sameBits(several, one, 'gradients of rows');
  compute.engine.dispose();
});

test.run();

// gatherF32, scatterAddF32, copyRowsF32: bit for bit against the twin, at vector boundaries.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as ref from '../../src/ref/embedding.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import { close, sameBits } from '../helpers/close.ts';
import { DIFFERENCES_F64, dot } from '../helpers/gradients.ts';
import { builds, isolated, place, readF32, room } from '../helpers/kernels.ts';
import { randomF32 } from '../helpers/random.ts';

const COLS = [1, 3, 4, 5, 7, 8, 9, 63, 64, 65];
const VOCABULARY = 6;
/** The first and the last row, repeats, and a row that no id names. */
const IDS = [5, 0, 2, 2, 5, 1, 2];

function gather(
  engine: Engine, table: Float32Array, ids: number[], cols: number, out?: Float32Array,
): Float32Array {
  return isolated(engine, () => {
    const at = out ? place(engine, out) : room(engine, ids.length * cols * 4);
    const idsAt = place(engine, Int32Array.from(ids));
    engine.kernels.gatherF32(place(engine, table), idsAt, at, ids.length, cols, out !== undefined);
    return readF32(engine, at, ids.length * cols);
  });
}

function scatterAdd(
  engine: Engine, dout: Float32Array, ids: number[], dtable: Float32Array, cols: number,
): Float32Array {
  return isolated(engine, () => {
    const at = place(engine, dtable), idsAt = place(engine, Int32Array.from(ids));
    engine.kernels.scatterAddF32(place(engine, dout), idsAt, at, ids.length, cols, cols);
    return readF32(engine, at, dtable.length);
  });
}

for (const { name, engine } of builds) {
  const test = suite(`gatherF32 [${name}]`);

  for (const cols of COLS) {
    const table = randomF32(VOCABULARY * cols, 1), out = randomF32(IDS.length * cols, 2);

    test(`copies rows of ${cols} values`, () => {
      sameBits(gather(engine, table, IDS, cols), ref.gather(table, IDS, cols));
    });

    test(`adds rows of ${cols} values`, () => {
      sameBits(gather(engine, table, IDS, cols, out), ref.gatherAdd(out, table, IDS, cols));
    });
  }

  test.run();
}

for (const { name, engine } of builds) {
  const test = suite(`scatterAddF32 [${name}]`);

  for (const cols of COLS)
    test(`adds rows of ${cols} values to the rows of their ids`, () => {
      const dout = randomF32(IDS.length * cols, 3), dtable = randomF32(VOCABULARY * cols, 4);
      sameBits(
        scatterAdd(engine, dout, IDS, dtable, cols), ref.scatterAdd(dout, IDS, dtable, cols));
    });

  test('adds repeated ids in the order they come', () => {
    // 1e8 + 1 = 1e8 in f32: in this order the 1 is lost, in the reverse it is not.
    const terms = [1e8, 1, -1e8], cols = 5;
    const rows = (values: number[]): Float32Array =>
      Float32Array.from(values.flatMap((value) => new Array<number>(cols).fill(value)));
    const add = (values: number[]): number[] =>
      [...scatterAdd(engine, rows(values), [1, 1, 1], new Float32Array(2 * cols), cols)];
    assert.equal(add(terms), new Array(2 * cols).fill(0));
    assert.equal(add([1e8, -1e8, 1]), [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
  });

  test('is the transpose of gather', () => {
    const cols = 9, table = randomF32(VOCABULARY * cols, 5), dout = randomF32(IDS.length * cols, 6);
    const dtable = scatterAdd(engine, dout, IDS, new Float32Array(table.length), cols);
    // 63 products of size 1 with gradients rounded to f32.
    const tolerance = { ...DIFFERENCES_F64, name: 'f32 sums of rows', absolute: 1e-5 };
    close([dot(dtable, table)], [dot(dout, gather(engine, table, IDS, cols))], tolerance);
  });

  test('adds a run of columns and leaves the others', () => {
    const cols = 21, dout = randomF32(IDS.length * cols, 3), dtable = randomF32(VOCABULARY * cols, 4);
    const whole = ref.scatterAdd(dout, IDS, dtable, cols);
    const found = isolated(engine, () => {
      const at = place(engine, dtable), ids = place(engine, Int32Array.from(IDS));
      engine.kernels.scatterAddF32(place(engine, dout) + 16, ids, at + 16, IDS.length, 9, cols);
      return readF32(engine, at, dtable.length);
    });
    sameBits(found, whole.map((v, i) => (i % cols >= 4 && i % cols < 13 ? v : dtable[i])));
  });

  test.run();
}

for (const { name, engine } of builds) {
  const test = suite(`copyRowsF32 [${name}]`);

  for (const cols of COLS)
    for (const [fromStride, toStride] of [[cols, cols], [cols + 3, cols], [cols, cols + 5]])
      test(`copies rows of ${cols} from strides of ${fromStride} to ${toStride}`, () => {
        const from = randomF32(3 * fromStride, 7), to = randomF32(3 * toStride, 8);
        const copied = isolated(engine, () => {
          const at = place(engine, to);
          engine.kernels.copyRowsF32(place(engine, from), fromStride, at, toStride, 3, cols);
          return readF32(engine, at, to.length);
        });
        sameBits(copied, ref.copyRows(from, fromStride, to, toStride, 3, cols));
      });

  test.run();
}

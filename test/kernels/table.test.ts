// gemmF32F16, gemmI8I8, gatherF16, gatherI8, gatherB1: bit for bit against their twins.
import { suite } from 'uvu';
import { encodeF16 } from '../../src/ref/half.ts';
import * as ref from '../../src/ref/table.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import { sameBits, sameIntegers } from '../helpers/close.ts';
import type { Typed } from '../helpers/kernels.ts';
import { builds, isolated, place, readF32, readI32, room } from '../helpers/kernels.ts';
import { randomF32, randomI8 } from '../helpers/random.ts';

/** Tiles of 2 tokens and 4 rows, blocks of 32 rows; each ± 1. */
const TOKENS = [0, 1, 2, 3, 4, 5], ROWS = [0, 1, 2, 3, 4, 5, 7, 31, 32, 33, 35, 67];
const COLS = [1, 3, 4, 5, 7, 8, 9, 63, 64, 65];
const VOCABULARY = 6;
/** The first and the last row, and repeats. */
const IDS = [5, 0, 2, 2, 5, 1, 2];

const halves = (n: number, seed: number): Uint16Array => Uint16Array.from(randomF32(n, seed), encodeF16);
const bytesOf = (x: Uint16Array): Uint8Array => new Uint8Array(x.buffer);

type Product = 'gemmF32F16' | 'gemmI8I8';

/** f32 or i32[m, n + spare], where only n columns are written. */
function product<R>(
  engine: Engine, name: Product, x: Typed, w: Typed, [m, n, k]: number[],
  read: (engine: Engine, ptr: number, n: number) => R, spare = 0,
): R {
  return isolated(engine, () => {
    const y = place(engine, new Int32Array(m * (n + spare)).fill(7));
    engine.kernels[name](place(engine, x), place(engine, w), y, m, n, k, n + spare);
    return read(engine, y, m * (n + spare));
  });
}

function gather(
  engine: Engine, name: 'gatherF16' | 'gatherI8' | 'gatherB1', tables: Typed[], c: number,
  rest: number[],
): Float32Array {
  return isolated(engine, () => {
    const out = room(engine, IDS.length * c * 4);
    const kernel = engine.kernels[name] as (...args: number[]) => void;
    kernel(...tables.map((t) => place(engine, t)), place(engine, Int32Array.from(IDS)), out,
      IDS.length, c, ...rest);
    return readF32(engine, out, IDS.length * c);
  });
}

for (const { name, engine } of builds) {
  const test = suite(`table [${name}]`);

  for (const k of [4, 8, 12, 44, 128])
    test(`gemmF32F16 is its twin over ${k} columns`, () => {
      for (const m of TOKENS)
        for (const n of ROWS) {
          const x = randomF32(m * k, m), w = halves(n * k, n + 7);
          const y = product(engine, 'gemmF32F16', x, bytesOf(w), [m, n, k], readF32);
          sameBits(y, ref.gemmF32F16(x, w, m, n, k), `${m} × ${n}`);
        }
    });

  for (const k of [16, 32, 48, 144])
    test(`gemmI8I8 is exact over ${k} codes`, () => {
      for (const m of TOKENS)
        for (const n of ROWS) {
          const q = randomI8(m * k, m + 1), w = randomI8(n * k, n + 7);
          const acc = product(engine, 'gemmI8I8', q, w, [m, n, k], readI32);
          sameIntegers(acc, ref.gemmI8I8(q, w, m, n, k), `${m} × ${n}`);
        }
    });

  test('gemmI8I8 holds the largest sums: 2^15 products of −128 and −128, and of 127', () => {
    const k = 2 ** 15;
    for (const [a, b] of [[-128, -128], [127, -128], [127, 127]]) {
      const q = new Int8Array(2 * k).fill(a), w = new Int8Array(5 * k).fill(b);
      const acc = product(engine, 'gemmI8I8', q, w, [2, 5, k], readI32);
      sameIntegers(acc, new Int32Array(10).fill(a * b * k));
    }
  });

  test('the products write n columns of a row and no more', () => {
    const w = halves(35 * 8, 1), x = randomF32(3 * 8, 2);
    const y = product(engine, 'gemmF32F16', x, bytesOf(w), [3, 35, 8], readI32, 2);
    const q = randomI8(3 * 16, 3), codes = randomI8(35 * 16, 4);
    const acc = product(engine, 'gemmI8I8', q, codes, [3, 35, 16], readI32, 2);
    for (const i of [0, 1, 2])
      for (const z of [y, acc]) sameIntegers(z.slice(i * 37 + 35, (i + 1) * 37), [7, 7]);
  });

  for (const c of COLS) {
    test(`gatherF16 decodes rows of ${c}`, () => {
      const table = halves(VOCABULARY * c, 5);
      sameBits(gather(engine, 'gatherF16', [bytesOf(table)], c, []), ref.gatherF16(table, IDS, c));
    });

    test(`gatherI8 scales rows of ${c}`, () => {
      const rowBytes = Math.ceil(c / 16) * 16, scale = randomF32(VOCABULARY, 6);
      const table = randomI8(VOCABULARY * rowBytes, 7);
      sameBits(gather(engine, 'gatherI8', [table, scale], c, [rowBytes]),
        ref.gatherI8(table, scale, IDS, c, rowBytes));
    });
  }

  for (const c of [...COLS, 127, 128, 129, 256, 259])
    test(`gatherB1 signs rows of ${c}, with one scale or one for every 128, 4 or 8 columns`, () => {
      const rowBytes = Math.ceil(c / 8), bits = new Uint8Array(randomI8(VOCABULARY * rowBytes, 8).buffer);
      for (const groupCols of [Math.ceil(c / 4) * 4, 128, 4, 8]) {
        const scale = randomF32(VOCABULARY * Math.ceil(c / groupCols), 9);
        sameBits(gather(engine, 'gatherB1', [bits, scale], c, [rowBytes, groupCols]),
          ref.gatherB1(bits, scale, IDS, c, rowBytes, groupCols));
      }
    });

  test.run();
}

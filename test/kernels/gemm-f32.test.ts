/**
 * Float products: bits are compared, no tolerance. The sizes straddle the tile of 4 × 8, the
 * transpositions of 4, the block of 256 along k and the block of 64 rows.
 */
import { suite } from 'uvu';
import type { Strided } from '../../src/ref/gemm.ts';
import * as ref from '../../src/ref/gemm.ts';
import { sameBits } from '../helpers/close.ts';
import { builds, isolated, place, readF32, room } from '../helpers/kernels.ts';
import type { Build } from '../helpers/kernels.ts';
import { randomF32 } from '../helpers/random.ts';

/** Bytes of scratch: 64 · 256 packed floats of A and one ragged tile. */
const SCRATCH = (64 * 256 + 32) * 4;

/** Which operand is stored transposed. */
type Orientation = 'A·B' | 'A·Bᵀ' | 'Aᵀ·B';

/** Elements of [rows, cols] in either order, `pad` floats between the lines. */
function matrix(
  rows: number, cols: number, transposed: boolean, seed: number, pad = 0,
): Strided {
  const stride = (transposed ? rows : cols) + pad, lines = transposed ? cols : rows;
  const data = randomF32(lines * stride - pad, seed);
  return transposed
    ? { data, rowStride: 1, colStride: stride }
    : { data, rowStride: stride, colStride: 1 };
}

const operands = (how: Orientation, m: number, n: number, k: number): [Strided, Strided] =>
  [matrix(m, k, how === 'Aᵀ·B', 1), matrix(k, n, how === 'A·Bᵀ', 2)];

function pack({ engine }: Build, b: Strided, k: number, n: number): Float32Array {
  return isolated(engine, () => {
    const size = Math.ceil(n / 8) * k * 8;
    const from = place(engine, b.data), to = room(engine, size * 4);
    engine.kernels.packPanelsF32(from, b.rowStride, b.colStride, to, k, n);
    return readF32(engine, to, size);
  });
}

function gemm(
  build: Build, a: Strided, b: Strided, m: number, n: number, k: number, c?: Float32Array,
): Float32Array {
  const { engine } = build, panels = pack(build, b, k, n);
  return isolated(engine, () => {
    const to = c ? place(engine, c) : room(engine, m * n * 4);
    engine.kernels.gemmPanelsF32(
      place(engine, a.data), a.rowStride, a.colStride, place(engine, panels), to,
      room(engine, SCRATCH), m, n, k, c !== undefined);
    return readF32(engine, to, m * n);
  });
}

for (const build of builds) {
  const test = suite(`gemm-f32 [${build.name}]`);

  for (const transposed of [false, true])
    test(`packPanelsF32 equals the reference, B ${transposed ? 'transposed' : 'as it is'}`, () => {
      for (const k of [1, 2, 3, 4, 5, 7, 8, 9, 33])
        for (const n of [1, 7, 8, 9, 16, 17])
          for (const pad of [0, 3]) {
            const b = matrix(k, n, transposed, k + n, pad);
            sameBits(pack(build, b, k, n), ref.packPanelsF32(b, k, n), `${k} × ${n} + ${pad}`);
          }
    });

  for (const how of ['A·B', 'A·Bᵀ', 'Aᵀ·B'] as const) {
    for (const k of [1, 2, 3, 4, 5, 8, 255, 256, 257, 513]) {
      // All m and n at a few k, the corners of the tile at the long ones.
      const ms = k <= 8 || k === 257 ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : [1, 4, 5];
      const ns = k <= 8 || k === 257 ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17] : [1, 7, 8, 9];
      test(`${how} has the bits of one running sum over ${k} products`, () => {
        for (const m of ms)
          for (const n of ns) {
            const [a, b] = operands(how, m, n, k);
            sameBits(gemm(build, a, b, m, n, k), ref.gemmF32(a, b, m, n, k), `${m} × ${n}`);
          }
      });
      test(`${how} over ${k} products adds to C, starting each sum from it`, () => {
        for (const m of ms)
          for (const n of ns.slice(-4)) {
            const [a, b] = operands(how, m, n, k), c = randomF32(m * n, 3, 100);
            sameBits(gemm(build, a, b, m, n, k, c), ref.gemmF32(a, b, m, n, k, c), `${m} × ${n}`);
          }
      });
    }

    for (const m of [63, 64, 65, 129]) {
      test(`${how} of ${m} rows passes the border of a block of rows`, () => {
        const n = 9, k = 260, [a, b] = operands(how, m, n, k), c = randomF32(m * n, 4);
        sameBits(gemm(build, a, b, m, n, k), ref.gemmF32(a, b, m, n, k));
        sameBits(gemm(build, a, b, m, n, k, c), ref.gemmF32(a, b, m, n, k, c), 'accumulated');
      });
    }

    test(`${how}: a row of a batch has the bits of the row alone`, () => {
      const m = 9, n = 17, k = 300, [a, b] = operands(how, m, n, k);
      const all = gemm(build, a, b, m, n, k);
      for (let i = 0; i < m; i++) {
        const row = Float32Array.from(
          { length: k }, (_, p) => a.data[i * a.rowStride + p * a.colStride]);
        const alone = gemm(build, { data: row, rowStride: k, colStride: 1 }, b, 1, n, k);
        sameBits(alone, all.subarray(i * n, (i + 1) * n), `row ${i}`);
      }
    });
  }

  test('reads operands whose lines are further apart than they are long', () => {
    const m = 6, n = 11, k = 21;
    for (const [ta, tb] of [[false, false], [false, true], [true, false], [true, true]]) {
      const a = matrix(m, k, ta, 5, 3), b = matrix(k, n, tb, 6, 5);
      sameBits(gemm(build, a, b, m, n, k), ref.gemmF32(a, b, m, n, k), `${ta} ${tb}`);
    }
  });

  test('hands on Infinity and NaN to their own row and column only', () => {
    const m = 5, n = 9, k = 20, [a, b] = operands('A·B', m, n, k);
    a.data[2 * k + 7] = Infinity;
    b.data[4 * n + 8] = NaN;
    sameBits(gemm(build, a, b, m, n, k), ref.gemmF32(a, b, m, n, k));
  });

  test.run();
}

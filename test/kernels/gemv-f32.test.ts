// gemvPanelsF32: the bits of one running sum, as gemmPanelsF32 has them, for whole and ragged tiles.
import { suite } from 'uvu';
import * as ref from '../../src/ref/gemm.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import { sameBits } from '../helpers/close.ts';
import { builds, isolated, place, readF32 } from '../helpers/kernels.ts';
import { randomF32 } from '../helpers/random.ts';

/** A panel is 8 columns, a tile 24; each ± 1, and ragged panels of every width. */
const COLS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 23, 24, 25, 31, 32, 33, 47, 48, 49, 97];

/** Rows of Y are `spare` floats longer than n; they keep what is there. */
function gemv(
  engine: Engine, x: Float32Array, panels: Float32Array, m: number, n: number, k: number, spare = 0,
): Float32Array {
  return isolated(engine, () => {
    const stride = n + spare, y = place(engine, new Float32Array(m * stride).fill(7));
    engine.kernels.gemvPanelsF32(place(engine, x), place(engine, panels), y, m, n, k, stride);
    return readF32(engine, y, m * stride);
  });
}

for (const { name, engine } of builds) {
  const test = suite(`gemvPanelsF32 [${name}]`);

  for (const k of [1, 2, 3, 7, 255, 257])
    test(`has the bits of one running sum over ${k} products`, () => {
      for (const n of COLS)
        for (const m of [0, 1, 2, 3]) {
          const a = { data: randomF32(m * k, 1), rowStride: k, colStride: 1 };
          const b = { data: randomF32(k * n, 2), rowStride: 1, colStride: k };
          const panels = ref.packPanelsF32(b, k, n);
          const expected = ref.gemmF32(a, b, m, n, k);
          sameBits(gemv(engine, a.data, panels, m, n, k), expected, `${m} × ${n}`);
        }
    });

  test('writes n columns of a row and no more', () => {
    const k = 5, n = 43, x = randomF32(2 * k, 3), data = randomF32(k * n, 4);
    const panels = ref.packPanelsF32({ data, rowStride: 1, colStride: k }, k, n);
    const plain = gemv(engine, x, panels, 2, n, k), spread = gemv(engine, x, panels, 2, n, k, 3);
    for (const i of [0, 1]) {
      sameBits(spread.slice(i * 46, i * 46 + n), plain.slice(i * n, (i + 1) * n));
      sameBits(spread.slice(i * 46 + n, (i + 1) * 46), Float32Array.of(7, 7, 7));
    }
  });

  test.run();
}

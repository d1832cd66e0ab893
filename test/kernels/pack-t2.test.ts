import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileRowBytes, rowBytes } from '../../src/quant/layout.ts';
import * as ref from '../../src/ref/pack.ts';
import { sameBits, sameIntegers } from '../helpers/close.ts';
import { builds, isolated, place, readF32, readI32, readU8, room } from '../helpers/kernels.ts';
import type { Build } from '../helpers/kernels.ts';
import { randomF32, randomTernary } from '../helpers/random.ts';
import { COLUMNS, ROWS } from '../helpers/sizes.ts';

function pack(
  { engine }: Build, w: Float32Array, inverse: number, rows: number, cols: number, bytes: number,
): Uint8Array {
  return isolated(engine, () => {
    const from = place(engine, w), to = room(engine, rows * bytes);
    engine.kernels.packT2(from, inverse, to, rows, cols, bytes);
    return readU8(engine, to, rows * bytes);
  });
}

function expand(
  { engine }: Build, codes: Uint8Array, scale: Float32Array, cols: number, bytes: number,
): Float32Array {
  return isolated(engine, () => {
    const rows = scale.length, size = rows * cols;
    const from = place(engine, codes), by = place(engine, scale), to = room(engine, size * 4);
    engine.kernels.expandT2(from, by, to, rows, cols, bytes);
    return readF32(engine, to, size);
  });
}

function rowSums(
  { engine }: Build, codes: Uint8Array, rows: number, cols: number, bytes: number,
): Int32Array {
  return isolated(engine, () => {
    const from = place(engine, codes), to = room(engine, rows * 4);
    engine.kernels.rowSumsT2(from, to, rows, cols, bytes);
    return readI32(engine, to, rows);
  });
}

for (const build of builds) {
  const test = suite(`pack-t2 [${build.name}]`);

  for (const cols of COLUMNS) {
    test(`packT2 equals the reference for ${cols} columns, whatever the padding`, () => {
      for (const rows of ROWS) {
        const w = randomF32(rows * cols, rows + cols), inverse = Math.fround(1 / 0.8);
        for (const bytes of [fileRowBytes('t2', cols), rowBytes('t2', cols)])
          sameIntegers(
            pack(build, w, inverse, rows, cols, bytes),
            ref.packT2(w, inverse, rows, cols, bytes), `${rows} rows, ${bytes} bytes`);
      }
    });

    test(`expandT2 and rowSumsT2 equal the reference for ${cols} columns`, () => {
      const bytes = rowBytes('t2', cols);
      for (const rows of ROWS) {
        const w = Float32Array.from(randomTernary(rows * cols, rows * cols));
        const codes = ref.packT2(w, 1, rows, cols, bytes);
        const scale = randomF32(rows, cols);
        sameBits(
          expand(build, codes, scale, cols, bytes),
          ref.expand('t2', codes, scale, rows, cols, bytes));
        sameIntegers(
          rowSums(build, codes, rows, cols, bytes), ref.rowSums('t2', codes, rows, cols, bytes));
      }
    });
  }

  test('packT2 rounds halves to even, clips, and makes NaN 0', () => {
    const w = Float32Array.of(
      0.5, -0.5, 0.50000006, -0.50000006, 1.5, -1.5, 3e38, -3e38, NaN, Infinity, -Infinity, -0);
    const expected = [0, 0, 1, -1, 1, -1, 1, -1, 0, 1, -1, 0];
    sameIntegers(ref.unpack('t2', pack(build, w, 1, 1, 12, 3), 1, 12, 3), expected);
  });

  test('packT2 rounds the scaled weight to f32 before it rounds to an integer', () => {
    // In f32 0.3 · (1/0.6) is exactly 0.5, which becomes 0; in f64 it is above and would become 1.
    const w = Float32Array.of(0.3), inverse = Math.fround(1 / 0.6);
    assert.ok(w[0] * inverse > 0.5 && Math.fround(w[0] * inverse) === 0.5);
    sameIntegers(pack(build, w, inverse, 1, 1, 1), [0b01010101]);
  });

  test('packT2 pads with the weight 0', () => {
    sameIntegers(pack(build, Float32Array.of(1), 1, 1, 1, 4), [0b01010110, 0x55, 0x55, 0x55]);
  });

  test.run();
}

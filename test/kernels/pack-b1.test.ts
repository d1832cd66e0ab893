import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileRowBytes, rowBytes } from '../../src/quant/layout.ts';
import * as ref from '../../src/ref/pack.ts';
import { sameBits, sameIntegers } from '../helpers/close.ts';
import { builds, isolated, place, readF32, readI32, readU8, room } from '../helpers/kernels.ts';
import type { Build } from '../helpers/kernels.ts';
import { randomF32, randomSigns } from '../helpers/random.ts';
import { COLUMNS, ROWS } from '../helpers/sizes.ts';

function meanAbs({ engine }: Build, w: Float32Array): Float32Array {
  return isolated(engine, () => {
    const from = place(engine, w), to = room(engine, 8);
    engine.kernels.meanAbsF32(from, w.length, to);
    return readF32(engine, to, 2);
  });
}

function pack(
  { engine }: Build, w: Float32Array, mean: number, rows: number, cols: number, bytes: number,
): Uint8Array {
  return isolated(engine, () => {
    const from = place(engine, w), to = room(engine, rows * bytes);
    engine.kernels.packB1(from, mean, to, rows, cols, bytes);
    return readU8(engine, to, rows * bytes);
  });
}

function expand(
  { engine }: Build, bits: Uint8Array, scale: Float32Array, cols: number, bytes: number,
): Float32Array {
  return isolated(engine, () => {
    const rows = scale.length, size = rows * cols;
    const from = place(engine, bits), by = place(engine, scale), to = room(engine, size * 4);
    engine.kernels.expandB1(from, by, to, rows, cols, bytes);
    return readF32(engine, to, size);
  });
}

function rowSums(
  { engine }: Build, bits: Uint8Array, rows: number, cols: number, bytes: number,
): Int32Array {
  return isolated(engine, () => {
    const from = place(engine, bits), to = room(engine, rows * 4);
    engine.kernels.rowSumsB1(from, to, rows, cols, bytes);
    return readI32(engine, to, rows);
  });
}

for (const build of builds) {
  const test = suite(`pack-b1 [${build.name}]`);

  for (const n of [1, 2, 3, 4, 5, 7, 8, 9, 1023, 1024, 4097]) {
    test(`meanAbsF32 of ${n} values has the bits of the reference`, () => {
      for (const scale of [1, 1e-20, 1e20]) {
        const w = randomF32(n, n, scale);
        sameBits(meanAbs(build, w), ref.meanAbsF32(w));
      }
    });
  }

  test('meanAbsF32 does not overflow where a sum in f32 would', () => {
    sameBits(meanAbs(build, new Float32Array(9).fill(-3e38)), Float32Array.of(-3e38, 3e38));
  });

  test('meanAbsF32 keeps a small mean beside large values that cancel', () => {
    const w = Float32Array.of(1e8, 1, -1e8, 1, 1e8, 1, -1e8, 1);
    sameBits(meanAbs(build, w), Float32Array.of(0.5, 5e7 + 0.5));
  });

  test('meanAbsF32 of zeros is 0, with a NaN it is NaN', () => {
    sameBits(meanAbs(build, new Float32Array(7)), Float32Array.of(0, 0));
    for (const at of [0, 5])
      sameBits(meanAbs(build, new Float32Array(6).fill(NaN, at)), Float32Array.of(NaN, NaN));
  });

  for (const cols of [...COLUMNS, 7, 8, 9]) {
    test(`packB1 equals the reference for ${cols} columns, whatever the padding`, () => {
      for (const rows of ROWS) {
        const w = randomF32(rows * cols, rows + cols);
        for (const bytes of [fileRowBytes('b1', cols), rowBytes('b1', cols)])
          sameIntegers(
            pack(build, w, 0.25, rows, cols, bytes), ref.packB1(w, 0.25, rows, cols, bytes),
            `${rows} rows, ${bytes} bytes`);
      }
    });

    test(`expandB1 and rowSumsB1 equal the reference for ${cols} columns`, () => {
      const bytes = rowBytes('b1', cols);
      for (const rows of ROWS) {
        const w = Float32Array.from(randomSigns(rows * cols, rows * cols));
        const bits = ref.packB1(w, 0, rows, cols, bytes);
        const scale = randomF32(rows, cols);
        sameBits(
          expand(build, bits, scale, cols, bytes),
          ref.expand('b1', bits, scale, rows, cols, bytes));
        sameIntegers(
          rowSums(build, bits, rows, cols, bytes), ref.rowSums('b1', bits, rows, cols, bytes));
      }
    });
  }

  test('packB1 gives a weight equal to the mean, and NaN, the bit 0', () => {
    const w = Float32Array.of(
      0.5, 0.50000006, 0.49999997, -0, NaN, Infinity, -Infinity, 1, 0.5, 2);
    assert.equal(pack(build, w, 0.5, 1, 10, 2), Uint8Array.of(0b10100010, 0b10));
    assert.equal(pack(build, Float32Array.of(0, -0, 1), 0, 1, 3, 1), Uint8Array.of(0b100));
    const equal = new Float32Array(19).fill(0.5); // in every lane and in the rest of a row
    assert.equal(pack(build, equal, 0.5, 1, 19, 3), Uint8Array.of(0, 0, 0));
  });

  test('rowSumsB1 of all +1 is K, of all −1 is −K', () => {
    const cols = 129, bytes = rowBytes('b1', cols);
    const w = new Float32Array(2 * cols).fill(1, 0, cols).fill(-1, cols);
    sameIntegers(rowSums(build, ref.packB1(w, 0, 2, cols, bytes), 2, cols, bytes), [129, -129]);
  });

  test.run();
}

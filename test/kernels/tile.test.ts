import { suite } from 'uvu';
import { fileRowBytes, paddedCols, rowBytes, tileBytes } from '../../src/quant/layout.ts';
import type { BitKind } from '../../src/quant/layout.ts';
import { packB1, packT2 } from '../../src/ref/pack.ts';
import * as ref from '../../src/ref/tile.ts';
import { sameIntegers } from '../helpers/close.ts';
import { builds, isolated, place, readU8, room } from '../helpers/kernels.ts';
import type { Build } from '../helpers/kernels.ts';
import { randomSigns, randomTernary } from '../helpers/random.ts';
import { COLUMNS, ROWS } from '../helpers/sizes.ts';

const packed = (
  kind: BitKind, w: ArrayLike<number>, rows: number, cols: number, bytes = rowBytes(kind, cols),
): Uint8Array =>
  kind === 'b1'
    ? packB1(Float32Array.from(w), 0, rows, cols, bytes)
    : packT2(Float32Array.from(w), 1, rows, cols, bytes);

function tile(
  { engine }: Build, kind: BitKind, codes: Uint8Array, rows: number, cols: number,
  bytes = rowBytes(kind, cols),
): Uint8Array {
  return isolated(engine, () => {
    const size = tileBytes(kind, rows, cols);
    const from = place(engine, codes), to = room(engine, size);
    const run = kind === 'b1' ? engine.kernels.tileB1 : engine.kernels.tileT2;
    run(from, to, rows, bytes, paddedCols(cols) / 4);
    return readU8(engine, to, size);
  });
}

/** Where the layout has the bit of (row, col) in a plane: byte of the group and bit. */
function place32(row: number, col: number): { byte: number; bit: number } {
  const within = row % 32, of16 = within % 16;
  const byte = of16 < 8 ? 2 * of16 : 2 * (of16 - 8) + 1;
  return { byte, bit: (within < 16 ? 0 : 4) + (col % 4) };
}

for (const build of builds) {
  const test = suite(`tile [${build.name}]`);

  for (const cols of COLUMNS) {
    test(`tileB1 and tileT2 equal the reference for ${cols} columns`, () => {
      const groups = paddedCols(cols) / 4;
      for (const rows of ROWS) {
        const seed = rows + cols;
        const bits = packed('b1', randomSigns(rows * cols, seed), rows, cols);
        const codes = packed('t2', randomTernary(rows * cols, seed), rows, cols);
        sameIntegers(
          tile(build, 'b1', bits, rows, cols),
          ref.tileB1(bits, rows, rowBytes('b1', cols), groups), `b1, ${rows} rows`);
        sameIntegers(
          tile(build, 't2', codes, rows, cols),
          ref.tileT2(codes, rows, rowBytes('t2', cols), groups), `t2, ${rows} rows`);
      }
    });
  }

  test('tileB1 and tileT2 of rows as in a file equal those of rows as in memory', () => {
    const rows = 33;
    for (const cols of COLUMNS)
      for (const kind of ['b1', 't2'] as const) {
        const w = randomTernary(rows * cols, cols), bytes = fileRowBytes(kind, cols);
        sameIntegers(
          tile(build, kind, packed(kind, w, rows, cols, bytes), rows, cols, bytes),
          tile(build, kind, packed(kind, w, rows, cols), rows, cols), `${kind}, ${cols} columns`);
      }
  });

  test('tileB1 has the bytes of the documented table for 32 rows of 4 columns', () => {
    // Row r holds the 4 bits of r mod 16, so each nibble names its row.
    const w = Array.from({ length: 32 * 4 }, (_, i) => ((i >> 2) & (1 << (i & 3)) ? 1 : -1));
    const expected = [
      0x00, 0x88, 0x11, 0x99, 0x22, 0xaa, 0x33, 0xbb,
      0x44, 0xcc, 0x55, 0xdd, 0x66, 0xee, 0x77, 0xff,
    ];
    const tiles = tile(build, 'b1', packed('b1', w, 32, 4), 32, 4);
    sameIntegers(tiles.subarray(0, 16), expected);
    sameIntegers(tiles.subarray(16), new Uint8Array(48)); // columns 4 … 15 do not exist
  });

  test('tileB1 and tileT2 put a single weight in one bit of the documented byte', () => {
    const rows = 40, cols = 21, groups = paddedCols(cols) / 4;
    const places = [[0, 0], [7, 3], [8, 4], [15, 20], [16, 7], [24, 5], [31, 19], [39, 1]];
    for (const [row, col] of places) {
      const { byte, bit } = place32(row, col);
      const group = Math.floor(row / 32) * groups + Math.floor(col / 4);

      const b1 = new Int8Array(rows * cols).fill(-1), ones = new Uint8Array(2 * groups * 16);
      b1[row * cols + col] = 1;
      ones[group * 16 + byte] = 1 << bit;
      sameIntegers(tile(build, 'b1', packed('b1', b1, rows, cols), rows, cols), ones);

      // All weights −1 but one: columns that do not exist are weights 0, as in packed rows.
      const t2 = new Int8Array(rows * cols).fill(-1);
      t2[row * cols + col] = 1;
      const tiles = tile(build, 't2', packed('t2', t2, rows, cols), rows, cols);
      t2[row * cols + col] = -1;
      const before = tile(build, 't2', packed('t2', t2, rows, cols), rows, cols);
      before[group * 32 + byte] ^= 1 << bit;
      before[group * 32 + 16 + byte] ^= 1 << bit;
      sameIntegers(tiles, before);
    }
  });

  test('tileT2 has the planes code ≥ 1 and code = 2', () => {
    // Columns of every row: −1, 0, 1, 0.
    const w = Array.from({ length: 32 * 16 }, (_, i) => [-1, 0, 1, 0][i & 3]);
    const tiles = tile(build, 't2', packed('t2', w, 32, 16), 32, 16);
    for (let g = 0; g < 4; g++) {
      sameIntegers(tiles.subarray(g * 32, g * 32 + 16), new Uint8Array(16).fill(0b11101110));
      sameIntegers(tiles.subarray(g * 32 + 16, g * 32 + 32), new Uint8Array(16).fill(0b01000100));
    }
  });

  test.run();
}

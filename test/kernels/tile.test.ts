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

/** A matrix of codes as the tile kernels are given it. */
interface Source {
  readonly kind: BitKind;
  readonly codes: Uint8Array;
  readonly rows: number;
  readonly cols: number;
  readonly rowBytes: number;
  /** Bytes from a block of 128 columns to the next. */
  readonly stride?: number;
}

const BLOCK_BYTES = { b1: 16, t2: 32 } as const;

function tile(
  { engine }: Build, { kind, codes, rows, cols, rowBytes: bytes, stride = BLOCK_BYTES[kind] }: Source,
): Uint8Array {
  return isolated(engine, () => {
    const size = tileBytes(kind, rows, cols);
    const from = place(engine, codes), to = room(engine, size), scratch = room(engine, 1024);
    const run = kind === 'b1' ? engine.kernels.tileB1 : engine.kernels.tileT2;
    run(from, to, scratch, rows, cols, paddedCols(cols), bytes, stride);
    return readU8(engine, to, size);
  });
}

const inMemory = (kind: BitKind, w: ArrayLike<number>, rows: number, cols: number): Source => ({
  kind, rows, cols, codes: packed(kind, w, rows, cols), rowBytes: rowBytes(kind, cols),
});

/** Where the layout has the bit of (row, col) in a plane: byte of the group of 8 columns and bit. */
function place16(row: number, col: number): { byte: number; bit: number } {
  const within = row % 16;
  return { byte: within < 8 ? 2 * within : 2 * (within - 8) + 1, bit: col % 8 };
}

for (const build of builds) {
  const test = suite(`tile [${build.name}]`);

  for (const cols of [...COLUMNS, 255, 256, 300]) {
    test(`tileB1 and tileT2 equal the reference for ${cols} columns`, () => {
      for (const rows of ROWS)
        for (const kind of ['b1', 't2'] as const) {
          const w = (kind === 'b1' ? randomSigns : randomTernary)(rows * cols, rows + cols);
          const source = inMemory(kind, w, rows, cols);
          const expected = kind === 'b1' ? ref.tileB1 : ref.tileT2;
          sameIntegers(
            tile(build, source),
            expected(source.codes, rows, cols, paddedCols(cols), source.rowBytes),
            `${kind}, ${rows} rows`);
        }
    });
  }

  test('rows as in a file give the tiles of rows as in memory, and nothing beyond them is read', () => {
    const rows = 33;
    for (const cols of COLUMNS)
      for (const kind of ['b1', 't2'] as const) {
        const w = randomTernary(rows * cols, cols), bytes = fileRowBytes(kind, cols);
        const codes = packed(kind, w, rows, cols, bytes);
        sameIntegers(
          tile(build, { kind, codes, rows, cols, rowBytes: bytes }),
          tile(build, inMemory(kind, w, rows, cols)), `${kind}, ${cols} columns`);
      }
  });

  test('blocks with something between them, as in GGUF, give the tiles of plain rows', () => {
    const rows = 18, cols = 384;
    for (const kind of ['b1', 't2'] as const) {
      const w = (kind === 'b1' ? randomSigns : randomTernary)(rows * cols, 5);
      const plain = inMemory(kind, w, rows, cols), size = BLOCK_BYTES[kind], stride = size + 2;
      const codes = new Uint8Array(rows * 3 * stride).fill(0xff);
      for (let block = 0; block < rows * 3; block++)
        codes.set(plain.codes.subarray(block * size, (block + 1) * size), block * stride);
      sameIntegers(
        tile(build, { kind, codes, rows, cols, rowBytes: 3 * stride, stride }), tile(build, plain));
    }
  });

  test('bits beyond the last column of a ragged row count for nothing', () => {
    const rows = 17, cols = 13;
    const codes = new Uint8Array(rows * 2).fill(0xff); // columns 13 … 15 are set and do not exist
    const tiles = tile(build, { kind: 'b1', codes, rows, cols, rowBytes: 2 });
    sameIntegers(tiles.subarray(16, 32), new Uint8Array(16).fill(0b00011111));
  });

  test('tileB1 has the bytes of the documented table for 16 rows of 8 columns', () => {
    // Row r holds the bits of r twice, so each byte names its row.
    const w = Array.from({ length: 16 * 8 }, (_, i) => ((i >> 3) & (1 << (i & 3)) ? 1 : -1));
    const expected = [
      0x00, 0x88, 0x11, 0x99, 0x22, 0xaa, 0x33, 0xbb,
      0x44, 0xcc, 0x55, 0xdd, 0x66, 0xee, 0x77, 0xff,
    ];
    const tiles = tile(build, inMemory('b1', w, 16, 8));
    sameIntegers(tiles.subarray(0, 16), expected);
    sameIntegers(tiles.subarray(16), new Uint8Array(16)); // columns 8 … 15 do not exist
  });

  test('tileB1 and tileT2 put a single weight in one bit of the documented byte', () => {
    const rows = 40, cols = 21, groups = paddedCols(cols) / 8;
    const places = [[0, 0], [7, 3], [8, 4], [15, 20], [16, 7], [24, 5], [31, 19], [39, 1]];
    for (const [row, col] of places) {
      const { byte, bit } = place16(row, col);
      const group = Math.floor(row / 16) * groups + Math.floor(col / 8);

      const b1 = new Int8Array(rows * cols).fill(-1), ones = new Uint8Array(3 * groups * 16);
      b1[row * cols + col] = 1;
      ones[group * 16 + byte] = 1 << bit;
      sameIntegers(tile(build, inMemory('b1', b1, rows, cols)), ones);

      // All weights −1 but one: columns that do not exist are weights 0, as in packed rows.
      const t2 = new Int8Array(rows * cols).fill(-1);
      t2[row * cols + col] = 1;
      const tiles = tile(build, inMemory('t2', t2, rows, cols));
      t2[row * cols + col] = -1;
      const before = tile(build, inMemory('t2', t2, rows, cols));
      before[group * 32 + byte] ^= 1 << bit;
      before[group * 32 + 16 + byte] ^= 1 << bit;
      sameIntegers(tiles, before);
    }
  });

  test('tileT2 has the planes code ≥ 1 and code = 2', () => {
    // Columns of every row: −1, 0, 1, 0.
    const w = Array.from({ length: 16 * 16 }, (_, i) => [-1, 0, 1, 0][i & 3]);
    const tiles = tile(build, inMemory('t2', w, 16, 16));
    for (let g = 0; g < 2; g++) {
      sameIntegers(tiles.subarray(g * 32, g * 32 + 16), new Uint8Array(16).fill(0b11101110));
      sameIntegers(tiles.subarray(g * 32 + 16, g * 32 + 32), new Uint8Array(16).fill(0b01000100));
    }
  });

  test.run();
}

/** Rows of ours as blocks of GGUF, weights written out, halves: against bytes from compiled ggml. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeF16 } from '../../src/ref/half.ts';
import { exactCodes, ternaryOfSigns, writtenOut } from '../../src/quant/exact-codes.ts';
import { decodeGgml } from '../../src/quant/ggml-decode.ts';
import { packGgml } from '../../src/quant/ggml-pack.ts';
import { packedCodes } from '../../src/quant/ggml-packed.ts';
import { halfToNumber, numberToHalf } from '../../src/quant/half.ts';
import { fileRowBytes } from '../../src/quant/layout.ts';
import { randomF32, randomSigns, randomTernary } from '../helpers/random.ts';

/** Weights and blocks that ggml makes of them. */
const ternary = (i: number): number => (((i * 7 + Math.floor(i / 5)) % 3) - 1) * 0.5;
const signs = (i: number): number => ((i * 5 + Math.floor(i / 3)) % 7 < 3 ? 0.25 : -0.25);
const GOLDEN = [
  ['Q1_0', 'b1', 128, signs, '003499193133236666c4cc8c989911333362'],
  ['Q2_0', 't2', 64, ternary, '003824914412492491441249249144124924'],
  ['TQ2_0', 't2', 256, ternary, '5881166005588116600558811660055881166005588116600558811660055881' +
    '60055881166005588116600558811660055881166005588116600558811660050038'],
] as const;

const test = suite('packing for GGUF');

for (const [type, kind, count, weight, hex] of GOLDEN)
  test(`${type} has the bytes that ggml gives`, () => {
    const values = Float32Array.from({ length: count }, (_, i) => weight(i));
    const { codes, scale } = exactCodes(kind, values, 1, count)!;
    const bytes = packGgml(type, codes, numberToHalf(scale));
    assert.equal(decodeGgml(type, bytes), values);
    assert.equal(packedCodes(type, bytes), codes);
    assert.is(Buffer.from(bytes).toString('hex'), hex);
  });

test('weights that are written out are found again, others are not', () => {
  for (const [rows, cols] of [[1, 1], [3, 7], [4, 36], [5, 130]]) {
    for (const kind of ['b1', 't2'] as const) {
      const weights = (kind === 'b1' ? randomSigns : randomTernary)(rows * cols, cols);
      weights[0] = 1;
      const values = Float32Array.from(weights, (weight) => weight * 0.3);
      const found = exactCodes(kind, values, rows, cols)!;
      assert.is(found.codes.length, rows * fileRowBytes(kind, cols));
      assert.equal(writtenOut(kind, found, rows, cols), values);
      if (kind === 'b1')
        assert.equal(ternaryOfSigns(found.codes, rows, cols), exactCodes('t2', values, rows, cols)!.codes);
      values[rows * cols - 1] = 0.1;
      if (rows * cols > 1) assert.is(exactCodes(kind, values, rows, cols), undefined);
    }
  }
  assert.is(exactCodes('b1', Float32Array.of(1, 0), 1, 2), undefined);
  assert.is(exactCodes('b1', Float32Array.of(0, 0), 1, 2), undefined);
  assert.is(exactCodes('t2', Float32Array.of(0, 0), 1, 2)!.scale, 0);
});

test('the nearest half is that of the definition', () => {
  const special = [0, -0, 1, -2, 65_504, 65_519.99, 65_520, -1e9, Infinity, 2 ** -14, 2 ** -24, 2 ** -25,
    1.5 * 2 ** -24, 2.5 * 2 ** -24, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 6.1e-5];
  const random = [[1, 1], [2, 1e-5], [3, 2e4]].flatMap(([seed, scale]) => [...randomF32(4000, seed, scale)]);
  for (const x of [...special, ...random])
    assert.is(numberToHalf(x), encodeF16(Math.fround(x)), String(x));
  for (let half = 0; half < 0x7c00; half++) assert.is(numberToHalf(halfToNumber(half)), half);
  assert.ok(Number.isNaN(halfToNumber(numberToHalf(NaN))));
});

test.run();

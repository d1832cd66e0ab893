/** Ternary weights as transformers packs them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packHf, unpackHf } from '../../src/quant/hf-packed.ts';
import { randomTernary } from '../helpers/random.ts';

const test = suite('packed weights of transformers');

/** t2 rows of whole bytes, codes in order, padded with 1. */
function codesOf(weights: Int8Array, rows: number, cols: number): Uint8Array {
  const bytes = Math.ceil(cols / 4), out = new Uint8Array(rows * bytes).fill(0x55);
  weights.forEach((weight, i) => {
    const c = i % cols, at = Math.floor(i / cols) * bytes + (c >> 2), up = 2 * (c & 3);
    out[at] = out[at] & ~(3 << up) | (weight + 1) << up;
  });
  return out;
}

test('a known matrix has the known bytes', () => {
  const weights = Int8Array.from({ length: 32 }, (_, i) => ((i * 7 + Math.floor(i / 5)) % 3) - 1);
  const packed = Uint8Array.of(80, 37, 66, 148, 9, 80, 37, 66);
  assert.equal(packHf(codesOf(weights, 8, 4), 8, 4), packed);
  assert.equal(unpackHf(packed, 8, 4), codesOf(weights, 8, 4));
});

test('what is packed is unpacked again, whatever the width', () => {
  for (const [rows, cols] of [[4, 1], [8, 6], [12, 7], [16, 36], [20, 129]]) {
    const codes = codesOf(randomTernary(rows * cols, cols), rows, cols);
    assert.equal(unpackHf(packHf(codes, rows, cols), rows, cols), codes, `${rows} × ${cols}`);
  }
});

test('a code 3 is passed on, for the reader to refuse', () => {
  assert.equal(unpackHf(Uint8Array.of(0b11_01_01_01), 4, 1), Uint8Array.of(0x55, 0x55, 0x55, 0x57));
});

test.run();

/**
 * Decoders of GGUF's element types against bytes that ggml itself wrote.
 *
 *   t[i] = (((i·7 + i/5) mod 3) − 1) / 2       b[i] = +¼ if ((i·5 + i/3) mod 7) < 3, else −¼
 *   x[i] = (((i·37) mod 64) − 31) / 10         divisions of whole numbers round down
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeGgml } from '../../src/quant/ggml-decode.ts';
import type { PackedType } from '../../src/quant/ggml-packed.ts';
import { invalidCode, packedCodes, packedKind, packedScales } from '../../src/quant/ggml-packed.ts';
import type { GgmlType } from '../../src/quant/ggml-types.ts';
import { GGML_FORMATS, ggmlBytes } from '../../src/quant/ggml-types.ts';
import { halfToNumber } from '../../src/quant/half.ts';
import { decodeF16 } from '../../src/ref/half.ts';

const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g)!, (digits) => parseInt(digits, 16));
const values = (n: number, f: (i: number) => number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => f(i));

const ternary = (i: number): number => (((i * 7 + Math.floor(i / 5)) % 3) - 1) / 2;
const binary = (i: number): number => ((i * 5 + Math.floor(i / 3)) % 7 < 3 ? 0.25 : -0.25);
const ramp = (i: number): number => (((i * 37) % 64) - 31) / 10;

const HALF = '0038';
const PQ2_0 = '2491441249249144124924914412492491441249249144124924914412492491';
const I2_S = '2542940950254294095025429409502542940950254294095025429409502542';

/** Exact: what the bytes stand for is the input itself. */
const EXACT: [GgmlType, string, (i: number) => number][] = [
  ['Q1_0', '003499193133236666c4cc8c989911333362', binary],
  ['Q2_0', '003824914412492491441249249144124924', ternary],
  ['TQ1_0', '465dd11874465dd11874465dd11874465dd11874465dd11874465dd11874465d' +
    '3192b622663192b622663192b6226631235fcb430038', ternary],
  ['TQ2_0', '5881166005588116600558811660055881166005588116600558811660055881' +
    '60055881166005588116600558811660055881166005588116600558811660050038', ternary],
  ['PQ2_0', HALF + PQ2_0, ternary],
  ['PTQ1_0', `3192b622663192b622663192b62266310f85af2d900f85af465c${HALF}`, ternary],
  ['I2_S', I2_S, (i) => Math.sign(ternary(i))],
];

const test = suite('decodeGgml');

for (const [type, bytes, input] of EXACT)
  test(`${type} bytes that ggml wrote are the values it was given`, () => {
    const { elements } = GGML_FORMATS[type];
    const expected = values(elements, (i) => input(i) + 0);
    assert.equal(decodeGgml(type, hex(bytes)).map((v) => v + 0), expected);
  });

test('Q8_0 and Q4_0 are within half a step of the input', () => {
  const q8 = decodeGgml('Q8_0', hex('73268518ad40d467fc9124b94be073089d30c457ec7f14a93cd063f88d20b547dc6f'));
  const q4 = decodeGgml('Q4_0', hex('66b6cf379d047be248bf269df36ad148ae15'));
  const d8 = halfToNumber(0x2673), d4 = halfToNumber(0xb666);
  for (let i = 0; i < 32; i++) {
    assert.ok(Math.abs(q8[i] - ramp(i)) <= d8 / 2 + 1e-3, `Q8_0 ${i}: ${q8[i]}`);
    assert.ok(Math.abs(q4[i] - ramp(i)) <= Math.abs(d4) / 2 + 1e-3 || ramp(i) < -7 * Math.abs(d4),
      `Q4_0 ${i}: ${q4[i]}`);
  }
  assert.is(q8[0], Math.fround(d8 * -123));
});

test('Q4_K takes its 6-bit scales and minima from all twelve bytes', () => {
  const bytes = new Uint8Array(144);
  bytes.set([0, 0x3c, 0, 0x38], 0); // d = 1, dmin = ½
  // Sub-blocks 0 … 3: scale 1 … 4, minimum 0; sub-block 4: scale 0x25, minimum 0x1a; rest 0.
  bytes.set([1 | 0x80, 2, 3, 4, 0x40, 0, 0, 0, 0xa5, 0, 0, 0], 4);
  for (let i = 0; i < 128; i++) bytes[16 + i] = 0x21;
  const out = decodeGgml('Q4_K', bytes);
  assert.equal([out[0], out[32], out[64], out[96]], [1, 4, 3, 8]);
  assert.equal([out[128], out[160]], [0x25 - 0x1a / 2, 0]);
});

test('Q6_K puts low and high bits, scales and d together', () => {
  const bytes = new Uint8Array(210);
  bytes[208] = 0, bytes[209] = 0x3c;
  for (let i = 0; i < 16; i++) bytes[192 + i] = i === 15 ? 0xff : i + 1; // i8: the last is −1
  bytes[0] = 0x5a, bytes[128] = 0b11_10_01_00; // columns 0 and 64: low 10 and 5, high bits 0 and 2
  const out = decodeGgml('Q6_K', bytes);
  const expected = [10 - 32, (5 + 32 - 32) * 5, (16 - 32) * 3, (48 - 32) * 7];
  assert.equal([out[0], out[64], out[32], out[96]], expected);
  assert.is(out[255], 32);
});

test('F32, F16 and BF16 are the numbers', () => {
  assert.equal([...decodeGgml('F32', hex('0000803f000000c0'))], [1, -2]);
  assert.equal([...decodeGgml('F16', hex('003c00c0010000fc'))], [1, -2, 2 ** -24, -Infinity]);
  assert.equal([...decodeGgml('BF16', hex('803f00c0'))], [1, -2]);
});

test('I2_S is scaled by the tensor', () => {
  assert.equal(decodeGgml('I2_S', hex(I2_S), 0.5).map((v) => v + 0), values(128, (i) => ternary(i) + 0));
});

test('every half is the number of the reference', () => {
  for (let h = 0; h < 65_536; h++) assert.ok(Object.is(halfToNumber(h), decodeF16(h)), `${h}`);
});

test.run();

const packed = suite('packedCodes');

packed('rows of codes are least significant first, scales the bits of the file', () => {
  assert.equal(packedCodes('Q1_0', hex(EXACT[0][1])), hex(EXACT[0][1]).subarray(2));
  for (const [type, bytes] of EXACT.slice(2) as unknown as [PackedType, string][]) {
    const codes = packedCodes(type, hex(bytes));
    for (let i = 0; i < codes.length * 4; i++)
      assert.is((codes[i >> 2] >> (2 * (i & 3))) & 3, Math.sign(ternary(i)) + 1, `${type} ${i}`);
    assert.equal([...packedScales(type, hex(bytes))], type === 'I2_S' ? [] : [0x3800]);
  }
});

packed('a code 3, and a byte that no five trits give, are found', () => {
  const tq2 = hex(EXACT[3][1]);
  assert.is(invalidCode('t2', packedCodes('TQ2_0', tq2)), -1);
  tq2[33] |= 3; // column 128 + 1
  assert.is(invalidCode('t2', packedCodes('TQ2_0', tq2)), 32);
  const tq1 = hex(EXACT[2][1]);
  assert.is(invalidCode('t2', packedCodes('TQ1_0', tq1)), -1);
  tq1[0] = 1; // 00000 is byte 0, 00001 byte 2
  assert.is.not(invalidCode('t2', packedCodes('TQ1_0', tq1)), -1);
  assert.is(invalidCode('b1', Uint8Array.of(255)), -1);
});

packed('every five trits have a byte, and it gives them back', () => {
  for (let v = 0; v < 243; v++) {
    const byte = Math.floor((v * 256 + 242) / 243), bytes = new Uint8Array(54);
    bytes[0] = byte;
    const codes = packedCodes('TQ1_0', bytes);
    const trits = [0, 1, 2, 3, 4].map((n) => (codes[n * 8] & 3));
    assert.is(trits.reduce((sum, t) => sum * 3 + t, 0), v);
  }
  assert.is(packedKind('Q1_0_G32'), 'b1');
});

packed('sizes are those of whole blocks, with the tail of I2_S', () => {
  assert.is(ggmlBytes('I2_S', 256), 96);
  assert.is(ggmlBytes('TQ2_0', 512), 132);
  assert.ok(Number.isNaN(ggmlBytes('TQ2_0', 255)));
});

packed.run();

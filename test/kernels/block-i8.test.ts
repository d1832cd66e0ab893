/** Products with a weight scale per block: every variant gives the bits of the reference. */
import { suite } from 'uvu';
import type { BitKind } from '../../src/quant/layout.ts';
import * as ref from '../../src/ref/bit-gemm.ts';
import type { BlockOperands } from '../../src/ref/bit-gemm.ts';
import { sameBits } from '../helpers/close.ts';
import { builds } from '../helpers/kernels.ts';
import { blockProduct } from '../helpers/products.ts';
import { randomF32, randomI8, randomSigns, randomTernary } from '../helpers/random.ts';
import { ROWS } from '../helpers/sizes.ts';

/** Blocks of 128, 64 and 16 columns as one part, of 128 as four parts, and the largest part. */
const BLOCKS = {
  b1: [[128, 1], [64, 1], [16, 1], [32, 4], [256, 1]],
  t2: [[128, 1], [64, 1], [16, 1], [32, 4], [128, 2]],
};

/** Rounded to 11 significant bits: exact as f16. */
const asHalf = (values: Float32Array): Float32Array => values.map((value) => {
  const [bits] = new Uint32Array(Float32Array.of(value).buffer);
  return new Float32Array(Uint32Array.of(bits & 0xffffe000).buffer)[0];
});

function operandsOf(
  kind: BitKind, m: number, n: number, kp: number, part: number, parts: number, bits = 8,
): BlockOperands {
  const half = 2 ** (bits - 1), seed = n + kp + part;
  return {
    q: randomI8(m * kp, seed, -half, half - 1), part, parts,
    weights: (kind === 'b1' ? randomSigns : randomTernary)(n * kp, seed + 1),
    xScales: randomF32((m * kp) / part, seed + 2).map((v) => Math.abs(v) + 0.01),
    scales: asHalf(randomF32((n * kp) / (part * parts), seed + 3).map((v) => v + 0.5)),
  };
}

for (const build of builds) {
  const test = suite(`block-i8 [${build.name}]`);

  for (const kind of ['b1', 't2'] as const)
    for (const [part, parts] of BLOCKS[kind]) {
      const shape = `${kind}, ${parts} × ${part} columns a scale`;

      test(`${shape}: lookup and popcount have the bits of the reference`, () => {
        for (const n of ROWS)
          for (const [m, blocks] of [[1, 1], [2, 3], [3, 9]]) {
            const kp = blocks * part * parts, operands = operandsOf(kind, m, n, kp, part, parts);
            const expected = ref.gemmBlockI8(operands, m, n, kp);
            const label = `${m} × ${n} × ${kp}`;
            sameBits(blockProduct(build, kind, 'lookup', operands, m, n, kp), expected, label);
            sameBits(blockProduct(build, kind, 8, operands, m, n, kp), expected, label);
          }
      });
    }

  test('popcount of fewer bits has the bits of the reference', () => {
    for (const kind of ['b1', 't2'] as const)
      for (const bits of [2, 3, 5]) {
        const operands = operandsOf(kind, 2, 33, 512, 128, 1, bits);
        sameBits(
          blockProduct(build, kind, bits, operands, 2, 33, 512), ref.gemmBlockI8(operands, 2, 33, 512));
      }
  });

  test('no counter wraps with extreme codes over more than one chunk', () => {
    const n = 33, kp = 2304; // two chunks of 1,024 columns, and one of 256
    for (const code of [127, -128])
      for (const sign of [1, -1])
        for (const kind of ['b1', 't2'] as const)
          for (const [part, parts] of BLOCKS[kind]) {
            const operands = {
              ...operandsOf(kind, 1, n, kp, part, parts),
              q: new Int8Array(kp).fill(code), weights: new Int8Array(n * kp).fill(sign),
            };
            const expected = ref.gemmBlockI8(operands, 1, n, kp);
            sameBits(blockProduct(build, kind, 'lookup', operands, 1, n, kp), expected, `${kind} ${code}`);
            sameBits(blockProduct(build, kind, 8, operands, 1, n, kp), expected, `${kind} ${code}`);
          }
  });

  test('scales are read as f16, negative and subnormal ones too', () => {
    const operands = operandsOf('b1', 1, 16, 128, 128, 1);
    const scales = operands.scales.map((_, i) =>
      (i < 8 ? 65504 / 2 ** i : (2 * i + 1) * 2 ** (i - 32)) * (i & 1 ? -1 : 1));
    const own = { ...operands, scales };
    sameBits(blockProduct(build, 'b1', 'lookup', own, 1, 16, 128), ref.gemmBlockI8(own, 1, 16, 128));
  });

  test.run();
}

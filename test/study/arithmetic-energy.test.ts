/** The paper's energy of arithmetic: the cells of its Table 1 at 7 nm for FP16 and BitNet. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Preset } from '../../src/model/config.ts';
import { presetConfig } from '../../src/model/config.ts';
import { arithmeticEnergy } from '../../src/study/arithmetic-energy.ts';

const test = suite('arithmeticEnergy');

/**
 * Width, layers, heads; MUL and ADD in joules for 512 tokens: 16-bit, BitNet. The paper prints 0.04
 * and 0.14 where BitNet's additions give 0.0341 and 0.1349.
 */
const TABLE = [
  ['6.7B', 4096, 32, 32, [1.14, 0.54], [0.02, 0.0341]],
  ['13B', 5120, 40, 40, [2.23, 1.05], [0.04, 0.06]],
  ['30B', 7168, 48, 56, [5.21, 2.45], [0.06, 0.1349]],
] as const;

for (const [name, width, layers, heads, float, bitnet] of TABLE)
  test(`${name}: gives the cells of Table 1 at 7 nm`, () => {
    for (const [preset, [mul, add]] of [['transformer', float], ['bitnet', bitnet]] as const) {
      const size = { vocabSize: 16_000, layers, heads, width, context: 512 };
      const config = presetConfig(preset as Preset, size);
      const got = arithmeticEnergy(config, 512);
      for (const [value, printed] of [[got.mul, mul], [got.add, add]])
        assert.ok(Math.abs(value - printed) <= 0.005 + 1e-9,
          `${preset}: ${value}, printed ${printed}`);
    }
  });

test('attention grows with the square of the length, the rest with the length', () => {
  const config = presetConfig('bitnet', { vocabSize: 64, layers: 2, heads: 2, width: 32, context: 64 });
  const [one, two, four] = [1, 2, 4].map((tokens) => arithmeticEnergy(config, tokens).add);
  assert.ok(Math.abs((four - 2 * two) / (two - 2 * one) - 4) < 1e-9);
});

test.run();

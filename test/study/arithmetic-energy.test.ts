/** The paper's energy of arithmetic: its Table 1, and how the counts grow. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { presetConfig } from '../../src/model/config.ts';
import { arithmeticEnergy, operationCounts } from '../../src/study/arithmetic-energy.ts';
import { energyCells } from '../../src/study/energy.ts';

const test = suite('arithmeticEnergy');
const size = { vocabSize: 64, layers: 2, heads: 2, width: 32, context: 64 };

test('gives 34 of the 36 cells of Table 1 to two decimals; the other two are rounded up there', () => {
  const cells = energyCells(), misses = cells.filter(({ equal }) => !equal);
  assert.is(cells.length, 36);
  assert.equal(misses.map(({ model, precision, node, operation, paper }) =>
    [model, precision, node, operation, paper]), [
    ['6.7B', 'BitNet', '7 nm', 'additions', 0.04], ['30B', 'BitNet', '7 nm', 'additions', 0.14]]);
  assert.equal(misses.map(({ ours }) => ours.toFixed(4)), ['0.0341', '0.1349']);
});

test('counts of a plain network are 12·C²·L·T, 2·T²·C·L and 18·C·L·T', () => {
  assert.equal(operationCounts(presetConfig('bitnet', size), 64), {
    linear: 12 * 32 * 32 * 2 * 64, attention: 2 * 64 * 64 * 32 * 2, scales: 18 * 32 * 2 * 64 });
});

test('BitNet multiplies for attention and scales alone, and adds integers in the projections', () => {
  const { linear, attention, scales } = operationCounts(presetConfig('bitnet', size), 64);
  const { add, mul } = arithmeticEnergy(presetConfig('bitnet', size), 64, '45 nm');
  const near = (got: number, picojoules: number): void =>
    assert.ok(Math.abs(got / (picojoules * 1e-12) - 1) < 1e-12, `${got}, ${picojoules} pJ`);
  near(mul, (attention + scales) * 1.1);
  near(add, linear * 0.03 + attention * 0.4);
});

test('attention grows with the square of the length, the rest with the length', () => {
  const config = presetConfig('bitnet', size);
  const [one, two, four] = [1, 2, 4].map((tokens) => arithmeticEnergy(config, tokens).add);
  assert.ok(Math.abs((four - 2 * two) / (two - 2 * one) - 4) < 1e-9);
});

test('float16 takes less than float32, and 7 nm less than 45 nm', () => {
  const config = presetConfig('transformer', size);
  const total = (...rest: ['7 nm' | '45 nm', 'fp32' | 'fp16']): number => {
    const { add, mul } = arithmeticEnergy(config, 64, ...rest);
    return add + mul;
  };
  assert.ok(total('7 nm', 'fp16') < total('7 nm', 'fp32'));
  assert.ok(total('7 nm', 'fp32') < total('45 nm', 'fp32'));
});

test.run();

/** Work of a token: counted by hand at a small size, timed with a clock of the test. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { presetConfig } from '../../src/model/config.ts';
import { timeTable, tokenTime } from '../../src/study/token-time.ts';
import { tokenWork, workTable } from '../../src/study/token-work.ts';
import { throwsA } from '../helpers/throws.ts';
import { newEngine, randomModel } from '../helpers/tiny-model.ts';

const SIZE = { vocabSize: 8, layers: 1, heads: 1, width: 16, context: 4 };
const test = suite('tokenWork');

test('by hand: a bit a weight, panels of floats, keys and values', () => {
  const bitnet = tokenWork(presetConfig('bitnet', SIZE), 2);
  assert.is(bitnet.integerOperations, 12 * 16 * 16);
  assert.is(bitnet.floatOperations, 8 * 16 + 2 * 16 * 3);
  const gains = 3 * 16 + 16 + 64; // two norms and the last one; sub-norms of width and 4·width
  assert.is(bitnet.weightBytes, (12 * 16 * 16) / 8 + 8 * 16 * 4 + gains * 4);
  assert.is(bitnet.cacheBytes, 2 * 16 * 4 * 4);
  const float = tokenWork(presetConfig('transformer', SIZE), 2);
  assert.is(float.integerOperations, 0);
  assert.is(float.floatOperations, bitnet.floatOperations + 12 * 16 * 16);
  assert.is(float.weightBytes, 12 * 16 * 16 * 4 + 8 * 16 * 4 + 48 * 4);
  throwsA(() => tokenWork(presetConfig('bitnet', SIZE), 4), RangeError, '"position"');
});

test('time is the median of the tokens, by the clock that is given', () => {
  const { model } = randomModel(presetConfig('bitnet', SIZE));
  const readings = [0, 9, 10, 12, 20, 25]; // 9, 2 and 5
  assert.is(tokenTime(model, 3, () => readings.shift()!), 5);
  model.dispose();
});

test('the table of times has every preset, the float one first, and gives its memory back', () => {
  const engine = newEngine(), before = engine.heap.usedBytes;
  let at = 0;
  const { rows } = timeTable(engine, () => at++, [SIZE]); // every token takes 1
  assert.equal(rows.map(([model, , , time, over]) => [model, time, over]), [
    ['transformer, 1 layers of 16', 1, 1], ['bitnet, 1 layers of 16', 1, 1],
    ['bitnet-b1.58, 1 layers of 16', 1, 1]]);
  assert.is(engine.heap.usedBytes, before);
});

test('a large 1-bit model reads a fraction of the bytes of a float one', () => {
  const read = (name: string): number =>
    workTable().rows.find(([model]) => model === `${name}, 24 layers of 2048`)![4] as number;
  assert.ok(read('bitnet') < 0.1 * read('transformer'), `${read('bitnet')} ${read('transformer')}`);
});

test.run();

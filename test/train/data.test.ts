// Data: the split of the text, batches of windows, and what tells data sets apart.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TrainingError } from '../../src/errors.ts';
import { Rng } from '../../src/rng.ts';
import {
  TRAIN_SHARE, checkDataset, datasetDigest, drawBatch, splitText,
} from '../../src/train/data.ts';

const range = (n: number): Uint32Array => Uint32Array.from({ length: n }, (_, i) => i);

const split = suite('splitText');

split('gives the first 90 % and the rest', () => {
  assert.is(TRAIN_SHARE, 0.9);
  assert.equal(splitText('0123456789'), { train: '012345678', validation: '9' });
  const text = 'ab'.repeat(505);
  const { train, validation } = splitText(text);
  assert.is(train.length, 909);
  assert.is(train + validation, text);
});

split('never cuts a surrogate pair, wherever it lies', () => {
  for (let at = 0; at <= 18; at++) {
    const text = 'x'.repeat(at) + '😀' + 'y'.repeat(18 - at); // 20 units: the cut is at 18
    const { train, validation } = splitText(text);
    assert.is(train + validation, text);
    assert.not.match(train, /[\ud800-\udbff]$/, `pair at ${at}`);
    assert.is(train.length, at === 17 ? 19 : 18);
  }
});

split('gives two empty parts of no text', () => {
  assert.equal(splitText(''), { train: '', validation: '' });
});

split.run();

const draw = suite('drawBatch');

draw('draws windows of the tokens, targets one further on', () => {
  const { ids, targets } = drawBatch(range(100), 7, 9, new Rng(1));
  assert.is(ids.length, 63);
  assert.is(targets.length, 63);
  for (let b = 0; b < 7; b++)
    for (let t = 0; t < 9; t++) {
      assert.is(ids[b * 9 + t], ids[b * 9] + t);
      assert.is(targets[b * 9 + t], ids[b * 9] + t + 1);
    }
});

draw('reaches the first and the last window and never beyond', () => {
  const starts = new Set<number>(), rng = new Rng(2);
  for (let i = 0; i < 200; i++) {
    const { ids, targets } = drawBatch(range(12), 3, 5, rng);
    for (const b of [0, 1, 2]) starts.add(ids[b * 5]);
    assert.ok(targets.every((target) => target >= 1 && target <= 11));
  }
  assert.equal([...starts].sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6]);
});

draw('takes the only window of a text of one context and its next token', () => {
  const { ids, targets } = drawBatch(range(6), 2, 5, new Rng(3));
  assert.equal([...ids], [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]);
  assert.equal([...targets], [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]);
});

draw('gives the same batches for the same generator', () => {
  const [a, b] = [4, 4].map((seed) => drawBatch(range(1000), 4, 8, new Rng(seed)));
  assert.equal(a, b);
  assert.not.equal(drawBatch(range(1000), 4, 8, new Rng(5)), a);
});

draw.run();

const digest = suite('datasetDigest');
const base = { train: range(50), validation: range(20) };

digest('is 8 digits and the numbers of tokens', () => {
  assert.match(datasetDigest(base), /^[0-9a-f]{8}-50-20$/);
  assert.is(datasetDigest({ train: range(50), validation: range(20) }), datasetDigest(base));
});

digest('changes with any one token of either part', () => {
  const seen = new Set([datasetDigest(base)]);
  for (const part of ['train', 'validation'] as const)
    for (let i = 0; i < base[part].length; i++)
      seen.add(datasetDigest({ ...base, [part]: base[part].with(i, 1000) }));
  assert.is(seen.size, 71);
});

digest('changes where a token moves from one part to the other', () => {
  const all = range(70);
  assert.not.equal(
    datasetDigest({ train: all.slice(0, 51), validation: all.slice(51) }),
    datasetDigest({ train: all.slice(0, 50), validation: all.slice(50) }));
});

digest('reads a part of a larger array as it reads a copy', () => {
  const larger = range(60);
  assert.is(
    datasetDigest({ train: larger.subarray(5, 30), validation: larger.subarray(30) }),
    datasetDigest({ train: larger.slice(5, 30), validation: larger.slice(30) }));
});

digest.run();

const check = suite('checkDataset');

check('returns parts that hold one context and its next token', () => {
  const dataset = { train: range(6), validation: range(6) };
  assert.is(checkDataset(dataset, 5), dataset);
});

for (const part of ['train', 'validation'] as const)
  check(`refuses a ${part} part that is one token shorter`, () => {
    const dataset = { train: range(6), validation: range(6), [part]: range(5) };
    try {
      checkDataset(dataset, 5);
      assert.unreachable();
    } catch (error) {
      assert.instance(error, TrainingError);
      const { code, field, expected, actual } = error as TrainingError;
      assert.equal({ code, field, expected, actual },
        { code: 'BAD_DATA', field: part, expected: 6, actual: 5 });
    }
  });

check.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Rng } from '../../src/rng.ts';
import { PairHeap } from '../../src/tokenizer/heap.ts';

const test = suite('PairHeap');

const drain = (heap: PairHeap): [number, number][] => {
  const pairs: [number, number][] = [];
  for (; heap.size > 0; heap.pop()) pairs.push([heap.first, heap.second]);
  return pairs;
};

for (const size of [0, 1, 2, 3, 4, 7, 8, 9, 500]) {
  test(`gives ${size} pairs back in order of first, then second`, () => {
    const rng = new Rng(size);
    const heap = new PairHeap();
    const pairs = Array.from({ length: size }, () => [rng.nextBelow(9) - 4, rng.nextBelow(99)]);
    for (const [first, second] of pairs) heap.push(first, second);
    assert.equal(drain(heap), pairs.sort((a, b) => a[0] - b[0] || a[1] - b[1]));
  });
}

test('stays in order when pushes and pops alternate', () => {
  const rng = new Rng(1);
  const heap = new PairHeap();
  const model: number[] = [];
  for (let i = 0; i < 2000; i++) {
    if (model.length > 0 && rng.nextBelow(5) < 2) {
      model.sort((a, b) => a - b);
      assert.is(heap.first * 8 + heap.second, model.shift());
      heap.pop();
    } else {
      const value = rng.nextBelow(1000);
      heap.push(value >> 3, value & 7);
      model.push(value);
    }
    assert.is(heap.size, model.length);
  }
});

test.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Rng } from '../../src/rng.ts';
import { trainBpe } from '../../src/tokenizer/bpe.ts';
import { MergeTable, mergeWord } from '../../src/tokenizer/bpe-merge.ts';
import { tokenizerFromJson } from '../../src/tokenizer/tokenizer.ts';
import type { Tokenizer } from '../../src/tokenizer/types.ts';
import { GOLDEN, TRAINING_TEXT } from './golden.ts';

interface Saved {
  vocab: Record<string, number>;
  merges: [string, string][];
}

const modelOf = (tokenizer: Tokenizer): Saved => JSON.parse(tokenizer.toJson()).model;
const mergesOf = (tokenizer: Tokenizer): string[] =>
  modelOf(tokenizer).merges.map(([left, right]) => `${left} ${right}`);

/** Random text of few letters: pairs overlap and tie often. */
const randomText = (rng: Rng, letters: string, length: number): string => {
  let text = '';
  for (let i = 0; i < length; i++) text += letters[rng.nextBelow(letters.length)];
  return text;
};

/** Merges by the definition: count all pairs anew before each merge. ASCII letters and spaces. */
const referenceMerges = (text: string, count: number): string[] => {
  const words = (text.match(/ ?[a-z]+|\s+(?!\S)|\s+/g) ?? [])
    .map((word) => [...word].map((c) => (c === ' ' ? 'Ġ' : c)));
  const ids = new Map(Object.entries(modelOf(trainBpe('', { vocabSize: 256 })).vocab));
  const merges: string[] = [];
  while (merges.length < count) {
    const counts = new Map<string, number>();
    for (const word of words)
      for (let i = 1; i < word.length; i++) {
        const pair = `${word[i - 1]} ${word[i]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    const order = (pair: string) => pair.split(' ').map((name) => ids.get(name)!);
    const [best] = [...counts].filter(([, n]) => n >= 2).sort(([p, n], [q, m]) =>
      m - n || order(p)[0] - order(q)[0] || order(p)[1] - order(q)[1]);
    if (best === undefined) break;
    const [left, right] = best[0].split(' ');
    merges.push(best[0]);
    ids.set(left + right, ids.size);
    for (const word of words)
      for (let i = 0; i + 1 < word.length; i++)
        if (word[i] === left && word[i + 1] === right) word.splice(i, 2, left + right);
  }
  return merges;
};

const training = suite('trainBpe');

training('merges as worked out by hand', () => {
  // Words: low ×1, Ġlow ×2, Ġlower ×2. lo 5 = ow 5, l has the lower id; then lo+w 5; Ġ+low 4;
  // er 2 = Ġlow+e 2, e has the lower id; Ġlow+er 2; then nothing occurs twice.
  const tokenizer = trainBpe('low low lower low lower', { vocabSize: 1000 });
  assert.equal(mergesOf(tokenizer), ['l o', 'lo w', 'Ġ low', 'e r', 'Ġlow er']);
  assert.is(tokenizer.vocabSize, 261);
  assert.equal(tokenizer.encode('low lower'), Uint32Array.of(257, 260));
});

training('gives the ids of the bytes first, in order of their printable names', () => {
  const tokenizer = trainBpe('', { vocabSize: 256 });
  assert.is(tokenizer.vocabSize, 256);
  assert.equal(tokenizer.encode('!~ \n'), Uint32Array.of(0, 93, 220, 198));
});

training('stops at the size asked for', () => {
  assert.is(trainBpe('low low lower low lower', { vocabSize: 258 }).vocabSize, 258);
  const tokenizer = trainBpe('low low low', { vocabSize: 258 });
  assert.is(tokenizer.encode('low').length, 1);
  assert.is(tokenizer.decode(tokenizer.encode('slow')), 'slow');
});

training('merges overlapping runs from the left', () => {
  const tokenizer = trainBpe('aaaaa', { vocabSize: 257 });
  assert.equal(mergesOf(tokenizer), ['a a']);
  assert.equal(tokenizer.encode('aaaaa'), Uint32Array.of(256, 256, 64));
});

for (const letters of ['a', 'ab', 'ab ', 'abc ', 'aabcdefgh ']) {
  training(`equals counting anew before each merge, for texts of "${letters}"`, () => {
    const rng = new Rng(letters.length);
    for (const length of [2, 3, 7, 40, 150, 400]) {
      const text = randomText(rng, letters, length);
      const tokenizer = trainBpe(text, { vocabSize: 316 });
      assert.equal(mergesOf(tokenizer), referenceMerges(text, 60));
      assert.is(Object.keys(modelOf(tokenizer).vocab).length, tokenizer.vocabSize);
    }
  });
}

training('gives the same JSON for the same text', () => {
  const train = () => trainBpe(TRAINING_TEXT, { vocabSize: 300 }).toJson();
  assert.is(train(), train());
});

training('learns "constructor" and digits as tokens and changes no prototype', () => {
  const tokenizer = trainBpe('constructor constructor __proto__ __proto__ 11 11', {
    vocabSize: 400,
  });
  const again = tokenizerFromJson(tokenizer.toJson());
  assert.is(tokenizer.encode('constructor').length, 1);
  assert.is(tokenizer.encode('11').length, 1);
  assert.equal(again.encode('__proto__ 11'), tokenizer.encode('__proto__ 11'));
  assert.equal(Object.keys(Object.prototype), []);
});

training('refuses a wrong text or size', () => {
  const bad: [unknown, unknown, typeof Error][] = [
    [1, { vocabSize: 300 }, TypeError],
    ['a', { vocabSize: '300' }, TypeError],
    ['a', undefined, TypeError],
    ['a', { vocabSize: 255 }, RangeError],
    ['a', { vocabSize: 300.5 }, RangeError],
    ['a', { vocabSize: 2 ** 20 + 1 }, RangeError],
  ];
  for (const [text, options, type] of bad)
    assert.throws(() => trainBpe(text as string, options as { vocabSize: number }),
      (error: Error) => error instanceof type && /^trainBpe: "/.test(error.message));
});

training.run();

const merging = suite('mergeWord');

merging('merges the pair of its example', () => {
  const table = new MergeTable([{ left: 0, right: 1, merged: 2 }], 3);
  assert.equal([...mergeWord(table, Int32Array.of(0, 0, 1, 1))], [0, 2, 1]);
});

merging('equals looking for the lowest rank anew after each merge', () => {
  const rng = new Rng(21);
  for (let round = 0; round < 200; round++) {
    const merges = Array.from({ length: 12 }, (_, i) =>
      ({ left: rng.nextBelow(2 + i), right: rng.nextBelow(2 + i), merged: 2 + i }))
      .filter((a, i, all) =>
        all.findIndex((b) => a.left === b.left && a.right === b.right) === i)
      .sort((a, b) => (a.merged * 7) % 13 - (b.merged * 7) % 13); // also ranks out of order
    const word = Array.from({ length: rng.nextBelow(40) }, () => rng.nextBelow(2));
    const naive = [...word];
    for (;;) {
      const merge = merges.find(({ left, right }) =>
        naive.some((id, i) => id === left && naive[i + 1] === right));
      if (merge === undefined) break;
      const at = naive.findIndex((id, i) => id === merge.left && naive[i + 1] === merge.right);
      naive.splice(at, 2, merge.merged);
    }
    assert.equal([...mergeWord(new MergeTable(merges, 14), Int32Array.from(word))], naive);
  }
});

merging.run();

const coding = suite('BPE encode and decode');
const tokenizer = trainBpe(TRAINING_TEXT, { vocabSize: 300 });

for (const [text, ids] of GOLDEN) {
  coding(`gives the ids of @huggingface/tokenizers for ${JSON.stringify(text)}`, () => {
    assert.equal([...tokenizer.encode(text)], ids);
    assert.is(tokenizer.decode(ids), text);
  });
}

coding('gives the same ids from the cache as at first, and does not share it', () => {
  const text = 'The wheel turns, the wheel turns.';
  const first = tokenizer.encode(text);
  const expected = [...first];
  first.fill(0);
  assert.equal([...tokenizer.encode(text)], expected);
});

coding('gives the same ids after 40,000 distinct words have passed the cache', () => {
  const expected = [...tokenizer.encode('the wheel')];
  let text = '';
  for (let i = 0; i < 40_000; i++) text += ` ${i.toString(36)}`;
  tokenizer.encode(text);
  assert.equal([...tokenizer.encode('the wheel')], expected);
});

coding('round-trips random text and takes lone surrogates for U+FFFD', () => {
  const rng = new Rng(31);
  const characters = [..." the\n\t'sé漢😀👩‍\ufeff\u0301١½"];
  for (let i = 0; i < 2000; i++) {
    let text = '';
    for (let n = rng.nextBelow(30); n > 0; n--)
      text += characters[rng.nextBelow(characters.length)];
    assert.is(tokenizer.decode(tokenizer.encode(text)), text);
  }
  assert.equal(tokenizer.encode('a\ud800 \udc00b'), tokenizer.encode('a\ufffd \ufffdb'));
});

coding('gives the bytes of each token as a copy', () => {
  const [id] = tokenizer.encode(' wheel');
  tokenizer.tokenBytes(id).fill(0);
  assert.equal([...tokenizer.tokenBytes(id)], [...new TextEncoder().encode(' wheel')]);
  const ids = tokenizer.encode('水が😀');
  const bytes = [...ids].flatMap((each) => [...tokenizer.tokenBytes(each)]);
  assert.equal(bytes, [...new TextEncoder().encode('水が😀')]);
});

coding.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Rng } from '../../src/rng.ts';
import { trainBpe } from '../../src/tokenizer/bpe.ts';

// Time is measured, but with bounds far from both sides: 128 KiB take about 60 ms, and would
// take minutes if each merge looked at the whole word again.

const KIB = 1024;
const SIZE = 128 * KIB;

const milliseconds = (run: () => void): number => {
  const start = performance.now();
  run();
  return performance.now() - start;
};

const repeat = (unit: string): string => unit.repeat(Math.ceil(SIZE / unit.length));

const base64 = (): string => {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const rng = new Rng(76);
  let text = '';
  for (let i = 0; i < SIZE; i++) text += digits[rng.nextBelow(64)];
  return text;
};

const hostile: Record<string, string> = {
  'one letter': repeat('a'),
  circumflexes: repeat('^'),
  spaces: repeat(' '),
  tabs: repeat('\t'),
  'no-break spaces': repeat('\u00a0'),
  digits: repeat('1234567890'),
  apostrophes: repeat("'"),
  'an alphabet': repeat('abcdefghijklmnopqrstuvwxyz'),
  'CJK without spaces': repeat('漢字仮名交'),
  emoji: repeat('😀👍'),
  base64: base64(),
};

const test = suite('BPE on hostile text');

for (const [name, text] of Object.entries(hostile)) {
  test(`learns and encodes 128 KiB of ${name} within 1 s each`, () => {
    let tokenizer = trainBpe('', { vocabSize: 256 });
    const train = milliseconds(() => {
      tokenizer = trainBpe(text, { vocabSize: 1024 });
    });
    let ids: ArrayLike<number> = [];
    const encode = milliseconds(() => {
      ids = tokenizer.encode(text);
    });
    assert.is(tokenizer.decode(ids), text);
    assert.ok(train < 1000, `training took ${train} ms`);
    assert.ok(encode < 1000, `encoding took ${encode} ms`);
  });
}

test('encodes 16 times as long a word in less than 64 times the time', () => {
  const tokenizer = trainBpe(repeat('a'), { vocabSize: 264 });
  const best = (size: number, rounds: number): number => {
    const word = 'a'.repeat(size);
    let least = Infinity;
    for (let i = 0; i < rounds; i++)
      least = Math.min(least, milliseconds(() => tokenizer.encode(word)));
    return least;
  };
  best(SIZE, 1); // lets the engine compile
  const short = best(16 * KIB, 5);
  const long = best(256 * KIB, 2);
  assert.ok(long < 64 * Math.max(short, 0.5), `${long} ms against ${short} ms`); // n² gives 256
});

test.run();

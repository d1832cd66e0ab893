import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Rng } from '../../src/rng.ts';
import { WordSplitter } from '../../src/tokenizer/split.ts';

/** The published pattern, as a regular expression. */
const PATTERN = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

const words = (text: string): string[] => {
  const splitter = new WordSplitter();
  const found: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = splitter.wordEnd(text, start);
    found.push(text.slice(start, end));
    start = end;
  }
  return found;
};

const test = suite('WordSplitter');

test('gives a space to the word after it and splits off contractions', () => {
  assert.equal(words("I'm here, you're  not"),
    ['I', "'m", ' here', ',', ' you', "'re", ' ', ' not']);
});

test('matches the three calls of its example', () => {
  const splitter = new WordSplitter();
  assert.is(splitter.wordEnd("I'm here", 0), 1);
  assert.is(splitter.wordEnd("I'm here", 1), 3);
  assert.is(splitter.wordEnd("I'm here", 3), 8);
});

test('keeps letters, numbers and other characters apart', () => {
  assert.equal(words('ab12½é!?漢字٣'), ['ab', '12½', 'é', '!?', '漢字', '٣']);
});

test('leaves the last of several white spaces to the next word, and keeps them at the end', () => {
  assert.equal(words('a\n\n b\t\tc  '), ['a', '\n\n', ' b', '\t', '\t', 'c', '  ']);
});

test('never cuts a surrogate pair', () => {
  assert.equal(words('😀👍 𝒳𝒴1'), ['😀👍', ' 𝒳𝒴', '1']);
});

test('equals the published pattern on 20,000 random texts', () => {
  const characters = [..." \t\n\u00a0\u3000'strvemldSL19½Ⅷé漢😀𝒳.,\u0301\ufeff\u0085\ud800\udc00"];
  const rng = new Rng(3);
  for (let i = 0; i < 20_000; i++) {
    let text = '';
    for (let left = rng.nextBelow(16); left > 0; left--)
      text += characters[rng.nextBelow(characters.length)];
    const found = words(text);
    const expected = text.match(PATTERN) ?? [];
    if (found.join('|') !== expected.join('|')) assert.equal(found, [...expected]);
  }
});

test.run();

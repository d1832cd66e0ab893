import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TokenizerError } from '../../src/errors.ts';
import { createCharTokenizer } from '../../src/tokenizer/chars.ts';
import { createTokenizer, tokenizerFromJson } from '../../src/tokenizer/tokenizer.ts';

const test = suite('createCharTokenizer');

const failure = (run: () => unknown): TokenizerError => {
  try {
    run();
  } catch (error) {
    if (error instanceof TokenizerError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

test('gives ids in order of code point', () => {
  const tokenizer = createCharTokenizer('hello');
  assert.is(tokenizer.kind, 'chars');
  assert.is(tokenizer.vocabSize, 4);
  assert.equal(tokenizer.encode('hole'), Uint32Array.of(1, 3, 2, 0));
  assert.is(createTokenizer('chars', 'to be or not to be').vocabSize, 7);
});

test('orders by code point where UTF-16 units would differ', () => {
  const tokenizer = createCharTokenizer('😀\uff5ea'); // U+1F600 begins with the unit U+D83D
  assert.is(tokenizer.decode([0, 1, 2]), 'a\uff5e😀');
});

test('round-trips emoji, CJK, control characters and a byte order mark', () => {
  const text = '\ufeffa😀漢字\0\r\n\u0301👩‍👩‍👧';
  const tokenizer = createCharTokenizer(text);
  assert.is(tokenizer.decode(tokenizer.encode(text)), text);
  assert.is(tokenizer.encode('😀').length, 1);
});

test('takes a lone surrogate for U+FFFD', () => {
  const tokenizer = createCharTokenizer('a\ud800');
  assert.equal(tokenizer.encode('a\udfff'), tokenizer.encode('a\ufffd'));
  assert.is(tokenizer.decode([0, 1]), 'a\ufffd');
});

test('names the UTF-8 bytes of a token', () => {
  const tokenizer = createCharTokenizer('aé😀');
  assert.equal(tokenizer.tokenBytes(1), Uint8Array.of(0xc3, 0xa9));
  assert.equal(tokenizer.tokenBytes(2), Uint8Array.of(0xf0, 0x9f, 0x98, 0x80));
});

test('refuses an unknown character by name, with its index and a way out', () => {
  const error = failure(() => createCharTokenizer('ab😀').encode('a😀é'));
  assert.is(error.code, 'UNKNOWN_CHARACTER');
  assert.is(error.offset, 3);
  assert.is(error.actual, 'é');
  assert.match(error.message, /"é" \(U\+00E9\) at index 3/);
  assert.match(error.message, /use kind bytes or bpe/);
});

test('escapes an unknown control character in its message', () => {
  const { message } = failure(() => createCharTokenizer('ab').encode('\u001b'));
  assert.match(message, /"\\u001b" \(U\+001B\)/);
});

test('needs two characters', () => {
  for (const text of ['', 'aaa'])
    assert.is(failure(() => createCharTokenizer(text)).code, 'VOCAB_MISMATCH');
  assert.is(createCharTokenizer('ab').vocabSize, 2);
});

test('takes 65,536 characters and no more', () => {
  const first = 0x10000;
  let text = '';
  for (let i = 0; i < 65_536; i++) text += String.fromCodePoint(first + i);
  assert.is(createCharTokenizer(text).vocabSize, 65_536);
  assert.is(failure(() => createCharTokenizer(`${text}a`)).code, 'LIMIT');
});

test('saves its characters in order of the ids', () => {
  const tokenizer = createCharTokenizer('ba"\n😀');
  assert.is(tokenizer.toJson(), '{"type":"onebit/chars","characters":"\\n\\"ab😀"}');
  const again = tokenizerFromJson(tokenizer.toJson());
  assert.equal(again.encode('a😀"'), tokenizer.encode('a😀"'));
  assert.is(again.toJson(), tokenizer.toJson());
});

test('reads characters in any order but each once', () => {
  const read = (characters: string) =>
    tokenizerFromJson(JSON.stringify({ type: 'onebit/chars', characters }));
  assert.equal(read('zay').encode('ayz'), Uint32Array.of(1, 2, 0));
  const error = failure(() => read('abca'));
  assert.is(error.code, 'VOCAB_MISMATCH');
  assert.is(error.offset, 3);
  assert.match(error.message, /"a" \(U\+0061\) as 0 and 3/);
  assert.is(failure(() => read('a\ud800')).code, 'ILL_FORMED_TEXT');
  assert.is(failure(() => read('a')).code, 'VOCAB_MISMATCH');
});

test.run();

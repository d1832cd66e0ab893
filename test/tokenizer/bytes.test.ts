import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Rng } from '../../src/rng.ts';
import { createByteTokenizer } from '../../src/tokenizer/bytes.ts';
import { tokenizerFromJson } from '../../src/tokenizer/tokenizer.ts';

const test = suite('createByteTokenizer');
const tokenizer = createByteTokenizer();

test('has the UTF-8 bytes as ids', () => {
  assert.is(tokenizer.kind, 'bytes');
  assert.is(tokenizer.vocabSize, 256);
  assert.equal(tokenizer.encode('hé'), Uint32Array.of(104, 195, 169));
  assert.is(tokenizer.decode([104, 195, 169]), 'hé');
  assert.equal(tokenizer.encode(''), new Uint32Array(0));
  assert.is(tokenizer.decode([]), '');
});

for (const text of ['plain', '😀👩‍👩‍👧', '漢字', '\ufeffmark\ufeff', 'a\0\x7f\r\n', 'e\u0301']) {
  test(`round-trips ${JSON.stringify(text)}`, () => {
    assert.is(tokenizer.decode(tokenizer.encode(text)), text);
  });
}

test('takes a lone surrogate for U+FFFD', () => {
  assert.equal(tokenizer.encode('a\ud800b'), tokenizer.encode('a\ufffdb'));
  assert.equal(tokenizer.encode('\udc00\ud800'), tokenizer.encode('\ufffd\ufffd'));
});

test('decodes ill-formed bytes as U+FFFD, one for each maximal part', () => {
  assert.is(tokenizer.decode([0xc0, 0x80]), '\ufffd\ufffd');
  assert.is(tokenizer.decode([0xed, 0xa0, 0x80]), '\ufffd\ufffd\ufffd');
  assert.is(tokenizer.decode([0xf4, 0x90, 0x80, 0x80]), '\ufffd\ufffd\ufffd\ufffd');
  assert.is(tokenizer.decode([0x61, 0xf0, 0x9f, 0x98, 0x62]), 'a\ufffdb');
});

test('keeps every byte of random byte strings', () => {
  const rng = new Rng(11);
  for (let i = 0; i < 2000; i++) {
    const bytes = Uint8Array.from({ length: rng.nextBelow(20) }, () => rng.nextBelow(256));
    const joined = [...bytes].flatMap((byte) => [...tokenizer.tokenBytes(byte)]);
    assert.equal(joined, [...bytes]);
    const text = tokenizer.decode(bytes);
    if (!text.includes('\ufffd')) assert.equal(tokenizer.encode(text), Uint32Array.from(bytes));
  }
});

test('saves itself as its type alone', () => {
  assert.is(tokenizer.toJson(), '{"type":"onebit/bytes"}');
  const again = tokenizerFromJson(tokenizer.toJson());
  assert.is(again.kind, 'bytes');
  assert.equal(again.encode('é'), tokenizer.encode('é'));
});

test.run();

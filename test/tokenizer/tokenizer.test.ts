import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TokenizerError } from '../../src/errors.ts';
import { createTokenizer, tokenizerFromJson } from '../../src/tokenizer/tokenizer.ts';
import type { TokenizerKind } from '../../src/tokenizer/types.ts';
import { Utf8Stream } from '../../src/tokenizer/utf8-stream.ts';

const TEXT = '\ufeffHello, wörld! 漢字 😀👩‍👩‍👧 — the cat sat on the mat, the cat sat.';
const KINDS: TokenizerKind[] = ['bytes', 'chars', 'bpe'];

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof TokenizerError) return error.code;
    throw error;
  }
  return 'nothing was thrown';
};

for (const kind of KINDS) {
  const test = suite(`tokenizer of kind ${kind}`);
  const tokenizer = createTokenizer(kind, TEXT, { vocabSize: 270 });

  test('round-trips its text and the empty one', () => {
    assert.is(tokenizer.kind, kind);
    assert.is(tokenizer.decode(tokenizer.encode(TEXT)), TEXT);
    assert.equal(tokenizer.encode(''), new Uint32Array(0));
    assert.is(tokenizer.decode(new Uint32Array(0)), '');
  });

  test('gives the same ids after saving and reading', () => {
    const again = tokenizerFromJson(tokenizer.toJson());
    assert.is(again.kind, kind);
    assert.is(again.vocabSize, tokenizer.vocabSize);
    assert.equal(again.encode(TEXT), tokenizer.encode(TEXT));
    assert.is(again.toJson(), tokenizer.toJson());
  });

  test('streams whole characters that join to the decoded text', () => {
    const stream = new Utf8Stream();
    const ids = [...tokenizer.encode(TEXT)];
    const pieces = ids.map((id) => stream.push(tokenizer.tokenBytes(id)));
    assert.is(pieces.join('') + stream.end(), TEXT);
    assert.not.ok(pieces.some((piece) => piece.includes('\ufffd')));
  });

  test('streams what decode gives for every beginning of its ids', () => {
    const ids = tokenizer.encode(TEXT);
    for (let length = 0; length <= ids.length; length++) {
      const stream = new Utf8Stream();
      let text = '';
      for (const id of ids.subarray(0, length)) text += stream.push(tokenizer.tokenBytes(id));
      assert.is(text + stream.end(), tokenizer.decode(ids.subarray(0, length)));
    }
  });

  test('refuses an id that is not in the vocabulary, with its index', () => {
    for (const bad of [-1, 1.5, NaN, Infinity, 2 ** 31, 2 ** 32, tokenizer.vocabSize, '1', null]) {
      assert.is(codeOf(() => tokenizer.tokenBytes(bad as number)), 'BAD_TOKEN_ID');
      try {
        tokenizer.decode([0, 1, bad as number]);
        assert.unreachable();
      } catch (error) {
        assert.instance(error, TokenizerError);
        const { code, offset, message } = error as TokenizerError;
        assert.is(code, 'BAD_TOKEN_ID');
        assert.is(offset, 2);
        assert.match(message, /^decode: "ids\[2\]" expected an integer from 0 to \d+, got /);
      }
    }
    assert.is(codeOf(() => tokenizer.decode({ length: 2 ** 40 })), 'BAD_TOKEN_ID');
  });

  test('refuses arguments of the wrong type', () => {
    const isHouseError = (error: Error) =>
      error instanceof TypeError && /^(encode|decode): "\w+" expected/.test(error.message);
    for (const bad of [undefined, null, 5, ['a'], {}])
      assert.throws(() => tokenizer.encode(bad as string), isHouseError);
    for (const bad of [undefined, null, 5, 'abc', {}, new DataView(new ArrayBuffer(1))])
      assert.throws(() => tokenizer.decode(bad as number[]), isHouseError);
  });

  test('works as before after an error', () => {
    const before = [...tokenizer.encode(TEXT)];
    codeOf(() => tokenizer.decode([-1]));
    if (kind === 'chars') codeOf(() => tokenizer.encode('#'));
    assert.equal([...tokenizer.encode(TEXT)], before);
  });

  test.run();
}

const creating = suite('createTokenizer');

creating('gives the sizes of its examples, and 1,024 BPE tokens unless told', () => {
  assert.is(createTokenizer('bytes', '').vocabSize, 256);
  assert.is(createTokenizer('chars', 'to be or not to be').vocabSize, 7);
  let text = '';
  for (let i = 0; i < 3000; i++) text += ` ${i % 1500}x`;
  assert.is(createTokenizer('bpe', text).vocabSize, 1024);
});

creating('refuses an unknown kind and wrong types', () => {
  const make = (kind: unknown, text: unknown, options?: unknown) => () =>
    createTokenizer(kind as TokenizerKind, text as string, options as object);
  assert.throws(make('words', 'a'), (error: Error) =>
    error instanceof RangeError && error.message ===
      'createTokenizer: "kind" expected bytes, chars or bpe, got "words"');
  assert.throws(make(1, 'a'), (error: Error) => error instanceof TypeError);
  assert.throws(make('bytes', 1), (error: Error) => error instanceof TypeError);
  assert.throws(make('bpe', 'a', { vocabSize: 1 }), (error: Error) =>
    error instanceof RangeError);
});

creating.run();

const reading = suite('tokenizerFromJson');

reading('reads its example', () => {
  const saved = createTokenizer('chars', 'hello').toJson();
  assert.is(tokenizerFromJson(saved).decode([1, 0]), 'he');
});

const refused: [string, string][] = [
  ['', 'BAD_JSON'],
  ['{"type":', 'BAD_JSON'],
  ['\ufeff{"type":"onebit/bytes"}', 'BAD_JSON'],
  ['null', 'WRONG_TYPE'],
  ['[]', 'WRONG_TYPE'],
  ['"onebit/bytes"', 'WRONG_TYPE'],
  ['{}', 'UNSUPPORTED'],
  ['{"type":null}', 'UNSUPPORTED'],
  ['{"type":"onebit/words"}', 'UNSUPPORTED'],
  ['{"type":"onebit/bytes","vocabSize":256}', 'UNSUPPORTED'],
  ['{"type":"onebit/bytes","__proto__":{}}', 'UNSUPPORTED'],
  ['{"type":"onebit/chars"}', 'WRONG_TYPE'],
  ['{"type":"onebit/chars","characters":["a","b"]}', 'WRONG_TYPE'],
  ['{"type":"onebit/chars","characters":""}', 'VOCAB_MISMATCH'],
  ['{"type":"onebit/chars","characters":"aba"}', 'VOCAB_MISMATCH'],
  ['{"type":"onebit/chars","characters":"ab","sorted":true}', 'UNSUPPORTED'],
  ['{"type":"onebit/bytes","model":{}}', 'UNSUPPORTED'],
  ['{"type":"onebit/words","model":{}}', 'UNSUPPORTED'],
  ['{"model":null}', 'UNSUPPORTED'],
];

for (const [json, code] of refused) {
  reading(`refuses ${json || 'nothing'} as ${code}`, () => {
    assert.is(codeOf(() => tokenizerFromJson(json)), code);
  });
}

reading('survives 100,000 nested arrays', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  assert.is(codeOf(() => tokenizerFromJson(deep)), 'WRONG_TYPE');
  assert.is(codeOf(() => tokenizerFromJson(`{"model":{"vocab":${deep}}}`)), 'UNSUPPORTED');
});

reading('refuses what is no string', () => {
  for (const bad of [undefined, null, {}, 5])
    assert.throws(() => tokenizerFromJson(bad as string),
      (error: Error) => error instanceof TypeError && /"json" expected/.test(error.message));
});

reading.run();

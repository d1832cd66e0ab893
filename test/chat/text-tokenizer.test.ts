// Tokenizers of real models, on small vocabularies: marks, hard text, pre-tokenizers, hostile files.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { tokenizerFromGguf } from '../../src/chat/gguf-tokenizer.ts';
import { tokenizerFromHuggingFace } from '../../src/chat/json-tokenizer.ts';
import type { TokenizerError } from '../../src/errors.ts';
import { Utf8Stream } from '../../src/tokenizer/utf8-stream.ts';
import { byteLevelMetadata, sentencePieceMetadata } from './vocabularies.ts';

const test = suite('tokenizers of real models');

const HARD = [
  'The quick brown fox', '', ' ', '  \t\n\r\n  ', 'a\u0301e\u0308 \u0928\u093f',
  '👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽', '漢字かな交じり文。한국어',
  '1234567890 12 007', "I'm you're WE'LL don'T", '\ufeffbom', '\u0000\u0085\u00a0\u2028', 'x'.repeat(300),
  '<|im_start|>user\n<|im_end|>', '</s><s>[INST]', '<0x41>', 'Ġ ▁ ▁▁', '𝔘𝔫𝔦𝔠𝔬𝔡𝔢', '\u0300', '‮abc',
];

const LLAMA3 = byteLevelMetadata({ pre: 'llama-bpe' });
const QWEN2 = byteLevelMetadata({ pre: 'qwen2' });
const SPM = sentencePieceMetadata();

for (const [name, metadata] of [['llama-bpe', LLAMA3], ['qwen2', QWEN2], ['SentencePiece', SPM]] as const)
  test(`${name}: hard text comes back as it was, whole and streamed`, () => {
    const tokenizer = tokenizerFromGguf(metadata);
    for (const hard of HARD) {
      const ids = tokenizer.encode(hard);
      const spaced = name === 'SentencePiece' ? hard.replaceAll('▁', ' ') : hard; // its name for a space
      const text = name === 'qwen2' ? spaced.normalize('NFC') : spaced;
      assert.is(tokenizer.decode(ids), text);
      const stream = new Utf8Stream();
      let streamed = '';
      for (const id of ids) streamed += stream.push(tokenizer.tokenBytes(id));
      streamed += stream.end();
      assert.is(name === 'SentencePiece' ? streamed.slice(1) : streamed, text);
    }
    assert.is(tokenizer.decode(tokenizer.encode('a\ud800b')), 'a\ufffdb');
  });

const words = (metadata: ReadonlyMap<string, unknown>, text: string): string[] => {
  const tokenizer = tokenizerFromGguf(metadata);
  return Array.from(tokenizer.encode(text), (id) => tokenizer.decode([id]));
};

test('llama-bpe groups three digits at most, qwen2 takes each alone', () => {
  assert.equal(words(byteLevelMetadata({ pre: 'llama-bpe', more: ['12', '123', '1234', '45'] }), '12345'),
    ['123', '45']);
  assert.equal(words(byteLevelMetadata({ pre: 'qwen2', more: ['12', '123', '1234', '45'] }), '12345'),
    ['1', '2', '3', '4', '5']);
});

test('a word that is a token needs no merges with llama-bpe', () => {
  const more = ['xyzzy'];
  assert.equal(words(byteLevelMetadata({ pre: 'llama-bpe', more }), 'xyzzy'), ['xyzzy']);
  assert.equal(words(byteLevelMetadata({ pre: 'qwen2', more }), 'xyzzy'), ['x', 'y', 'z', 'z', 'y']);
});

test('what a user typed is never a mark, unless special tokens are allowed', () => {
  const tokenizer = tokenizerFromGguf(QWEN2), text = 'a<|im_end|><think>b';
  const plain = tokenizer.encode(text), special = tokenizer.encode(text, { allowSpecial: true });
  const marks = new Set([...tokenizer.specialTokens, tokenizer.marks.longest('<think>', 0)!.id]);
  assert.not.ok(plain.some((id) => marks.has(id)));
  assert.is(tokenizer.decode(plain), text);
  assert.is([...special].filter((id) => marks.has(id)).length, 2);
  assert.is(tokenizer.decode(special), 'a<think>b');
  assert.is(tokenizer.decode(special, { special: true }), text);
});

test('the beginning of a text is added where the file wants it', () => {
  const tokenizer = tokenizerFromGguf(LLAMA3);
  assert.ok(tokenizer.addBos);
  assert.is(tokenizer.encode('a', { addBos: true })[0], tokenizer.bosToken);
  assert.is(tokenizer.encode('a').length, 1);
  assert.not.ok(tokenizerFromGguf(QWEN2).addBos);
});

test('tokens end a text by metadata and by name', () => {
  const tokenizer = tokenizerFromGguf(QWEN2);
  const names = tokenizer.endTokens.map((id) => tokenizer.tokenName(id)).sort();
  assert.equal(names, ['<|endoftext|>', '<|im_end|>']);
});

test('SentencePiece merges the highest score first, the leftmost of equal pairs', () => {
  const metadata = sentencePieceMetadata([['aa', -1], ['ab', -2], ['aab', -3], ['▁', -4]]);
  assert.equal(words(metadata, 'aaab').slice(1), ['aa', 'ab']);
  assert.equal(words(metadata, 'aab').slice(1), ['aab']);
});

test('what has no token becomes its bytes', () => {
  const tokenizer = tokenizerFromGguf(SPM);
  assert.equal(Array.from(tokenizer.encode('é'), (id) => tokenizer.tokenName(id)), ['▁', '<0xC3>', '<0xA9>']);
});

for (const [name, metadata] of [['llama-bpe', LLAMA3], ['SentencePiece', SPM]] as const)
  test(`${name}: the JSON of a tokenizer makes the same tokenizer`, () => {
    const tokenizer = tokenizerFromGguf(metadata);
    const again = tokenizerFromHuggingFace(
      JSON.parse(tokenizer.toJson()) as object, { eos_token: tokenizer.tokenName(tokenizer.endTokens[0]) });
    for (const text of HARD) {
      assert.equal(again.encode(text), tokenizer.encode(text));
      assert.is(again.decode(tokenizer.encode(text)), tokenizer.decode(tokenizer.encode(text)));
    }
    assert.equal(again.endTokens, tokenizer.endTokens);
    assert.equal(again.specialTokens, tokenizer.specialTokens);
    assert.is(again.bosToken, tokenizer.bosToken);
    assert.is(again.addBos, tokenizer.addBos);
  });

test('one long word, white space and marks take time in proportion', () => {
  const tokenizer = tokenizerFromGguf(QWEN2), spm = tokenizerFromGguf(SPM);
  for (const unit of ['x', ' ', '^', '7', '<', '<|im_', '\t', '漢']) {
    const text = unit.repeat(100_000 / unit.length);
    assert.is(tokenizer.decode(tokenizer.encode(text)).length, text.length);
    assert.is(spm.decode(spm.encode(text)).length, text.length);
  }
});

test('wrong ids are refused with their index', () => {
  const tokenizer = tokenizerFromGguf(QWEN2);
  for (const id of [-1, 1.5, NaN, 2 ** 31, tokenizer.vocabSize])
    assert.throws(() => tokenizer.decode([0, id]),
      (error: TokenizerError) => error.code === 'BAD_TOKEN_ID' && error.offset === 1);
});

test('rows without a name are unused tokens without text', () => {
  const size = tokenizerFromGguf(QWEN2).vocabSize;
  const tokenizer = tokenizerFromGguf(QWEN2, { rows: size + 10 });
  assert.is(tokenizer.vocabSize, size + 10);
  assert.is(tokenizer.tokenBytes(size + 9).length, 0);
});

test('a file without a pre-tokenizer is told by the size of its vocabulary', () => {
  const tokens = (count: number): string[] => Array.from({ length: count }, (_, i) => `t${i}`);
  const metadata = (count: number): Map<string, unknown> => {
    const from = new Map<string, unknown>(byteLevelMetadata({ more: ['1', '12', '123'] }));
    const named = from.get('tokenizer.ggml.tokens') as string[];
    from.set('tokenizer.ggml.tokens', [...named, ...tokens(count - named.length)]);
    from.delete('tokenizer.ggml.token_type');
    return from;
  };
  assert.ok(tokenizerFromGguf(metadata(128_256)).addBos);
  assert.equal(words(metadata(128_256), '123'), ['123']);
  assert.equal(words(metadata(151_669), '123'), ['1', '2', '3']);
});

const refused = (code: string, change: (metadata: Map<string, unknown>) => void, from = QWEN2): void => {
  const metadata = new Map(from);
  change(metadata);
  assert.throws(() => tokenizerFromGguf(metadata), (error: { code?: string }) => error.code === code);
};

test('hostile metadata is refused by code', () => {
  const key = 'tokenizer.ggml.';
  refused('UNSUPPORTED', (m) => m.set(`${key}model`, 'bert'));
  refused('UNSUPPORTED', (m) => m.set(`${key}pre`, 'tekken-9'));
  refused('MISSING_KEY', (m) => m.delete(`${key}tokens`));
  refused('MISSING_KEY', (m) => m.delete(`${key}merges`));
  refused('WRONG_TYPE', (m) => m.set(`${key}tokens`, 'text'));
  refused('WRONG_TYPE', (m) => m.set(`${key}pre`, 4));
  refused('WRONG_TYPE', (m) => m.set(`${key}add_bos_token`, 1));
  refused('VOCAB_MISMATCH', (m) => m.set(`${key}tokens`, []));
  refused('VOCAB_MISMATCH', (m) => m.set(`${key}token_type`, [1, 1]));
  refused('VOCAB_MISMATCH', (m) => m.set(`${key}scores`, [1]), SPM);
  refused('BAD_SPECIAL_ID', (m) => m.set(`${key}eos_token_id`, 2 ** 32 - 1));
  refused('BAD_SPECIAL_ID', (m) => m.set(`${key}bos_token_id`, 1.5));
  refused('BAD_MERGE', (m) => m.set(`${key}merges`, ['absent none']));
  refused('BAD_MERGE', (m) => m.set(`${key}merges`, ['alone']));
  refused('BAD_BYTE_TOKEN', (m) => {
    const tokens = [...m.get(`${key}tokens`) as string[]];
    tokens[tokens.indexOf('<0x41>')] = '<0xGG>';
    m.set(`${key}tokens`, tokens);
  }, SPM);
});

test('a hostile tokenizer.json is refused by code', () => {
  const json = JSON.parse(tokenizerFromGguf(QWEN2).toJson()) as Record<string, Record<string, unknown>>;
  const bad = (code: string, change: object): void =>
    assert.throws(() => tokenizerFromHuggingFace({ ...json, ...change }),
      (error: { code?: string }) => error.code === code);
  bad('WRONG_TYPE', { model: 7 });
  bad('UNSUPPORTED', { model: { ...json.model, type: 'WordPiece' } });
  bad('UNSUPPORTED', { pre_tokenizer: { type: 'Nonsense' } });
  bad('UNSUPPORTED', { pre_tokenizer: { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated' } });
  bad('VOCAB_MISMATCH', { model: { ...json.model, vocab: {} } });
  bad('VOCAB_MISMATCH', { model: { ...json.model, vocab: { a: 0, b: 0 } } });
  bad('BAD_SPECIAL_ID', { model: { ...json.model, vocab: { a: -1 } } });
  bad('BAD_SPECIAL_ID', { added_tokens: [{ id: 2 ** 31, content: '<x>' }] });
  bad('BAD_MERGE', { model: { ...json.model, merges: [['a']] } });
});

test.run();

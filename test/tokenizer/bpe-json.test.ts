import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TokenizerError } from '../../src/errors.ts';
import { trainBpe } from '../../src/tokenizer/bpe.ts';
import { bytesOfName, createByteAlphabet } from '../../src/tokenizer/byte-alphabet.ts';
import { tokenizerFromJson } from '../../src/tokenizer/tokenizer.ts';
import { GOLDEN, TRAINING_TEXT } from './golden.ts';

const saved = trainBpe(TRAINING_TEXT, { vocabSize: 300 }).toJson();

/** The saved file with a change. */
const changed = (change: (file: any) => void): string => {
  const file = JSON.parse(saved);
  change(file);
  return JSON.stringify(file);
};

/** The saved file with one more entry in the vocabulary, written as JSON. */
const withToken = (entry: string): string => saved.replace('"vocab":{', `"vocab":{${entry},`);

const failure = (json: string): TokenizerError => {
  try {
    tokenizerFromJson(json);
  } catch (error) {
    if (error instanceof TokenizerError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

const alphabets = suite('createByteAlphabet');

alphabets('gives 256 bytes distinct names of one character', () => {
  const { names, order, byteOf } = createByteAlphabet();
  assert.is(new Set(names).size, 256);
  assert.ok(names.every((name) => name.length === 1));
  assert.ok(names.every((name, byte) => byteOf.get(name) === byte));
  const ordered = [...order].map((byte) => names[byte]);
  assert.equal(ordered, [...names].sort((a, b) => a.charCodeAt(0) - b.charCodeAt(0)));
});

alphabets('names the bytes of its examples', () => {
  const alphabet = createByteAlphabet();
  assert.is(alphabet.names[0x41], 'A');
  assert.is(alphabet.names[0x20], 'Ġ');
  assert.is(alphabet.names[0xad], 'Ń'); // the last of the 68
  assert.is(alphabet.order[0], 33);
  assert.equal(bytesOfName(alphabet, 'Ġa'), Uint8Array.of(32, 97));
  assert.is(bytesOfName(alphabet, 'a b'), undefined);
});

alphabets.run();

const test = suite('tokenizer.json');

test('is written with the fields of a Hugging Face file, in their order', () => {
  const file = JSON.parse(saved);
  const byteLevel = {
    type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true,
  };
  const { vocab, merges, ...model } = file.model;
  assert.equal({ ...file, model }, {
    version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: null,
    pre_tokenizer: byteLevel, post_processor: null, decoder: byteLevel,
    model: {
      type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: '',
      end_of_word_suffix: '', fuse_unk: false, byte_fallback: false, ignore_merges: false,
    },
  });
  assert.is(vocab['!'], 0);
  assert.equal(merges[0], ['h', 'e']);
});

test('gives the same ids and the same file when read back', () => {
  const again = tokenizerFromJson(saved);
  assert.is(again.kind, 'bpe');
  assert.is(again.vocabSize, 300);
  for (const [text, ids] of GOLDEN) assert.equal([...again.encode(text)], ids);
  assert.is(again.toJson(), saved);
});

test('may hold merges as strings with a space', () => {
  const older = changed(({ model }) => {
    model.merges = model.merges.map((pair: string[]) => pair.join(' '));
  });
  assert.is(tokenizerFromJson(older).toJson(), saved);
});

test('may leave out what is at its default', () => {
  const terse = changed((file) => {
    for (const key of ['truncation', 'padding', 'added_tokens', 'normalizer', 'post_processor'])
      delete file[key];
    file.pre_tokenizer = { type: 'ByteLevel', add_prefix_space: false };
    file.decoder = { type: 'ByteLevel' };
    const { type, vocab, merges } = file.model;
    file.model = { type, vocab, merges };
  });
  assert.is(tokenizerFromJson(terse).toJson(), saved);
});

test('may have a ByteLevel post-processor, which moves offsets only', () => {
  const file = changed((f) => { f.post_processor = { type: 'ByteLevel', trim_offsets: false }; });
  assert.is(tokenizerFromJson(file).toJson(), saved);
});

test('may have any order of ids, and two merges with the same result', () => {
  const file = changed(({ model }) => {
    const last = Object.keys(model.vocab).length - 1;
    for (const name of Object.keys(model.vocab)) model.vocab[name] = last - model.vocab[name];
    model.vocab['ab'] = last + 1;
    model.vocab['bc'] = last + 2;
    model.vocab['abc'] = last + 3;
    model.merges = [['a', 'b'], ['ab', 'c'], ['b', 'c'], ['a', 'bc']];
  });
  const tokenizer = tokenizerFromJson(file);
  assert.equal([...tokenizer.encode('abcabbc')], [302, 300, 301]);
  assert.is(tokenizer.decode(tokenizer.encode('Müller 水')), 'Müller 水');
  assert.equal(tokenizer.tokenBytes(302), Uint8Array.of(97, 98, 99));
});

const unsupported: [string, (file: any) => void][] = [
  ['json.version', (f) => { f.version = '2.0'; }],
  ['json.version', (f) => { delete f.version; }],
  ['json.truncation', (f) => { f.truncation = { max_length: 5 }; }],
  ['json.padding', (f) => { f.padding = {}; }],
  ['json.normalizer', (f) => { f.normalizer = { type: 'Lowercase' }; }],
  ['json', (f) => { f.something = 1; }],
  ['added_tokens', (f) => { f.added_tokens = [{ id: 300, content: '<s>' }]; }],
  ['pre_tokenizer.type', (f) => { f.pre_tokenizer.type = 'Metaspace'; }],
  ['pre_tokenizer.add_prefix_space', (f) => { f.pre_tokenizer.add_prefix_space = true; }],
  ['pre_tokenizer.use_regex', (f) => { f.pre_tokenizer.use_regex = false; }],
  ['pre_tokenizer', (f) => { f.pre_tokenizer.pattern = {}; }],
  ['post_processor.type', (f) => { f.post_processor = { type: 'TemplateProcessing' }; }],
  ['decoder.type', (f) => { f.decoder = { type: 'WordPiece' }; }],
  ['model.type', (f) => { f.model.type = 'Unigram'; }],
  ['model.dropout', (f) => { f.model.dropout = 0.1; }],
  ['model.unk_token', (f) => { f.model.unk_token = '<unk>'; }],
  ['model.end_of_word_suffix', (f) => { f.model.end_of_word_suffix = '</w>'; }],
  ['model.byte_fallback', (f) => { f.model.byte_fallback = true; }],
  ['model.ignore_merges', (f) => { f.model.ignore_merges = true; }],
];

for (const [field, change] of unsupported) {
  test(`is refused, naming "${field}", if ${String(change).replace(/^.*\{ | \}$/g, '')}`, () => {
    const error = failure(changed(change));
    assert.is(error.code, 'UNSUPPORTED');
    assert.is(error.field, field);
    assert.ok(error.message.includes(`"${field}"`));
  });
}

test('is refused with the type of a part that is not supported', () => {
  assert.match(failure(changed(unsupported[4][1])).message, /got object "Lowercase"/);
});

test('is refused if a part has the wrong type', () => {
  const changes: ((file: any) => void)[] = [
    (f) => { f.added_tokens = {}; },
    (f) => { f.pre_tokenizer = null; },
    (f) => { f.decoder = []; },
    (f) => { f.model = 'BPE'; },
    (f) => { f.model.vocab = []; },
    (f) => { f.model.merges = {}; },
    (f) => { delete f.model.merges; },
  ];
  for (const change of changes) assert.is(failure(changed(change)).code, 'WRONG_TYPE');
});

test('is refused unless its ids are 0 to n − 1, each once', () => {
  for (const id of [-1, 1.5, 300, 2 ** 32, '7', null, [1]]) {
    const error = failure(changed((f) => { f.model.vocab.he = id; }));
    assert.is(error.code, 'VOCAB_MISMATCH');
    assert.match(error.message, /ids from 0 to 299.*for "he"/);
  }
  const twice = failure(changed((f) => { f.model.vocab.he = 5; }));
  assert.is(twice.code, 'VOCAB_MISMATCH');
  assert.match(twice.message, /each id once/);
  assert.is(failure(changed((f) => { f.model.vocab = {}; })).code, 'VOCAB_MISMATCH');
});

test('is refused if a byte has no token', () => {
  const error = failure(changed(({ model }) => {
    model.merges = [];
    delete model.vocab.z;
    model.vocab['åĽ'] = 89; // the last token takes the id of z
  }));
  assert.is(error.code, 'VOCAB_MISMATCH');
  assert.match(error.message, /none for "z"/);
});

test('is refused if a token has no bytes', () => {
  for (const name of ['a b', '漢', '\u00ad', '😀', ''])
    assert.is(failure(withToken(`${JSON.stringify(name)}:300`)).code, 'BAD_BYTE_TOKEN');
});

test('takes "<0x-1>" and the like for plain text', () => {
  const tokenizer = tokenizerFromJson(withToken('"<0x-1>":300'));
  assert.is(tokenizer.decode([300]), '<0x-1>');
  assert.ok(!tokenizer.encode('<0x-1>').includes(300));
});

test('reads "__proto__" as a token and changes no prototype', () => {
  const tokenizer = tokenizerFromJson(withToken('"__proto__":300'));
  assert.is(tokenizer.vocabSize, 301);
  assert.is(tokenizer.decode([300]), '__proto__');
  assert.is(tokenizerFromJson(tokenizer.toJson()).toJson(), tokenizer.toJson());
  const polluting = saved.replace('"version"', '"__proto__":{"polluted":1},"version"');
  assert.is(failure(polluting).code, 'UNSUPPORTED');
  assert.is(({} as { polluted?: unknown }).polluted, undefined);
});

test('is refused with the place of a merge that is no pair of tokens making a token', () => {
  const bad: unknown[] = [
    ['h', 'zz'], ['zz', 'h'], ['h', 'h'], ['__proto__', 'h'], 'he', 'h e r', ['h'],
    ['e', 'r', 'x'], 'e r x', ['h', 1], [], null, 5, {}, ['Ġ t', 'h'],
  ];
  for (const merge of bad) {
    const error = failure(changed(({ model }) => { model.merges[3] = merge; }));
    assert.is(error.code, 'BAD_MERGE');
    assert.is(error.field, 'model.merges[3]');
  }
});

test('is refused if a merge stands there twice', () => {
  const error = failure(changed(({ model }) => { model.merges.push(['h', 'e']); }));
  assert.is(error.code, 'BAD_MERGE');
  assert.match(error.message, /each pair once, got "h", "e" again/);
});

test('is refused beyond 1,048,576 merges', () => {
  const merges = `[${'0,'.repeat(2 ** 20)}0]`;
  const error = failure(saved.replace(/"merges":.*$/, `"merges":${merges}}}`));
  assert.is(error.code, 'LIMIT');
  assert.is(error.field, 'model.merges');
});

test.run();

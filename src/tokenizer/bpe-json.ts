/**
 * Byte-level BPE vocabularies as a Hugging Face `tokenizer.json`, version 1.0.
 *
 * Written: model BPE with `vocab` (name → id) and `merges` (pairs of names, by rank),
 * pre-tokenizer and decoder ByteLevel, nothing else set. Read: the same, strictly. A setting
 * that would change the ids (a normalizer, special tokens, dropout, …) is refused by name
 * rather than ignored.
 *
 * Source: github.com/huggingface/tokenizers, `tokenizer/serialization.rs` and
 * `models/bpe/serialization.rs`.
 * @module
 */
import { show } from '../check.ts';
import { quote } from '../errors.ts';
import { bytesOfName, type ByteAlphabet } from './byte-alphabet.ts';
import type { Merge } from './bpe-merge.ts';
import { MAX_BPE_VOCAB, type BpeModel } from './bpe-train.ts';
import { asArray, asObject, checkKnown, fail, type JsonObject, nameOf } from './json-fields.ts';

/** Allowed values by field. A field that is absent counts as `undefined`. */
type Allowed = Readonly<Record<string, readonly unknown[]>>;

const TOP: Allowed = {
  version: ['1.0'],
  truncation: [null, undefined],
  padding: [null, undefined],
  normalizer: [null, undefined],
};
const TOP_OBJECTS = ['added_tokens', 'pre_tokenizer', 'post_processor', 'decoder', 'model'];

const MODEL: Allowed = {
  type: ['BPE'],
  dropout: [null, undefined, 0],
  unk_token: [null, undefined],
  continuing_subword_prefix: ['', null, undefined],
  end_of_word_suffix: ['', null, undefined],
  fuse_unk: [false, undefined],
  byte_fallback: [false, undefined],
  ignore_merges: [false, undefined],
};

const BYTE_LEVEL: Allowed = { type: ['ByteLevel'] };

/** Parts besides the model; only the pre-tokenizer's options matter for the ids. */
const PARTS: readonly (readonly [string, Allowed])[] = [
  ['pre_tokenizer', { ...BYTE_LEVEL, add_prefix_space: [false], use_regex: [true, undefined] }],
  ['post_processor', BYTE_LEVEL],
  ['decoder', BYTE_LEVEL],
];

/** These move offsets, which this library does not report; ids do not depend on them. */
const OFFSET_OPTIONS = ['trim_offsets', 'add_prefix_space', 'use_regex'];

/**
 * Writes a `tokenizer.json`. The same model gives the same string.
 *
 * The vocabulary is written by hand, in order of the ids: an object would move names such as
 * "1" to the front and lose the name "__proto__".
 */
export function writeBpeJson({ tokens, merges }: BpeModel): string {
  const byteLevel = {
    type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true,
  };
  const model = {
    type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: '',
    end_of_word_suffix: '', fuse_unk: false, byte_fallback: false, ignore_merges: false,
  };
  const top = {
    version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: null,
    pre_tokenizer: byteLevel, post_processor: null, decoder: byteLevel,
  };
  const vocab = tokens.map((name, id) => `${JSON.stringify(name)}:${id}`).join(',');
  const pairs = JSON.stringify(merges.map(({ left, right }) => [tokens[left], tokens[right]]));
  const open = (object: object): string => JSON.stringify(object).slice(0, -1);
  return `${open(top)},"model":${open(model)},"vocab":{${vocab}},"merges":${pairs}}}`;
}

/**
 * Reads a parsed `tokenizer.json`.
 *
 * @throws {TokenizerError} UNSUPPORTED for a setting this library lacks, WRONG_TYPE,
 *   VOCAB_MISMATCH, BAD_BYTE_TOKEN, BAD_MERGE or LIMIT.
 */
export function readBpeJson(json: JsonObject, alphabet: ByteAlphabet): BpeModel {
  checkFields(json, 'json', TOP, TOP_OBJECTS);
  const added = asArray(json.added_tokens ?? [], 'added_tokens');
  if (added.length > 0) fail('UNSUPPORTED', 'added_tokens', 'no tokens', show(added));
  for (const [part, allowed] of PARTS) {
    if (part === 'post_processor' && json[part] == null) continue;
    checkFields(asObject(json[part], part), part, allowed, OFFSET_OPTIONS);
  }
  const model = asObject(json.model, 'model');
  checkFields(model, 'model', MODEL, ['vocab', 'merges']);

  const tokens = readVocab(asObject(model.vocab, 'model.vocab'), alphabet);
  const idOf = new Map(tokens.map((name, id) => [name, id]));
  const missing = alphabet.names.find((name) => !idOf.has(name));
  if (missing !== undefined)
    fail('VOCAB_MISMATCH', 'model.vocab', 'a token for each byte', `none for ${quote(missing)}`);
  return { tokens, merges: readMerges(asArray(model.merges, 'model.merges'), idOf) };
}

/** Throws unless each field of `object` has an allowed value or is one of `others`. */
function checkFields(
  object: JsonObject, path: string, allowed: Allowed, others: readonly string[],
): void {
  checkKnown(object, path, [...Object.keys(allowed), ...others]);
  for (const [field, values] of Object.entries(allowed)) {
    const value = object[field];
    if (!values.includes(value))
      fail('UNSUPPORTED', `${path}.${field}`, values.map(show).join(' or '), nameOf(value));
  }
}

function checkLimit(field: string, size: number): void {
  if (size > MAX_BPE_VOCAB)
    fail('LIMIT', field, `at most ${MAX_BPE_VOCAB} entries`, String(size));
}

/** Names by id. The ids must be 0 … n − 1, each once. */
function readVocab(vocab: JsonObject, alphabet: ByteAlphabet): string[] {
  const entries = Object.entries(vocab);
  const size = entries.length;
  checkLimit('model.vocab', size);
  const tokens = new Array<string | undefined>(size).fill(undefined);
  for (const [name, value] of entries) {
    const id = value as number;
    const got = `${show(value)} for ${quote(name)}`;
    if (!Number.isInteger(id) || id < 0 || id >= size)
      fail('VOCAB_MISMATCH', 'model.vocab', `ids from 0 to ${size - 1}`, got);
    if (tokens[id] !== undefined) fail('VOCAB_MISMATCH', 'model.vocab', 'each id once', got);
    if (name === '' || bytesOfName(alphabet, name) === undefined)
      fail('BAD_BYTE_TOKEN', 'model.vocab', 'names in the byte alphabet', quote(name));
    tokens[id] = name;
  }
  return tokens as string[];
}

function readMerges(value: readonly unknown[], idOf: ReadonlyMap<string, number>): Merge[] {
  checkLimit('model.merges', value.length);
  const seen = new Set<number>();
  return value.map((item, rank) => {
    const field = `model.merges[${rank}]`;
    const [leftName, rightName] = readPair(item, field);
    const idOfName = (name: string): number =>
      idOf.get(name) ?? fail('BAD_MERGE', field, 'tokens of the vocabulary', quote(name));
    const left = idOfName(leftName);
    const right = idOfName(rightName);
    const merged = idOfName(leftName + rightName);
    const key = left * MAX_BPE_VOCAB + right;
    if (seen.has(key))
      fail('BAD_MERGE', field, 'each pair once', `${quote(leftName)}, ${quote(rightName)} again`);
    seen.add(key);
    return { left, right, merged };
  });
}

/** Both ways to write a merge: `["a", "b"]`, and the older `"a b"`. */
function readPair(item: unknown, field: string): [string, string] {
  const pair: unknown = typeof item === 'string' ? item.split(' ') : item;
  if (!Array.isArray(pair) || pair.length !== 2 || pair.some((name) => typeof name !== 'string'))
    return fail('BAD_MERGE', field, 'two token names', show(item));
  return pair as [string, string];
}

/**
 * Byte-level BPE tokenizer: text → words → UTF-8 bytes → merges → ids.
 *
 * The 256 bytes are tokens, so no text is unknown; merges learned from a text make frequent
 * words one token. JSON form: a Hugging Face `tokenizer.json`.
 *
 * Source: Radford et al. 2019 (GPT-2); Sennrich et al. 2016 (arXiv 1508.07909).
 * @module
 */
import { checkInteger, checkString } from '../check.ts';
import { bytesOfName, createByteAlphabet, type ByteAlphabet } from './byte-alphabet.ts';
import { readBpeJson, writeBpeJson } from './bpe-json.ts';
import { MergeTable, mergeWord } from './bpe-merge.ts';
import { MAX_BPE_VOCAB, trainMerges, type BpeModel } from './bpe-train.ts';
import { checkTokenId, checkTokenIds, decodeUtf8 } from './ids.ts';
import type { JsonObject } from './json-fields.ts';
import { WordSplitter } from './split.ts';
import type { Tokenizer } from './types.ts';

/** Tokens for the bytes alone. */
const MIN_VOCAB = 256;

/** Words kept with their ids: about 4 MiB. When full, all are dropped at once. */
const CACHE_WORDS = 32_768;

/** Longer words are rare and not kept. UTF-16 units. */
const CACHE_WORD_LENGTH = 64;

/** What to learn. */
export interface BpeOptions {
  /** Number of tokens to reach, in [256, 2^20]: the 256 bytes and what merges add. */
  readonly vocabSize: number;
}

/**
 * Learns a byte-level BPE vocabulary from `text`.
 *
 * Stops early when no pair of tokens occurs twice, so `vocabSize` of the result may be smaller
 * than asked for. The same text gives the same vocabulary.
 *
 * @throws {TypeError} If `text` is no string or `vocabSize` no number.
 * @throws {RangeError} If `vocabSize` is no integer in [256, 2^20].
 * @example
 * const tokenizer = trainBpe('low low low', { vocabSize: 258 });
 * tokenizer.encode('low').length; // 1: first l + o was merged, then lo + w
 * tokenizer.decode(tokenizer.encode('slow')); // 'slow'
 */
export function trainBpe(text: string, options: BpeOptions): Tokenizer {
  checkString('trainBpe', 'text', text);
  const vocabSize = options?.vocabSize;
  checkInteger('trainBpe', 'vocabSize', vocabSize, MIN_VOCAB, MAX_BPE_VOCAB);
  const alphabet = createByteAlphabet();
  return bpeTokenizer(trainMerges(text, vocabSize, alphabet), alphabet);
}

/**
 * Makes the tokenizer of a parsed `tokenizer.json`.
 *
 * @throws {TokenizerError} See `readBpeJson`.
 */
export function bpeTokenizerOf(json: JsonObject): Tokenizer {
  const alphabet = createByteAlphabet();
  return bpeTokenizer(readBpeJson(json, alphabet), alphabet);
}

function bpeTokenizer(model: BpeModel, alphabet: ByteAlphabet): Tokenizer {
  const vocabSize = model.tokens.length;
  const bytes = model.tokens.map((name) => bytesOfName(alphabet, name)!);
  const encoder = new BpeEncoder(model, alphabet);
  return {
    kind: 'bpe',
    vocabSize,
    encode(text) {
      checkString('encode', 'text', text);
      return encoder.encode(text);
    },
    decode(ids) {
      checkTokenIds('decode', ids, vocabSize);
      return decodeUtf8(joinTokens(bytes, ids));
    },
    tokenBytes(id) {
      checkTokenId('tokenBytes', id, vocabSize);
      return bytes[id].slice();
    },
    toJson: () => writeBpeJson(model),
  };
}

function joinTokens(bytes: readonly Uint8Array[], ids: ArrayLike<number>): Uint8Array {
  let size = 0;
  for (let i = 0; i < ids.length; i++) size += bytes[ids[i]].length;
  const joined = new Uint8Array(size);
  let at = 0;
  for (let i = 0; i < ids.length; i++) {
    joined.set(bytes[ids[i]], at);
    at += bytes[ids[i]].length;
  }
  return joined;
}

/** Owns the tables of one vocabulary and the ids of words seen lately. */
class BpeEncoder {
  #table: MergeTable;
  /** Id of each byte: i32[256]. */
  #baseIds: Int32Array;
  #splitter = new WordSplitter();
  #utf8 = new TextEncoder();
  #cache = new Map<string, Int32Array>();

  constructor(model: BpeModel, alphabet: ByteAlphabet) {
    this.#table = new MergeTable(model.merges, model.tokens.length);
    const idOf = new Map(model.tokens.map((name, id) => [name, id]));
    this.#baseIds = Int32Array.from(alphabet.names, (name) => idOf.get(name)!);
  }

  encode(text: string): Uint32Array {
    let ids = new Uint32Array(Math.ceil(text.length / 2) + 8);
    let count = 0;
    for (let start = 0; start < text.length; ) {
      const end = this.#splitter.wordEnd(text, start);
      const wordIds = this.#encodeWord(text.slice(start, end));
      if (count + wordIds.length > ids.length) {
        const grown = new Uint32Array(2 * (count + wordIds.length));
        grown.set(ids);
        ids = grown;
      }
      ids.set(wordIds, count);
      count += wordIds.length;
      start = end;
    }
    return ids.slice(0, count);
  }

  #encodeWord(word: string): Int32Array {
    const known = this.#cache.get(word);
    if (known !== undefined) return known;
    const bytes = this.#utf8.encode(word);
    const symbols = new Int32Array(bytes.length);
    for (let i = 0; i < bytes.length; i++) symbols[i] = this.#baseIds[bytes[i]];
    const ids = mergeWord(this.#table, symbols);
    if (word.length <= CACHE_WORD_LENGTH) {
      if (this.#cache.size >= CACHE_WORDS) this.#cache.clear();
      // The key is a copy: engines let a slice of a string keep the whole string alive.
      this.#cache.set(decodeUtf8(bytes), ids.slice());
    }
    return ids;
  }
}

/**
 * The tokenizer of a real model: merging by `@huggingface/tokenizers`, special tokens by this file.
 *
 * The library is given no special tokens, so that text cannot contain any: "<|im_end|>" that a person
 * types is text. Special tokens come from `encodeTemplate` alone, which is told where they are allowed.
 * @module
 */
import { Tokenizer as Merger } from '@huggingface/tokenizers';
import { checkString } from '../check.ts';
import { TokenizerError } from '../errors.ts';
import { createByteAlphabet } from '../tokenizer/byte-alphabet.ts';
import type { Tokenizer, TokenizerKind } from '../tokenizer/types.ts';
import { Utf8Stream } from '../tokenizer/utf8-stream.ts';
import type { Vocabulary } from './gguf-vocabulary.ts';
import { TOKEN_TYPES } from './gguf-vocabulary.ts';
import { tokenizerJson } from './tokenizer-json.ts';

const utf8 = new TextEncoder();
const SPACE = '\u2581';
const NO_BYTES = new Uint8Array(0);

export class ModelTokenizer implements Tokenizer {
  readonly kind: TokenizerKind = 'bpe';
  readonly vocabSize: number;
  /** Ids that end a text. */
  readonly endTokens: readonly number[];
  /** Ids that stand for no text. */
  readonly specialTokens: readonly number[];
  readonly vocabulary: Vocabulary;
  readonly #merger: Merger;
  readonly #json: object;
  /** Ids of special tokens by their text. */
  readonly #special: ReadonlyMap<string, number>;
  readonly #specialPattern?: RegExp;
  readonly #byteOf = createByteAlphabet().byteOf;

  /** @param vocabSize rows of the embedding: may be more than there are tokens */
  constructor(vocabulary: Vocabulary, vocabSize: number, file?: string) {
    this.vocabulary = vocabulary;
    this.vocabSize = vocabSize;
    const { tokens, types } = vocabulary;
    this.endTokens = vocabulary.stops;
    this.specialTokens = tokens.flatMap((_, id) => (isSilent(types[id]) ? [id] : []));
    if (tokens.length > vocabSize)
      throw new TokenizerError('VOCAB_MISMATCH',
        `the tokenizer has ${tokens.length} tokens, the embedding ${vocabSize} rows`,
        { file, expected: vocabSize, actual: tokens.length });
    this.#special = new Map(tokens.flatMap((token, id) =>
      isSpecial(types[id]) ? [[token, id] as const] : []));
    this.#specialPattern = patternOf([...this.#special.keys()]);
    this.#json = tokenizerJson(vocabulary, (id) => isSpecial(types[id]), file);
    this.#merger = new Merger(this.#json, { clean_up_tokenization_spaces: false });
  }

  /** Ids of text, in which nothing is special. No token that begins texts is added. */
  encode(text: string): Uint32Array {
    checkString('encode', 'text', text);
    if (text === '') return new Uint32Array(0);
    return Uint32Array.from(this.#merger.encode(text, { add_special_tokens: false }).ids);
  }

  /** Ids of a prompt: `encode`, after the token that begins texts where the model wants it. */
  encodePrompt(text: string): Uint32Array {
    const { bos, addBos } = this.vocabulary, ids = this.encode(text);
    return addBos && bos !== undefined ? Uint32Array.of(bos, ...ids) : ids;
  }

  /**
   * Ids of a text in which special tokens stand for themselves.
   *
   * @param veil a character that is left out of the text: who put it into what looked like a special token
   *   has made it text
   */
  encodeTemplate(text: string, veil = ''): Uint32Array {
    const ids: number[] = [];
    const plain = (part: string): void => {
      for (const id of this.encode(veil ? part.replaceAll(veil, '') : part)) ids.push(id);
    };
    let from = 0;
    for (const match of this.#specialPattern ? text.matchAll(this.#specialPattern) : []) {
      plain(text.slice(from, match.index));
      ids.push(this.#special.get(match[0])!);
      from = match.index + match[0].length;
    }
    plain(text.slice(from));
    return Uint32Array.from(ids);
  }

  /** Whether the text has something in it that looks like a special token. */
  get specialPattern(): RegExp | undefined {
    return this.#specialPattern;
  }

  decode(ids: ArrayLike<number>): string {
    const stream = new Utf8Stream();
    let text = '';
    for (let i = 0; i < ids.length; i++) text += stream.push(this.tokenBytes(ids[i]));
    return text + stream.end();
  }

  /** Bytes of a token; none of a special one, and none of a row without a token. */
  tokenBytes(id: number): Uint8Array {
    const { tokens, types, model } = this.vocabulary;
    if (!(Number.isInteger(id) && id >= 0 && id < this.vocabSize))
      throw new TokenizerError('BAD_TOKEN_ID', `expected an id from 0 to ${this.vocabSize - 1}, got ${id}`,
        { expected: this.vocabSize, actual: id });
    const token = tokens[id];
    if (token === undefined || isSilent(types[id])) return NO_BYTES;
    if (types[id] === TOKEN_TYPES.userDefined) return utf8.encode(token);
    if (model === 'gpt2') return this.#alphabetBytes(token);
    const byte = types[id] === TOKEN_TYPES.byte ? /^<0x([0-9A-F]{2})>$/.exec(token) : null;
    return byte ? Uint8Array.of(parseInt(byte[1], 16)) : utf8.encode(token.replaceAll(SPACE, ' '));
  }

  #alphabetBytes(token: string): Uint8Array {
    const bytes = Array.from(token, (name) => this.#byteOf.get(name));
    return bytes.includes(undefined) ? utf8.encode(token) : Uint8Array.from(bytes as number[]);
  }

  /** A Hugging Face `tokenizer.json`, without the special tokens. */
  toJson(): string {
    return JSON.stringify(this.#json);
  }
}

const isSilent = (type: number): boolean => type === TOKEN_TYPES.control || type === TOKEN_TYPES.unknown;
const isSpecial = (type: number): boolean => type === TOKEN_TYPES.control || type === TOKEN_TYPES.userDefined;

/** Matches any of the texts, the longest where several begin in one place. */
function patternOf(texts: string[]): RegExp | undefined {
  const escaped = texts.filter((text) => text !== '').sort((a, b) => b.length - a.length || (a < b ? -1 : a > b ? 1 : 0))
    .map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  return escaped.length > 0 ? new RegExp(escaped.join('|'), 'gu') : undefined;
}

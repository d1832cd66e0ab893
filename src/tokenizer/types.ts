/**
 * What every tokenizer of this library can do, whatever its kind.
 *
 * Text is a JavaScript string, ids are u32 in [0, vocabSize). Lone surrogates have no UTF-8 form
 * and count as U+FFFD, as in `TextEncoder`; all other text round-trips.
 * @module
 */

/** Kinds of tokenizers: one id per byte, per code point, or per byte pair merge. */
export type TokenizerKind = 'bytes' | 'chars' | 'bpe';

/** Turns text into token ids and back. Made by `createTokenizer` or `tokenizerFromJson`. */
export interface Tokenizer {
  readonly kind: TokenizerKind;
  /** Number of tokens; ids are 0 … vocabSize − 1. */
  readonly vocabSize: number;
  /** Ids that end a text, as `</s>` does. Absent: there are none. */
  readonly endTokens?: readonly number[];
  /** Ids that stand for no text, those that end one included. Absent: there are none. */
  readonly specialTokens?: readonly number[];
  /**
   * Token ids of `text`: u32[T]. Deterministic; no special tokens are added.
   *
   * @throws {TypeError} If `text` is no string.
   * @throws {TokenizerError} UNKNOWN_CHARACTER, for kind `chars`, if the vocabulary lacks one.
   */
  encode(text: string): Uint32Array;
  /**
   * Text of `ids`; ill-formed UTF-8 becomes U+FFFD, a leading byte order mark is kept.
   *
   * @throws {TypeError} If `ids` is no array.
   * @throws {TokenizerError} BAD_TOKEN_ID with the index, if one is no id of this vocabulary.
   */
  decode(ids: ArrayLike<number>): string;
  /**
   * UTF-8 bytes of one token, a new array. A token may end inside a character, so join streamed
   * tokens with `Utf8Stream`.
   *
   * @throws {TokenizerError} BAD_TOKEN_ID if `id` is none of this vocabulary.
   */
  tokenBytes(id: number): Uint8Array;
  /**
   * A JSON string from which `tokenizerFromJson` makes the same tokenizer. For kind `bpe` it is
   * a Hugging Face `tokenizer.json`.
   */
  toJson(): string;
}

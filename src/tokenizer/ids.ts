/**
 * Checks of token ids, and the way from bytes to text, shared by all tokenizers.
 *
 * An id is an integer in [0, vocabSize). A wrong one is bad data, not a programming mistake:
 * it may come from a file or from a model with another vocabulary.
 * @module
 */
import { show } from '../check.ts';
import { TokenizerError } from '../errors.ts';

/**
 * Throws unless `id` is an integer in [0, vocabSize).
 *
 * @param index where the id stands in its sequence, for the message; omit for a single id
 * @throws {TokenizerError} BAD_TOKEN_ID.
 */
export function checkTokenId(fn: string, id: unknown, vocabSize: number, index?: number): void {
  if (Number.isInteger(id) && (id as number) >= 0 && (id as number) < vocabSize) return;
  const name = index === undefined ? 'id' : `ids[${index}]`;
  throw new TokenizerError(
    'BAD_TOKEN_ID',
    `${fn}: "${name}" expected an integer from 0 to ${vocabSize - 1}, got ${show(id)}`,
    { offset: index, actual: id, expected: vocabSize },
  );
}

/**
 * Throws unless `ids` is an array of integers in [0, vocabSize).
 *
 * @throws {TypeError} If it is no array, typed array or the like.
 * @throws {TokenizerError} BAD_TOKEN_ID, with the index of the first wrong id as `offset`.
 */
export function checkTokenIds(fn: string, ids: ArrayLike<number>, vocabSize: number): void {
  if (typeof ids !== 'object' || ids === null || !Number.isSafeInteger(ids.length))
    throw new TypeError(`${fn}: "ids" expected an array, got ${show(ids)}`);
  for (let i = 0; i < ids.length; i++) checkTokenId(fn, ids[i], vocabSize, i);
}

/**
 * Text of UTF-8 bytes. A leading byte order mark is kept; each maximal ill-formed part becomes
 * one U+FFFD, as the Encoding Standard says.
 *
 * @example
 * decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0xff)); // '\ufeffa\ufffd'
 */
export function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

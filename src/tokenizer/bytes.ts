/**
 * Byte tokenizer: the 256 ids are the bytes of UTF-8.
 *
 * Nothing is trained and no text is unknown, at the price of the longest sequences: one token
 * per ASCII letter, three per CJK character. JSON form: `{"type":"onebit/bytes"}`.
 *
 * Source: Xue et al. 2022, ByT5 (arXiv 2105.13626), without its special ids.
 * @module
 */
import { checkString } from '../check.ts';
import { checkTokenId, checkTokenIds, decodeUtf8 } from './ids.ts';
import type { Tokenizer } from './types.ts';

const VOCAB_SIZE = 256;

/** The `type` that marks a byte tokenizer in JSON. */
export const BYTES_TYPE = 'onebit/bytes';

/**
 * A tokenizer whose ids are the UTF-8 bytes of the text.
 *
 * @example
 * const tokenizer = createByteTokenizer();
 * tokenizer.encode('hé'); // Uint32Array [104, 195, 169]
 * tokenizer.decode([104, 195, 169]); // 'hé'
 */
export function createByteTokenizer(): Tokenizer {
  return {
    kind: 'bytes',
    vocabSize: VOCAB_SIZE,
    encode(text) {
      checkString('encode', 'text', text);
      return new Uint32Array(new TextEncoder().encode(text));
    },
    decode(ids) {
      checkTokenIds('decode', ids, VOCAB_SIZE);
      return decodeUtf8(Uint8Array.from(ids));
    },
    tokenBytes(id) {
      checkTokenId('tokenBytes', id, VOCAB_SIZE);
      return Uint8Array.of(id);
    },
    toJson: () => JSON.stringify({ type: BYTES_TYPE }),
  };
}

/**
 * Makes tokenizers: by kind from a text, and from the JSON they were saved as.
 *
 * JSON forms: `{"type":"onebit/bytes"}`, `{"type":"onebit/chars","characters":"…"}`, or a
 * Hugging Face `tokenizer.json` with a byte-level BPE model.
 * @module
 */
import { checkString, show } from '../check.ts';
import { TokenizerError } from '../errors.ts';
import { bpeTokenizerOf, trainBpe } from './bpe.ts';
import { BYTES_TYPE, createByteTokenizer } from './bytes.ts';
import { charTokenizerOf, CHARS_TYPE, createCharTokenizer } from './chars.ts';
import { asObject, checkKnown, fail, type JsonObject } from './json-fields.ts';
import type { Tokenizer, TokenizerKind } from './types.ts';

export type { Tokenizer, TokenizerKind } from './types.ts';

const DEFAULT_VOCAB_SIZE = 1024;

/** What to learn, for kinds that learn. */
export interface TokenizerOptions {
  /** For kind `bpe`: tokens to reach, in [256, 2^20]; default 1024. Other kinds ignore it. */
  readonly vocabSize?: number;
}

/**
 * Makes a tokenizer for `text`.
 *
 * @param text what `chars` and `bpe` learn from; `bytes` does not read it
 * @throws {TypeError} If `kind` or `text` is no string or `vocabSize` no number.
 * @throws {RangeError} If `kind` or `vocabSize` is out of range.
 * @throws {TokenizerError} VOCAB_MISMATCH or LIMIT, for kind `chars`, if the text has fewer
 *   than 2 or more than 65,536 distinct characters.
 * @example
 * createTokenizer('bytes', '').vocabSize; // 256
 * createTokenizer('chars', 'to be or not to be').vocabSize; // 7
 */
export function createTokenizer(
  kind: TokenizerKind, text: string, options: TokenizerOptions = {},
): Tokenizer {
  checkString('createTokenizer', 'kind', kind);
  checkString('createTokenizer', 'text', text);
  if (kind === 'bytes') return createByteTokenizer();
  if (kind === 'chars') return createCharTokenizer(text);
  if (kind === 'bpe')
    return trainBpe(text, { vocabSize: options.vocabSize ?? DEFAULT_VOCAB_SIZE });
  throw new RangeError(
    `createTokenizer: "kind" expected bytes, chars or bpe, got ${show(kind)}`,
  );
}

/**
 * Makes the tokenizer that `json` describes: what `toJson` wrote, or a `tokenizer.json` whose
 * model is byte-level BPE without special tokens.
 *
 * Nothing in it is ignored: what this library cannot do alike is an error.
 *
 * @throws {TypeError} If `json` is no string.
 * @throws {TokenizerError} BAD_JSON if it is not JSON; WRONG_TYPE if a field has the wrong
 *   type; UNSUPPORTED if it asks for what this library lacks; VOCAB_MISMATCH if the ids are not
 *   0 … n − 1, each once, or bytes or characters are missing or double; BAD_BYTE_TOKEN if a
 *   token has no bytes; BAD_MERGE if a merge is no pair of tokens that gives a token;
 *   ILL_FORMED_TEXT if a character is a lone surrogate; LIMIT if the vocabulary is too large.
 * @example
 * const saved = createTokenizer('chars', 'hello').toJson();
 * tokenizerFromJson(saved).decode([1, 0]); // 'he'
 */
export function tokenizerFromJson(json: string): Tokenizer {
  checkString('tokenizerFromJson', 'json', json);
  const object = parseObject(json);
  const { type } = object;
  if (type === BYTES_TYPE) {
    checkKnown(object, 'json', ['type']);
    return createByteTokenizer();
  }
  if (type === CHARS_TYPE) {
    checkKnown(object, 'json', ['type', 'characters']);
    if (typeof object.characters !== 'string')
      fail('WRONG_TYPE', 'characters', 'a string', show(object.characters));
    return charTokenizerOf('tokenizerFromJson', object.characters as string);
  }
  if (Object.hasOwn(object, 'model')) return bpeTokenizerOf(object);
  return fail('UNSUPPORTED', 'type', `${BYTES_TYPE}, ${CHARS_TYPE} or a model`, show(type));
}

function parseObject(json: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new TokenizerError('BAD_JSON', 'tokenizerFromJson: "json" is not JSON', { cause });
  }
  return asObject(value, 'json');
}

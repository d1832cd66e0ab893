/**
 * Character tokenizer: one id per distinct Unicode code point of a text.
 *
 * Short sequences for small alphabets (Shakespeare: 65 ids), but characters that the text
 * lacks cannot be encoded. Accents written as combining marks are code points of their own.
 * JSON form: `{"type":"onebit/chars","characters":"…"}`; the order of the characters is the
 * order of the ids.
 * @module
 */
import { checkString } from '../check.ts';
import { quote, TokenizerError } from '../errors.ts';
import { checkTokenId, checkTokenIds } from './ids.ts';
import type { Tokenizer } from './types.ts';

/** The `type` that marks a character tokenizer in JSON. */
export const CHARS_TYPE = 'onebit/chars';

/** Beyond this many characters a byte or BPE tokenizer serves better. */
const MAX_CHARACTERS = 65_536;

const REPLACEMENT = 0xfffd;

/** Lone surrogates, which have no UTF-8 form, count as U+FFFD. */
const wellFormed = (codePoint: number): number =>
  codePoint >= 0xd800 && codePoint <= 0xdfff ? REPLACEMENT : codePoint;

/**
 * A tokenizer of the distinct code points of `text`, ids in ascending order of code point.
 *
 * @param text at least 2 and at most 65,536 distinct characters
 * @throws {TypeError} If `text` is no string.
 * @throws {TokenizerError} VOCAB_MISMATCH if there are fewer, LIMIT if there are more.
 * @example
 * const tokenizer = createCharTokenizer('hello');
 * tokenizer.vocabSize; // 4: e, h, l, o
 * tokenizer.encode('hole'); // Uint32Array [1, 3, 2, 0]
 */
export function createCharTokenizer(text: string): Tokenizer {
  checkString('createCharTokenizer', 'text', text);
  const seen = new Set<number>();
  for (const character of text) seen.add(wellFormed(character.codePointAt(0)!));
  const codePoints = [...seen].sort((a, b) => a - b);
  return charTokenizer('createCharTokenizer', codePoints);
}

/**
 * A tokenizer whose ids are the positions in `characters`, as saved by `toJson`.
 *
 * @throws {TokenizerError} ILL_FORMED_TEXT for a lone surrogate; VOCAB_MISMATCH if a character
 *   occurs twice or there are fewer than 2; LIMIT if there are more than 65,536.
 */
export function charTokenizerOf(fn: string, characters: string): Tokenizer {
  const codePoints: number[] = [];
  for (const character of characters) {
    const codePoint = character.codePointAt(0)!;
    if (wellFormed(codePoint) !== codePoint)
      throw new TokenizerError(
        'ILL_FORMED_TEXT',
        `${fn}: "characters" expected well-formed text, got a lone surrogate as character ` +
          `${codePoints.length}`,
        { field: 'characters', offset: codePoints.length },
      );
    codePoints.push(codePoint);
  }
  return charTokenizer(fn, codePoints);
}

function charTokenizer(fn: string, codePoints: readonly number[]): Tokenizer {
  const idOf = indexCharacters(fn, codePoints);
  const vocabSize = codePoints.length;
  return {
    kind: 'chars',
    vocabSize,
    encode(text) {
      checkString('encode', 'text', text);
      return encodeCharacters(text, idOf);
    },
    decode(ids) {
      checkTokenIds('decode', ids, vocabSize);
      let text = '';
      for (let i = 0; i < ids.length; i++) text += String.fromCodePoint(codePoints[ids[i]]);
      return text;
    },
    tokenBytes(id) {
      checkTokenId('tokenBytes', id, vocabSize);
      return new TextEncoder().encode(String.fromCodePoint(codePoints[id]));
    },
    toJson() {
      const characters = codePoints.map((c) => String.fromCodePoint(c)).join('');
      return JSON.stringify({ type: CHARS_TYPE, characters });
    },
  };
}

/** Map from code point to id, after the checks of the vocabulary. */
function indexCharacters(fn: string, codePoints: readonly number[]): Map<number, number> {
  const found = codePoints.length;
  if (found > MAX_CHARACTERS)
    throw new TokenizerError(
      'LIMIT',
      `${fn}: expected at most ${MAX_CHARACTERS} distinct characters, got ${found}; ` +
        `use a tokenizer of kind bytes or bpe`,
      { expected: MAX_CHARACTERS, actual: found },
    );
  if (found < 2)
    throw new TokenizerError(
      'VOCAB_MISMATCH',
      `${fn}: expected at least 2 distinct characters, got ${found}`,
      { expected: 2, actual: found },
    );
  const idOf = new Map<number, number>();
  for (const [id, codePoint] of codePoints.entries()) {
    if (idOf.has(codePoint))
      throw new TokenizerError(
        'VOCAB_MISMATCH',
        `${fn}: "characters" expected distinct characters, got ` +
          `${nameCharacter(codePoint)} as ${idOf.get(codePoint)} and ${id}`,
        { field: 'characters', offset: id },
      );
    idOf.set(codePoint, id);
  }
  return idOf;
}

function encodeCharacters(text: string, idOf: ReadonlyMap<number, number>): Uint32Array {
  const ids = new Uint32Array(text.length); // at most one id per UTF-16 unit
  let count = 0;
  let index = 0;
  for (const character of text) {
    const codePoint = wellFormed(character.codePointAt(0)!);
    const id = idOf.get(codePoint);
    if (id === undefined)
      throw new TokenizerError(
        'UNKNOWN_CHARACTER',
        `encode: "text" has the character ${nameCharacter(codePoint)} at index ${index}, which ` +
          `is not among the ${idOf.size} of this vocabulary; remove it, make the tokenizer ` +
          `from text that has it, or use kind bytes or bpe`,
        { offset: index, actual: String.fromCodePoint(codePoint) },
      );
    ids[count++] = id;
    index += character.length;
  }
  return ids.slice(0, count);
}

/** A character for a message, as in `"é" (U+00E9)`. */
function nameCharacter(codePoint: number): string {
  const hex = codePoint.toString(16).toUpperCase().padStart(4, '0');
  return `${quote(String.fromCodePoint(codePoint))} (U+${hex})`;
}

/**
 * Splits text into the words within which byte pairs are merged, as GPT-2 does:
 *
 *     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * The pattern is scanned by hand: one pass, no backtracking, so a run of any length neither
 * overflows a regular expression's stack nor takes more than linear time. `\s`, `\p{L}` and
 * `\p{N}` are those of JavaScript: U+FEFF is white space, U+0085 is not (elsewhere it is the
 * other way round), and characters younger than the engine's Unicode count as "other".
 *
 * Source: Radford et al. 2019, and the published code (`encoder.py`).
 * @module
 */

const UNKNOWN = 0;
const LETTER = 1;
const NUMBER = 2;
const SPACE = 3;
const OTHER = 4;

const SPACE_CODE = 0x20;
const APOSTROPHE = 0x27;
const CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

const isLetter = /^\p{L}$/u;
const isNumber = /^\p{N}$/u;
const isSpace = /^\s$/u;

function classify(codePoint: number): number {
  const character = String.fromCodePoint(codePoint);
  if (isLetter.test(character)) return LETTER;
  if (isNumber.test(character)) return NUMBER;
  return isSpace.test(character) ? SPACE : OTHER;
}

/** Finds the words of a text one after the other. Owns a table of character classes, 64 KiB. */
export class WordSplitter {
  /** Class of each code point of the basic plane, filled as they occur. */
  #classes = new Uint8Array(0x10000);

  /**
   * Where the word that begins at `start` ends, in UTF-16 units. Never inside a surrogate pair
   * if `start` is not.
   *
   * @param start in [0, text.length)
   * @example
   * new WordSplitter().wordEnd("I'm here", 0); // 1
   * new WordSplitter().wordEnd("I'm here", 1); // 3
   * new WordSplitter().wordEnd("I'm here", 3); // 8: the space belongs to the word after it
   */
  wordEnd(text: string, start: number): number {
    const first = text.charCodeAt(start);
    if (first === APOSTROPHE) {
      const contraction = CONTRACTIONS.find((c) => text.startsWith(c, start));
      if (contraction !== undefined) return start + contraction.length;
    }
    const body = first === SPACE_CODE ? start + 1 : start;
    const kind = body < text.length ? this.#classAt(text, body) : SPACE;
    if (kind !== SPACE) return this.#runEnd(text, body, kind);

    // A run of white space leaves its last character to the word that follows.
    const end = this.#runEnd(text, start, SPACE);
    return end === text.length || end === start + 1 ? end : end - 1;
  }

  #runEnd(text: string, start: number, kind: number): number {
    let at = start;
    while (at < text.length && this.#classAt(text, at) === kind)
      at += text.codePointAt(at)! > 0xffff ? 2 : 1;
    return at;
  }

  #classAt(text: string, at: number): number {
    const codePoint = text.codePointAt(at)!;
    if (codePoint > 0xffff) return classify(codePoint);
    const known = this.#classes[codePoint];
    return known === UNKNOWN ? (this.#classes[codePoint] = classify(codePoint)) : known;
  }
}

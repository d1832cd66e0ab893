/**
 * Guesses what comes next: what followed the last tokens where they occurred before.
 *
 * The guess costs nothing, and reading several tokens at once costs little more than reading one; so
 * where a text repeats its prompt (summaries, code, JSON) several tokens are written per step. A guess
 * is only ever compared with the token that is drawn, so it never changes the text.
 *
 * Source: A. Saxena 2023, Prompt Lookup Decoding; Leviathan et al. 2023 (arXiv 2211.17192) for
 * checking guesses in one pass.
 * @module
 */

/** Tokens that must agree, tried from the longest down. */
const LONGEST_MATCH = 3;
const SHORTEST_MATCH = 2;

/** Length of the first guess; then it follows the success. */
const FIRST_DRAFT = 4;
const SHORTEST_DRAFT = 2;
const LONGEST_DRAFT = 16;

/** The tokens, at most `count`, that followed the latest earlier occurrence of the last ones. */
export function lookUp(ids: readonly number[], count: number): number[] {
  for (let n = Math.min(LONGEST_MATCH, ids.length - 1); n >= SHORTEST_MATCH; n--) {
    const last = ids.length - n;
    for (let at = last - 1; at >= 0; at--) {
      let same = 0;
      while (same < n && ids[at + same] === ids[last + same]) same++;
      if (same === n) return ids.slice(at + n, Math.min(at + n + count, ids.length));
    }
  }
  return [];
}

/** How many tokens to guess: more after success, fewer after failure. */
export class DraftLength {
  #length = FIRST_DRAFT;

  get length(): number {
    return this.#length;
  }

  /** All of a guess was right. */
  grow(): void {
    this.#length = Math.min(this.#length + 2, LONGEST_DRAFT);
  }

  /** Some of a guess was wrong. */
  shrink(): void {
    this.#length = Math.max(this.#length - 1, SHORTEST_DRAFT);
  }
}

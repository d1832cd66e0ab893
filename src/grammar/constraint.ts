/**
 * Which tokens may follow in a text that keeps to a grammar.
 *
 * The mask of a place is computed once, by a walk over the vocabulary, and kept: inside a string, say,
 * all places are the same one.
 * @module
 */
import { ConstraintError } from '../errors.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { Grammar } from './expression.ts';
import { buildNetwork } from './network.ts';
import { DEAD, MAX_DEPTH, Recognizer } from './recognizer.ts';
import { Vocabulary } from './vocabulary.ts';

/** Masks that are kept, V / 8 bytes each. */
const MAX_MASKS = 512;

/** A grammar made ready for a vocabulary. Serves any number of texts. */
export class TokenGrammar {
  readonly tokenizer: Tokenizer;
  readonly recognizer: Recognizer;
  readonly #vocabulary: Vocabulary;
  readonly #masks = new Map<number, Uint32Array>();
  #generation = 0;

  /** @throws {ConstraintError} LIMIT, UNSATISFIABLE */
  constructor(grammar: Grammar, tokenizer: Tokenizer, vocabulary = new Vocabulary(tokenizer)) {
    this.tokenizer = tokenizer;
    this.recognizer = new Recognizer(buildNetwork(grammar, MAX_DEPTH));
    this.#vocabulary = vocabulary;
  }

  /** Which tokens may follow at a place; not to be changed. */
  maskAt(place: number): Uint32Array {
    if (this.#masks.size >= MAX_MASKS || this.#generation !== this.recognizer.generation)
      this.#masks.clear();
    this.#generation = this.recognizer.generation;
    let mask = this.#masks.get(place);
    if (!mask) this.#masks.set(place, mask = this.#vocabulary.allowedAt(this.recognizer, place));
    return mask;
  }
}

/** One text that keeps to a grammar. */
export class Constraint {
  readonly #grammar: TokenGrammar;
  readonly #ends: readonly number[];
  /** The text so far, so that its place can be found again after places were forgotten. */
  readonly #text: number[] = [];
  #place: number;
  #generation: number;

  /** @param ends tokens that end a text */
  constructor(grammar: TokenGrammar, ends: Iterable<number>) {
    this.#grammar = grammar;
    this.#ends = [...ends];
    this.#place = grammar.recognizer.start();
    this.#generation = grammar.recognizer.generation;
  }

  /** Whether the text is whole and nothing may follow. */
  get complete(): boolean {
    const { recognizer } = this.#grammar;
    return recognizer.ends(this.#current()) && !recognizer.goesOn(this.#place);
  }

  /**
   * Bit per token: which may follow; tokens that end a text where it may end.
   *
   * @throws {ConstraintError} NO_TOKEN_FITS if the vocabulary lacks what must follow.
   */
  allowed(): Uint32Array {
    const { recognizer } = this.#grammar;
    recognizer.trim();
    const place = this.#current();
    let mask = this.#grammar.maskAt(place);
    if (recognizer.ends(place) && this.#ends.length > 0) {
      mask = mask.slice();
      for (const id of this.#ends) mask[id >> 5] |= 1 << (id & 31);
    }
    if (mask.every((word) => word === 0))
      throw new ConstraintError('NO_TOKEN_FITS',
        'the response format goes on with characters that no token of the vocabulary begins with');
    return mask;
  }

  /** Goes on by a token that was allowed and does not end the text. */
  push(id: number): void {
    let place = this.#current();
    for (const byte of this.#grammar.tokenizer.tokenBytes(id)) {
      place = this.#grammar.recognizer.step(place, byte);
      this.#text.push(byte);
    }
    if (place === DEAD) throw new RangeError(`push: "id" expected a token that is allowed, got ${id}`);
    this.#place = place;
  }

  /** The place of this text; found again if another text made the recognizer forget it. */
  #current(): number {
    const { recognizer } = this.#grammar;
    if (this.#generation === recognizer.generation) return this.#place;
    this.#generation = recognizer.generation;
    this.#place = this.#text.reduce(
      (place, byte) => recognizer.step(place, byte), recognizer.start());
    return this.#place;
  }
}

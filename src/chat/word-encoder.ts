/**
 * Words into ids, by byte pair encoding: merges in the order of a list, or of the tokens' scores.
 *
 * A score is that of what a pair becomes: any two neighbours whose text is a token can merge, the highest
 * score first, of equal pairs the leftmost. Characters without a token become their UTF-8 bytes `<0xXX>`.
 *
 * Source: Sennrich et al. 2016 (arXiv 1508.07909); Kudo and Richardson 2018 (arXiv 1808.06226).
 * @module
 */
import { TokenizerError, quote } from '../errors.ts';
import type { MergeRanks } from '../tokenizer/bpe-merge.ts';
import { mergeWord } from '../tokenizer/bpe-merge.ts';
import type { TokenizerPlan } from './plan.ts';

const NONE = -1;
/** Words kept with their ids, and the longest of them. */
const CACHE_WORDS = 32_768, CACHE_WORD_LENGTH = 64;

/** Merges by the score of what they give. */
class ScoreRanks implements MergeRanks {
  readonly #tokens: readonly string[];
  readonly #idOf: ReadonlyMap<string, number>;
  readonly #rankOf: Int32Array;
  readonly #byRank: Uint32Array;

  constructor(tokens: readonly string[], idOf: ReadonlyMap<string, number>, scores: readonly number[]) {
    this.#tokens = tokens;
    this.#idOf = idOf;
    const order = scores.map((_, id) => id).sort((a, b) => scores[b] - scores[a] || a - b);
    this.#byRank = Uint32Array.from(order);
    this.#rankOf = new Int32Array(tokens.length);
    for (const [rank, id] of order.entries()) this.#rankOf[id] = rank;
  }

  rank(left: number, right: number): number {
    if (left >= this.#tokens.length || right >= this.#tokens.length) return NONE;
    const id = this.#idOf.get(this.#tokens[left] + this.#tokens[right]);
    return id === undefined ? NONE : this.#rankOf[id];
  }

  merged(rank: number): number {
    return this.#byRank[rank];
  }
}

/** Merges in the order of a list; a pair that is listed twice has its first place. */
class ListRanks implements MergeRanks {
  readonly #ranks: (Map<number, number> | undefined)[];
  readonly #merged: Uint32Array;

  constructor(
    merges: readonly (readonly [string, string])[], idOf: ReadonlyMap<string, number>, vocabSize: number,
  ) {
    this.#ranks = new Array<Map<number, number> | undefined>(vocabSize).fill(undefined);
    this.#merged = new Uint32Array(merges.length);
    for (const [rank, [a, b]] of merges.entries()) {
      const left = idOf.get(a), right = idOf.get(b), merged = idOf.get(a + b);
      if (left === undefined || right === undefined || merged === undefined)
        throw new TokenizerError('BAD_MERGE',
          `merge ${rank} joins ${quote(a)} and ${quote(b)}, which are not tokens that give a token`,
          { offset: rank, field: 'merges', actual: [a, b] });
      const rights = this.#ranks[left] ??= new Map<number, number>();
      if (!rights.has(right)) rights.set(right, rank);
      this.#merged[rank] = merged;
    }
  }

  rank(left: number, right: number): number {
    return this.#ranks[left]?.get(right) ?? NONE;
  }

  merged(rank: number): number {
    return this.#merged[rank];
  }
}

/** Owns the tables of one vocabulary and the ids of words seen lately. */
export class WordEncoder {
  readonly #idOf: ReadonlyMap<string, number>;
  readonly #ranks: MergeRanks;
  readonly #size: number;
  readonly #wholeWords: boolean;
  readonly #byteIds: readonly (number | undefined)[];
  readonly #unknown?: number;
  readonly #cache = new Map<string, Int32Array>();

  /**
   * @param idOf ids of the tokens that are text
   * @throws {TokenizerError} BAD_MERGE
   */
  constructor({ tokens, rule, kinds, unknownToken }: TokenizerPlan, idOf: ReadonlyMap<string, number>) {
    this.#idOf = idOf;
    this.#size = tokens.length;
    this.#unknown = unknownToken;
    this.#wholeWords = 'merges' in rule && rule.wholeWords;
    this.#ranks = 'merges' in rule
      ? new ListRanks(rule.merges, idOf, tokens.length)
      : new ScoreRanks(tokens, idOf, rule.scores);
    const byteIds: (number | undefined)[] = [];
    for (const [id, kind] of kinds.entries())
      if (kind === 'byte') byteIds[Number.parseInt(tokens[id].slice(3, 5), 16)] ??= id;
    this.#byteIds = byteIds;
  }

  /**
   * The ids of one word, a view that must not be changed.
   *
   * @throws {TokenizerError} UNKNOWN_CHARACTER if a character has no token, nor have its bytes.
   */
  encode(word: string): Int32Array {
    const known = this.#cache.get(word);
    if (known) return known;
    const whole = this.#wholeWords ? this.#idOf.get(word) : undefined;
    const ids = whole === undefined ? this.#merged(word) : Int32Array.of(whole);
    if (word.length <= CACHE_WORD_LENGTH) {
      if (this.#cache.size >= CACHE_WORDS) this.#cache.clear();
      this.#cache.set(word.split('').join(''), ids); // a copy: a slice would keep the whole text alive
    }
    return ids;
  }

  #merged(word: string): Int32Array {
    const symbols = new Int32Array(word.length);
    let count = 0, unknown = false;
    for (const character of word) {
      const id = this.#idOf.get(character);
      unknown ||= id === undefined;
      symbols[count++] = id ?? this.#size + character.codePointAt(0)!;
    }
    const merged = mergeWord(this.#ranks, symbols.subarray(0, count));
    return unknown ? this.#withBytes(merged) : merged.slice();
  }

  /** Characters without a token, as bytes. */
  #withBytes(symbols: Int32Array): Int32Array {
    const utf8 = new TextEncoder(), ids: number[] = [];
    for (const symbol of symbols) {
      if (symbol < this.#size) {
        ids.push(symbol);
        continue;
      }
      const character = String.fromCodePoint(symbol - this.#size);
      const bytes = Array.from(utf8.encode(character), (byte) => this.#byteIds[byte]);
      if (bytes.every((id) => id !== undefined)) ids.push(...bytes);
      else if (this.#unknown !== undefined) ids.push(this.#unknown);
      else throw new TokenizerError('UNKNOWN_CHARACTER',
        `the vocabulary has no token for ${quote(character)}, nor for its bytes`, { actual: character });
    }
    return Int32Array.from(ids);
  }
}

/**
 * Learns byte pair merges from a text: again and again the most frequent pair of neighbouring
 * symbols within a word becomes a new symbol.
 *
 * A pair's count is the number of places where it stands, overlapping ones included ("aaa" has
 * two of "aa"). Of equally frequent pairs the one with the lower left id is merged, then the
 * one with the lower right id. The order is total and all counts are integers, so a text gives
 * the same merges on every engine (as far as these agree on what is a letter); they are those
 * of the Hugging Face trainer with `min_frequency` 2.
 *
 * Distinct words are counted once and laid out one after the other as a linked list. Each pair
 * knows its places, so a merge costs time for the places it changes, not for the text.
 *
 * Source: Sennrich et al. 2016, §3.2 (arXiv 1508.07909).
 * @module
 */
import type { ByteAlphabet } from './byte-alphabet.ts';
import type { Merge } from './bpe-merge.ts';
import { PairHeap } from './heap.ts';
import { WordSplitter } from './split.ts';

/** A vocabulary of byte-level tokens and the merges that form them. */
export interface BpeModel {
  /** Names of the tokens in the byte alphabet; the index is the id. */
  readonly tokens: readonly string[];
  /** Merges, lowest rank first. */
  readonly merges: readonly Merge[];
}

/** Ids stay below this, so that a pair of ids is an exact integer below 2^40. */
export const MAX_BPE_VOCAB = 2 ** 20;

/** A pair that occurs once is no pattern. */
const MIN_COUNT = 2;

const NONE = -1;

/** Where a pair stands, and how often in the text. */
interface Pair {
  count: number;
  places: number[];
}

type Pairs = Map<number, Pair>;

/** The distinct words, one after the other; arrays by place. */
interface Words {
  /** Id of the symbol here, NONE where it was merged into one before. */
  symbols: Int32Array;
  /** Place of the next symbol of the word, NONE at its end. */
  next: Int32Array;
  previous: Int32Array;
  /** How often the word occurs in the text. */
  weights: Float64Array;
}

const pairKey = (left: number, right: number): number => left * MAX_BPE_VOCAB + right;

/**
 * Learns merges until there are `vocabSize` tokens or no pair occurs twice.
 *
 * No two merges give the same bytes: wherever these bytes stand unbroken, the earlier merges
 * have cut them in the same way, so the first merge that gives them takes all their places.
 *
 * @param vocabSize integer in [256, MAX_BPE_VOCAB]
 */
export function trainMerges(text: string, vocabSize: number, alphabet: ByteAlphabet): BpeModel {
  const tokens = Array.from(alphabet.order, (byte) => alphabet.names[byte]);
  const merges: Merge[] = [];
  const words = layOutWords(countWords(text), alphabet);
  const pairs = countPairs(words);
  const queue = new PairHeap();
  for (const [key, pair] of pairs) queue.push(-pair.count, key);

  while (tokens.length < vocabSize) {
    const key = takeMostFrequent(queue, pairs);
    if (key === NONE) break;
    const left = Math.floor(key / MAX_BPE_VOCAB);
    const right = key % MAX_BPE_VOCAB;
    const merge = { left, right, merged: tokens.length };
    tokens.push(tokens[left] + tokens[right]);
    merges.push(merge);
    for (const found of mergePair(words, pairs, merge))
      queue.push(-pairs.get(found)!.count, found);
  }
  return { tokens, merges };
}

function countWords(text: string): Map<string, number> {
  const splitter = new WordSplitter();
  const counts = new Map<string, number>();
  for (let start = 0; start < text.length; ) {
    const end = splitter.wordEnd(text, start);
    const word = text.slice(start, end);
    counts.set(word, (counts.get(word) ?? 0) + 1);
    start = end;
  }
  return counts;
}

function layOutWords(counts: ReadonlyMap<string, number>, alphabet: ByteAlphabet): Words {
  const idOfByte = new Uint8Array(256);
  for (const [id, byte] of alphabet.order.entries()) idOfByte[byte] = id;
  const encoder = new TextEncoder();
  const encoded = Array.from(counts.keys(), (word) => encoder.encode(word));
  const size = encoded.reduce((sum, bytes) => sum + bytes.length, 0);
  const words: Words = {
    symbols: new Int32Array(size),
    next: new Int32Array(size),
    previous: new Int32Array(size),
    weights: new Float64Array(size),
  };
  const weights = [...counts.values()];
  let place = 0;
  for (const [index, bytes] of encoded.entries()) {
    const last = place + bytes.length - 1;
    for (let i = 0; i < bytes.length; i++, place++) {
      words.symbols[place] = idOfByte[bytes[i]];
      words.next[place] = place < last ? place + 1 : NONE;
      words.previous[place] = i > 0 ? place - 1 : NONE;
      words.weights[place] = weights[index];
    }
  }
  return words;
}

function countPairs({ symbols, next, weights }: Words): Pairs {
  const pairs: Pairs = new Map();
  for (let place = 0; place < symbols.length; place++) {
    if (next[place] !== NONE)
      addPair(pairs, pairKey(symbols[place], symbols[next[place]]), place, weights[place]);
  }
  return pairs;
}

function addPair(pairs: Pairs, key: number, place: number, weight: number): void {
  const pair = pairs.get(key);
  if (pair === undefined) {
    pairs.set(key, { count: weight, places: [place] });
    return;
  }
  pair.count += weight;
  pair.places.push(place);
}

/**
 * Key of the most frequent pair, taken off the queue; NONE if no pair occurs twice.
 *
 * A pair is in the queue once, and its count has only fallen since it was put there.
 */
function takeMostFrequent(queue: PairHeap, pairs: Pairs): number {
  while (queue.size > 0 && -queue.first >= MIN_COUNT) {
    const offered = -queue.first;
    const key = queue.second;
    const { count } = pairs.get(key)!;
    queue.pop();
    if (count === offered) return key;
    queue.push(-count, key);
  }
  return NONE;
}

/**
 * Merges one pair wherever it stands, left to right. Returns the keys of the pairs this made.
 *
 * A pair is made by the merge that makes its newer half, and by no other; so its places are
 * noted in one pass and ascend. Places it has lost since are passed over.
 */
function mergePair(words: Words, pairs: Pairs, { left, right, merged }: Merge): Set<number> {
  const { symbols, next, previous, weights } = words;
  const made = new Set<number>();
  const replace = (old: number, fresh: number, place: number): void => {
    const pair = pairs.get(old);
    if (pair !== undefined) pair.count -= weights[place]; // else it is the one being merged
    addPair(pairs, fresh, place, weights[place]);
    made.add(fresh);
  };

  const { places } = pairs.get(pairKey(left, right))!;
  pairs.delete(pairKey(left, right));
  for (const place of places) {
    const gone = next[place];
    if (symbols[place] !== left || gone === NONE || symbols[gone] !== right) continue;
    const before = previous[place];
    const after = next[gone];
    symbols[place] = merged;
    symbols[gone] = NONE;
    next[place] = after;
    if (before !== NONE)
      replace(pairKey(symbols[before], left), pairKey(symbols[before], merged), before);
    if (after !== NONE) {
      previous[after] = place;
      replace(pairKey(right, symbols[after]), pairKey(merged, symbols[after]), place);
    }
  }
  return made;
}

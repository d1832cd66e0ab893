/**
 * Applies byte pair merges to one word: as long as neighbours have a merge, the one of lowest
 * rank is done first, the leftmost of equal ones before the others.
 *
 * The word is a linked list and the candidate merges wait in a heap, so n bytes take
 * O(n log n): each merge removes one symbol and offers at most two new candidates. Looking for
 * the best pair anew after each merge, the common way, is O(n²) and stalls on a long word.
 *
 * Source: Sennrich et al. 2016, §3.2 (arXiv 1508.07909), with byte-level symbols.
 * @module
 */
import { PairHeap } from './heap.ts';

/** Ids of two neighbours and of the token they become. Its index in a list is its rank. */
export interface Merge {
  readonly left: number;
  readonly right: number;
  readonly merged: number;
}

const NONE = -1;

/** What `mergeWord` asks: which neighbours merge, which first, and into what. */
export interface MergeRanks {
  /** Rank of the merge of `left` and `right`, lowest first, or −1. */
  rank(left: number, right: number): number;
  /** What merges of this rank give. */
  merged(rank: number): number;
}

/** Merges by their pair. Owns one small map per id that is the left of a merge. */
export class MergeTable implements MergeRanks {
  #merges: readonly Merge[];
  #ranks: (Map<number, number> | undefined)[];

  /** @param merges by rank, no pair twice */
  constructor(merges: readonly Merge[], vocabSize: number) {
    this.#merges = merges;
    this.#ranks = new Array(vocabSize).fill(undefined);
    for (const [rank, { left, right }] of merges.entries())
      (this.#ranks[left] ??= new Map()).set(right, rank);
  }

  /** Rank of the merge of `left` and `right`, or −1. */
  rank(left: number, right: number): number {
    return this.#ranks[left]?.get(right) ?? NONE;
  }

  /** What the merge of this rank gives. */
  merged(rank: number): number {
    return this.#merges[rank].merged;
  }
}

/**
 * Merges the symbols of one word in place.
 *
 * @param symbols i32[n] base ids of the bytes; overwritten
 * @returns the ids, a view of the start of `symbols`
 * @example
 * const table = new MergeTable([{ left: 0, right: 1, merged: 2 }], 3);
 * mergeWord(table, Int32Array.of(0, 0, 1, 1)); // Int32Array [0, 2, 1]
 */
export function mergeWord(table: MergeRanks, symbols: Int32Array): Int32Array {
  const size = symbols.length;
  const next = new Int32Array(size);
  const previous = new Int32Array(size);
  /** Rank of the merge of the symbol here with the next one; NONE also where it is gone. */
  const ranks = new Int32Array(size);
  const queue = new PairHeap();

  const offer = (at: number): void => {
    const rank = next[at] < size ? table.rank(symbols[at], symbols[next[at]]) : NONE;
    ranks[at] = rank;
    if (rank !== NONE) queue.push(rank, at);
  };

  for (let at = 0; at < size; at++) {
    next[at] = at + 1;
    previous[at] = at - 1;
    offer(at);
  }
  while (queue.size > 0) {
    const rank = queue.first;
    const at = queue.second;
    queue.pop();
    if (ranks[at] !== rank) continue; // a neighbour was merged since this was offered

    symbols[at] = table.merged(rank);
    const gone = next[at];
    ranks[gone] = NONE;
    next[at] = next[gone];
    if (next[at] < size) previous[next[at]] = at;
    offer(at);
    if (previous[at] !== NONE) offer(previous[at]);
  }

  let count = 0;
  for (let at = 0; at < size; at = next[at]) symbols[count++] = symbols[at];
  return symbols.subarray(0, count);
}

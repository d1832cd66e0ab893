/**
 * Reads a text of a grammar byte by byte, and always knows which bytes may follow.
 *
 * A place in the text is a set of pairs of a state and a stack of states to return to. The sets are
 * made when they are first met and numbered, and so are the steps between them: after a while reading
 * is one look into a table for each byte. Stacks are shared lists, each kept once.
 *
 * Only pairs from which the text can still be ended within the bound of nesting are kept. So every
 * place that is not `DEAD` has an ending.
 * @module
 */
import type { Network } from './network.ts';

/** Rules that may be inside one another. */
export const MAX_DEPTH = 64;
/** The place that no text goes on from. */
export const DEAD = 0;

const UNKNOWN = -1;
/** Places that are kept, 1 kB each; beyond, all are forgotten and made again as they are met. */
const MAX_PLACES = 2 ** 14;

interface Stack {
  readonly to: number;
  readonly below: number;
  readonly depth: number;
}

interface Place {
  /** Pairs that read bytes, as stack · states + state, ascending. */
  readonly pairs: readonly number[];
  /** Whether the text may end here. */
  readonly ends: boolean;
  /** i32[256]: the place after each byte. */
  readonly next: Int32Array;
}

export class Recognizer {
  readonly #network: Network;
  #stacks: Stack[] = [];
  #stackIds = new Map<number, number>();
  #places: Place[] = [];
  #placeIds = new Map<string, number>();
  /** Grows when places are forgotten: the numbers of before mean nothing then. */
  generation = 0;

  constructor(network: Network) {
    this.#network = network;
    this.#forget();
  }

  /** The place before any text. */
  start(): number {
    return this.#place(this.#reach([[this.#network.start, 0]]));
  }

  /** The place after one more byte. */
  step(place: number, byte: number): number {
    const next = this.#places[place].next[byte];
    return next === UNKNOWN ? this.#newStep(place, byte) : next;
  }

  /** Whether the text may end here. */
  ends(place: number): boolean {
    return this.#places[place].ends;
  }

  /** Whether the text can go on. */
  goesOn(place: number): boolean {
    return this.#places[place].pairs.length > 0;
  }

  /** Forgets all places if there are too many. */
  trim(): void {
    if (Math.max(this.#places.length, this.#stacks.length >> 4) < MAX_PLACES) return;
    this.#forget();
    this.generation++;
  }

  #forget(): void {
    this.#stacks = [{ to: -1, below: -1, depth: 0 }];
    this.#stackIds.clear();
    this.#places = [{ pairs: [], ends: false, next: new Int32Array(256) }];
    this.#placeIds = new Map([['false', DEAD]]);
  }

  #newStep(place: number, byte: number): number {
    const { states } = this.#network, found: [number, number][] = [];
    for (const pair of this.#places[place].pairs) {
      const state = pair % states.length, stack = (pair - state) / states.length;
      for (const { low, high, to } of states[state].bytes)
        if (low <= byte && byte <= high) found.push([to, stack]);
    }
    const next = this.#place(this.#reach(found));
    this.#places[place].next[byte] = next;
    return next;
  }

  /** All that is the same as being at one of `pairs`. */
  #reach(pairs: [state: number, stack: number][]): { pairs: number[]; ends: boolean } {
    const { states, heights } = this.#network, seen = new Set<number>(), reading: number[] = [];
    let ends = false;
    for (let pair = pairs.pop(); pair; pair = pairs.pop()) {
      const [at, stack] = pair, key = stack * states.length + at;
      const { to, below, depth } = this.#stacks[stack];
      if (seen.has(key) || depth + heights[at] > MAX_DEPTH) continue;
      seen.add(key);
      const state = states[at];
      if (state.bytes.length > 0) reading.push(key);
      for (const other of state.same) pairs.push([other, stack]);
      for (const call of state.calls) pairs.push([call.start, this.#stack(call.to, stack, depth + 1)]);
      if (state.end && stack === 0) ends = true;
      else if (state.end) pairs.push([to, below]);
    }
    return { pairs: reading.sort((a, b) => a - b), ends };
  }

  /** The stack with `to` on top of another. */
  #stack(to: number, below: number, depth: number): number {
    const key = below * this.#network.states.length + to;
    let id = this.#stackIds.get(key);
    if (id === undefined) {
      id = this.#stacks.push({ to, below, depth }) - 1;
      this.#stackIds.set(key, id);
    }
    return id;
  }

  #place({ pairs, ends }: { pairs: readonly number[]; ends: boolean }): number {
    const key = [...pairs, ends].join();
    let id = this.#placeIds.get(key);
    if (id === undefined) {
      id = this.#places.push({ pairs, ends, next: new Int32Array(256).fill(UNKNOWN) }) - 1;
      this.#placeIds.set(key, id);
    }
    return id;
  }
}

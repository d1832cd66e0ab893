/**
 * Priority queue of pairs of numbers, least first: by `first`, then by `second`.
 *
 * A binary heap in two arrays; push and pop take O(log size). The order is total, so what comes
 * out does not depend on the order of pushing.
 *
 * Source: Williams 1964, Algorithm 232 (Heapsort).
 * @module
 */

/** A binary min-heap of (first, second). Owns two arrays of its size. */
export class PairHeap {
  #first: number[] = [];
  #second: number[] = [];

  get size(): number {
    return this.#first.length;
  }

  /** `first` of the least pair; meaningless when empty. */
  get first(): number {
    return this.#first[0];
  }

  /** `second` of the least pair; meaningless when empty. */
  get second(): number {
    return this.#second[0];
  }

  /** Adds a pair. NaN is not allowed. */
  push(first: number, second: number): void {
    const firsts = this.#first;
    const seconds = this.#second;
    let hole = firsts.length;
    firsts.push(first);
    seconds.push(second);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = firsts[parent];
      if (above < first || (above === first && seconds[parent] <= second)) break;
      firsts[hole] = above;
      seconds[hole] = seconds[parent];
      hole = parent;
    }
    firsts[hole] = first;
    seconds[hole] = second;
  }

  /** Removes the least pair. The heap must not be empty. */
  pop(): void {
    const firsts = this.#first;
    const seconds = this.#second;
    const first = firsts.pop()!;
    const second = seconds.pop()!;
    const size = firsts.length;
    if (size === 0) return;
    let hole = 0;
    for (let child = 1; child < size; child = 2 * hole + 1) {
      const right = child + 1;
      if (right < size && (firsts[right] < firsts[child] ||
        (firsts[right] === firsts[child] && seconds[right] < seconds[child]))) child = right;
      const below = firsts[child];
      if (first < below || (first === below && second <= seconds[child])) break;
      firsts[hole] = below;
      seconds[hole] = seconds[child];
      hole = child;
    }
    firsts[hole] = first;
    seconds[hole] = second;
  }
}

/**
 * Room for the intermediate values of a pass: handed out in order, given back all at once.
 *
 * Chunks come from the heap when first needed and stay, so a pass that has run once allocates
 * nothing the next time. Contents are not cleared between uses by the same owner.
 * @module
 */
import type { Heap } from './heap.ts';

const ALIGN = 16;
/** Smallest chunk taken from the heap. */
const CHUNK = 1 << 20;

/** A place to return to. */
export interface Mark {
  readonly chunk: number;
  readonly at: number;
}

export class Workspace {
  readonly #heap: Heap;
  readonly #chunks: { ptr: number; bytes: number }[] = [];
  #chunk = 0;
  #at = 0;

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  /** Address of `bytes` bytes, 16-byte aligned, valid until `release` of an earlier mark. */
  alloc(bytes: number): number {
    const size = Math.ceil(bytes / ALIGN) * ALIGN;
    while (this.#chunk < this.#chunks.length) {
      const { ptr, bytes: room } = this.#chunks[this.#chunk];
      if (this.#at + size <= room) {
        this.#at += size;
        return ptr + this.#at - size;
      }
      this.#chunk++;
      this.#at = 0;
    }
    const room = Math.max(CHUNK, size);
    this.#chunks.push({ ptr: this.#heap.alloc(room), bytes: room });
    return this.alloc(bytes);
  }

  mark(): Mark {
    return { chunk: this.#chunk, at: this.#at };
  }

  /** Gives back everything handed out since `mark`. */
  release(mark: Mark): void {
    this.#chunk = mark.chunk;
    this.#at = mark.at;
  }

  /** Gives back everything. */
  reset(): void {
    this.release({ chunk: 0, at: 0 });
  }

  /** Returns the chunks to the heap, zeroed. */
  dispose(): void {
    for (const { ptr } of this.#chunks) this.#heap.free(ptr);
    this.#chunks.length = 0;
    this.reset();
  }
}

/**
 * Blocks of linear memory: first fit over a list of free blocks, 16-byte aligned.
 *
 * A freed block is zeroed at once, so no owner sees another's bytes. The bookkeeping is kept in
 * JavaScript: nothing that a kernel writes can damage it.
 * @module
 */
import { EngineError } from '../errors.ts';

const ALIGN = 16;
const PAGE = 65_536;

interface Span {
  ptr: number;
  bytes: number;
}

/** Owns all of a memory above `base`. */
export class Heap {
  readonly #memory: WebAssembly.Memory;
  /** Free blocks by rising address; no two touch. */
  readonly #free: Span[] = [];
  readonly #used = new Map<number, number>();
  /** End of what was ever handed out. */
  #top: number;

  constructor(memory: WebAssembly.Memory, base: number) {
    this.#memory = memory;
    this.#top = align(base);
  }

  /** Bytes in use. */
  get usedBytes(): number {
    let sum = 0;
    for (const bytes of this.#used.values()) sum += bytes;
    return sum;
  }

  /**
   * A zeroed block of at least `bytes` bytes; its address. May grow the memory, which detaches
   * every view made before.
   *
   * @throws {EngineError} OUT_OF_MEMORY if the memory cannot grow that far; nothing is changed.
   */
  alloc(bytes: number): number {
    const size = Math.max(ALIGN, align(bytes));
    for (let i = 0; i < this.#free.length; i++) {
      const span = this.#free[i];
      if (span.bytes < size) continue;
      const ptr = span.ptr;
      span.ptr += size;
      span.bytes -= size;
      if (span.bytes === 0) this.#free.splice(i, 1);
      this.#used.set(ptr, size);
      return ptr;
    }
    const last = this.#free.at(-1);
    const adjoins = last !== undefined && last.ptr + last.bytes === this.#top;
    const ptr = adjoins ? last.ptr : this.#top;
    this.#growTo(ptr + size);
    if (adjoins) this.#free.pop();
    this.#top = ptr + size;
    this.#used.set(ptr, size);
    return ptr;
  }

  /** Zeroes a block and takes it back. A pointer that is not in use is an error of ours. */
  free(ptr: number): void {
    const bytes = this.#used.get(ptr);
    if (bytes === undefined) throw new RangeError(`free: "ptr" expected a used block, got ${ptr}`);
    this.#used.delete(ptr);
    new Uint8Array(this.#memory.buffer, ptr, bytes).fill(0);
    let i = this.#free.findIndex((span) => span.ptr > ptr);
    if (i < 0) i = this.#free.length;
    this.#free.splice(i, 0, { ptr, bytes });
    this.#join(i);
    if (i > 0) this.#join(i - 1);
  }

  /** Joins free block i with the next one where they touch. */
  #join(i: number): void {
    const span = this.#free[i], next = this.#free[i + 1];
    if (!next || span.ptr + span.bytes !== next.ptr) return;
    span.bytes += next.bytes;
    this.#free.splice(i + 1, 1);
  }

  /** The result of `work`; if it throws, every block that it took is given back. */
  allOrNothing<R>(work: () => R): R {
    const before = new Set(this.#used.keys());
    try {
      return work();
    } catch (error) {
      for (const ptr of [...this.#used.keys()]) if (!before.has(ptr)) this.free(ptr);
      throw error;
    }
  }

  #growTo(end: number): void {
    const missing = end - this.#memory.buffer.byteLength;
    if (missing <= 0) return;
    try {
      this.#memory.grow(Math.ceil(missing / PAGE));
    } catch (cause) {
      throw new EngineError('OUT_OF_MEMORY',
        `out of memory: needs ${end} bytes, has ${this.#memory.buffer.byteLength}; ` +
        'try a smaller model, context or batch',
        { expected: end, actual: this.#memory.buffer.byteLength, cause });
    }
  }
}

const align = (bytes: number): number => Math.ceil(bytes / ALIGN) * ALIGN;

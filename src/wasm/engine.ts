/**
 * The engine: one instance of the kernels, one linear memory, and the books of who owns what.
 * @module
 */
import { EngineError } from '../errors.ts';
import type { KernelExports } from './exports.ts';
import { Heap } from './heap.ts';
import { instantiateKernels } from './kernels.ts';

/** 4 GiB in pages: the most that 32-bit memory can have. */
const MAX_PAGES = 65_536;

export interface EngineOptions {
  /** The kernels, compiled. `createEngine` of the main entry brings its own. */
  module: WebAssembly.Module;
  /** Upper bound of the memory in bytes. Default: 4 GiB. */
  maxMemory?: number;
}

/** What the engine runs on. */
export interface EngineInfo {
  readonly threads: number;
  readonly simd: 'baseline';
  readonly memoryBytes: number;
}

export class Engine {
  readonly kernels: KernelExports;
  readonly memory: WebAssembly.Memory;
  readonly heap: Heap;
  #state: 'open' | 'closed' | 'poisoned' = 'open';

  /** @throws {EngineError} NO_WASM if the module is not ours; OUT_OF_MEMORY. */
  constructor(options: EngineOptions) {
    const maxPages = Math.min(MAX_PAGES, Math.ceil((options.maxMemory ?? MAX_PAGES * 65_536) / 65_536));
    this.memory = new WebAssembly.Memory({ initial: Math.min(16, maxPages), maximum: maxPages });
    this.kernels = instantiateKernels(options.module, this.memory);
    this.heap = new Heap(this.memory, this.kernels.heapBase());
  }

  get info(): EngineInfo {
    return { threads: 1, simd: 'baseline', memoryBytes: this.memory.buffer.byteLength };
  }

  /** f32[n] at `ptr`. Valid until the memory grows: use it at once, never keep it. */
  f32(ptr: number, n: number): Float32Array {
    return new Float32Array(this.memory.buffer, ptr, n);
  }

  /** i32[n] at `ptr`; see `f32`. */
  i32(ptr: number, n: number): Int32Array {
    return new Int32Array(this.memory.buffer, ptr, n);
  }

  /** u8[n] at `ptr`; see `f32`. */
  u8(ptr: number, n: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, ptr, n);
  }

  /**
   * Runs work that calls kernels. A trap leaves memory half written, so it poisons the engine.
   *
   * @throws {EngineError} CLOSED after `dispose`; INSTANCE_POISONED after a trap.
   */
  run<R>(work: () => R): R {
    this.#checkOpen();
    try {
      return work();
    } catch (cause) {
      const trapped = cause instanceof WebAssembly.RuntimeError;
      const overflowed = cause instanceof RangeError && /stack/i.test(cause.message);
      if (!trapped && !overflowed) throw cause;
      this.#state = 'poisoned';
      throw new EngineError('INSTANCE_POISONED',
        'a kernel trapped and the engine\'s memory cannot be trusted; create a new engine', { cause });
    }
  }

  #checkOpen(): void {
    if (this.#state === 'closed') throw new EngineError('CLOSED', 'the engine is closed');
    if (this.#state === 'poisoned')
      throw new EngineError('INSTANCE_POISONED', 'the engine trapped before; create a new engine');
  }

  /** Closes the engine; its memory is collected when nothing refers to it. */
  dispose(): void {
    this.#state = 'closed';
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

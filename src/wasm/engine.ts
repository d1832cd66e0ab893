/**
 * The engine: one instance of the kernels, one linear memory, and the books of who owns what.
 * @module
 */
import { EngineError } from '../errors.ts';
import type { BitKind } from '../quant/layout.ts';
import { chooseVariants } from './choose.ts';
import type { KernelExports } from './exports.ts';
import { Heap } from './heap.ts';
import { instantiateKernels } from './kernels.ts';
import { MAX_CALLS } from './thread-protocol.ts';
import type { SpawnWorker } from './threads.ts';
import { ThreadPool } from './threads.ts';
import type { Build, ForcedVariants, Product, Variants } from './variants.ts';

/** 4 GiB in pages: the most that 32-bit memory can have. */
const MAX_PAGES = 65_536;
const PAGE = 65_536;

export interface EngineOptions extends ForcedVariants {
  /** The kernels, compiled. `createEngine` of the main entry brings its own. */
  module: WebAssembly.Module;
  /** The relaxed build of the products, compiled, where the runtime has relaxed SIMD. */
  relaxed?: WebAssembly.Module;
  /** Upper bound of the memory in bytes. Default: 4 GiB. */
  maxMemory?: number;
  /** What more than one thread needs; without it the engine computes alone. */
  threading?: Threading;
  /** Why there is no threading, for `info`. */
  oneThreadReason?: string;
}

export interface Threading {
  /** Threads, the engine's own included. */
  readonly threads: number;
  /** The kernels for shared memory; see `sharedModuleBytes`. */
  readonly module: WebAssembly.Module;
  /** The relaxed build for shared memory. */
  readonly relaxed?: WebAssembly.Module;
  readonly spawn: SpawnWorker;
}

/** What the engine runs on. */
export interface EngineInfo {
  readonly threads: number;
  /** The build of the products. */
  readonly build: Build;
  /** The family of products for each kind of weights, by activation bits − 1. */
  readonly products: Readonly<Record<BitKind, readonly Product[]>>;
  readonly memoryBytes: number;
  /** Why something faster is not used, one sentence each. */
  readonly notes: readonly string[];
}

/** Pieces per thread that an operation is split into: a late thread costs less of it. */
const PIECES_PER_THREAD = 2;

type KernelName = Exclude<keyof KernelExports, 'heapBase'>;

export class Engine {
  readonly kernels: KernelExports;
  readonly memory: WebAssembly.Memory;
  readonly heap: Heap;
  readonly variants: Variants;
  readonly #notes: readonly string[];
  readonly #threading?: Threading;
  readonly #oneThreadReason?: string;
  #pool?: ThreadPool;
  #state: 'open' | 'closed' | 'poisoned' = 'open';

  /**
   * @throws {EngineError} NO_WASM if the module is not ours; SELFTEST_FAILED if a kernel computes
   *   wrongly on this runtime; NO_SIMD if a build is forced that it has not; OUT_OF_MEMORY.
   */
  constructor(
    {
      module, relaxed, maxMemory = MAX_PAGES * PAGE, threading, oneThreadReason, build, product,
    }: EngineOptions,
  ) {
    this.#oneThreadReason = oneThreadReason;
    const maximum = Math.min(MAX_PAGES, Math.ceil(maxMemory / PAGE));
    if (threading && threading.threads > 1) this.#threading = threading;
    this.memory = new WebAssembly.Memory(
      { initial: Math.min(16, maximum), maximum, shared: this.#threading !== undefined });
    const baseline = instantiateKernels(this.#threading?.module ?? module, this.memory);
    this.heap = new Heap(this.memory, baseline.heapBase());
    const { kernels, variants, notes } = chooseVariants(
      baseline, this.memory, this.heap, this.#threading ? this.#threading.relaxed : relaxed,
      { build, product });
    this.kernels = kernels;
    this.variants = variants;
    this.#notes = notes;
  }

  /** Threads that share the work, this one included. */
  get threads(): number {
    return this.#threading?.threads ?? 1;
  }

  get info(): EngineInfo {
    const reason = this.#pool?.failure ?? this.#oneThreadReason;
    return {
      threads: reason === undefined ? this.threads : 1, build: this.variants.build,
      products: this.variants.table(), memoryBytes: this.memory.buffer.byteLength,
      notes: reason === undefined ? this.#notes : [...this.#notes, reason],
    };
  }

  /**
   * Calls a kernel for the outputs 0 … total − 1, in pieces on several threads where that pays.
   * The pieces' outputs must be disjoint, and the same however the total is cut.
   *
   * @param align pieces begin at multiples of this
   * @param grain outputs that are worth a piece of their own
   * @param call arguments for the outputs from … to
   */
  split(
    name: KernelName, total: number, align: number, grain: number,
    call: (from: number, to: number) => number[],
  ): void {
    const most = this.#threading ? this.#threading.threads * PIECES_PER_THREAD : 1;
    const pieces = Math.min(most, MAX_CALLS, Math.floor(total / grain));
    if (pieces < 2 || !this.#startPool().ready) {
      (this.kernels[name] as (...args: number[]) => unknown)(...call(0, total));
      return;
    }
    const size = Math.ceil(total / pieces / align) * align;
    const calls: number[][] = [];
    for (let from = 0; from < total; from += size)
      calls.push(call(from, Math.min(from + size, total)));
    this.#pool!.run(name, calls);
  }

  /** Calls a kernel `count` times with independent outputs, on several threads where there are. */
  each(name: KernelName, count: number, call: (index: number) => number[]): void {
    const kernel = this.kernels[name] as (...args: number[]) => unknown;
    const threaded = count > 1 && this.#threading !== undefined && this.#startPool().ready;
    if (!threaded) for (let i = 0; i < count; i++) kernel(...call(i));
    else for (let i = 0; i < count; i += MAX_CALLS) {
      const calls = Array.from({ length: Math.min(MAX_CALLS, count - i) }, (_, j) => call(i + j));
      this.#pool!.run(name, calls);
    }
  }

  #startPool(): ThreadPool {
    const { threads, module, relaxed, spawn } = this.#threading!;
    const modules = { module, relaxed: this.variants.build === 'relaxed' ? relaxed : undefined };
    return (this.#pool ??= new ThreadPool(threads, modules, this.memory, this.kernels, spawn));
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
      const lost = cause instanceof EngineError && cause.code === 'WORKER_LOST';
      if (lost) this.#state = 'poisoned';
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

  /** Closes the engine and ends its workers; its memory is collected when nothing refers to it. */
  dispose(): void {
    this.#state = 'closed';
    this.#pool?.dispose();
    this.#pool = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

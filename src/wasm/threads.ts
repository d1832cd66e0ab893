/**
 * A pool of workers over the engine's shared memory.
 *
 * No message and no allocation in linear memory per operation: a command is a few words and numbers
 * in a control block (`thread-protocol.ts`). Idle workers spin for a moment, then sleep.
 *
 * A busy machine: when a worker is not scheduled while it holds a call, the engine must wait for it, a
 * time slice of some milliseconds. A wait much longer than a call is taken as a sign, and the pool rests:
 * the engine then computes alone, and idle workers take nothing from what keeps the machine busy. Each
 * long wait soon after a rest doubles the next one, so that lasting load costs a per cent; a single one
 * costs 4 ms.
 * @module
 */
import { EngineError } from '../errors.ts';
import type { KernelExports } from './exports.ts';
import {
  ARGUMENTS, CALL_BITS, CALL_MASK, CONTROL_BYTES, DONE, FAILED, KERNEL, MAX_ARGUMENTS, MAX_CALLS,
  ONLINE, SLEEPERS, STOP, TICKET, WAKE, WORDS_BYTES, claimCalls,
} from './thread-protocol.ts';
import type { KernelModules, WorkerStart } from './thread-protocol.ts';
import { workerSource } from './thread-worker.ts';

/** A worker, whatever the runtime calls it. */
export interface WorkerPort {
  post(message: WorkerStart): void;
  terminate(): void;
}

/** Starts a worker that runs `source`, a module-less script with the message as `start`. */
export type SpawnWorker = (source: string, onFailure: (reason: string) => void) => WorkerPort;

/** A call that hangs longer than this is of a lost worker, in milliseconds. */
const LOST_AFTER = 1000;
/** A wait longer by this than the calls explain: a worker is not scheduled. In milliseconds. */
const LONG_WAIT = 1.5;
/** How long the pool rests after a long wait, in milliseconds. */
const REST_MIN = 4;
const REST_MAX = 512;
/** A long wait within so many rests after the last one is of the same load. */
const SAME_LOAD = 4;

const LAYOUT = { ticket: TICKET, done: DONE, kernel: KERNEL, count: ARGUMENTS, mask: CALL_MASK };

export class ThreadPool {
  readonly size: number;
  readonly #kernels: KernelExports;
  readonly #names: string[];
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #words: Int32Array;
  readonly #values: Float64Array;
  readonly #workers: WorkerPort[];
  #generation = 0;
  #restUntil = 0;
  #rest = REST_MIN;
  /** When the last long wait ended. */
  #lateAt = -Infinity;
  #lost?: string;
  #refused?: string;

  /** @param size threads, the engine's own included */
  constructor(
    size: number, modules: KernelModules, memory: WebAssembly.Memory, kernels: KernelExports,
    spawn: SpawnWorker,
  ) {
    this.size = size;
    this.#kernels = kernels;
    this.#names = WebAssembly.Module.exports(modules.module)
      .filter(({ kind }) => kind === 'function').map(({ name }) => name);
    this.#numbers = new Map(this.#names.map((name, i) => [name, i]));
    const control = new SharedArrayBuffer(CONTROL_BYTES);
    this.#words = new Int32Array(control, 0, WORDS_BYTES / 4);
    this.#values = new Float64Array(control, WORDS_BYTES);
    this.#workers = this.#startAll(spawn, { ...modules, memory, control, kernels: this.#names });
  }

  /** Starts the workers; those that the runtime refuses are missed, not needed. */
  #startAll(spawn: SpawnWorker, start: WorkerStart): WorkerPort[] {
    return Array.from({ length: this.size - 1 }, () => {
      try {
        const worker = spawn(workerSource(), (reason) => (this.#lost = reason));
        worker.post(start);
        return worker;
      } catch (error) {
        this.#refused = String(error);
      }
    }).filter((worker) => worker !== undefined);
  }

  /** Why no worker could start; undefined if one did, or may yet. */
  get failure(): string | undefined {
    return Atomics.load(this.#words, ONLINE) > 0 ? undefined : this.#lost ?? this.#refused;
  }

  /** Whether an operation should be split now: workers are there and get time. */
  get ready(): boolean {
    return Atomics.load(this.#words, ONLINE) > 0 && performance.now() >= this.#restUntil;
  }

  /**
   * Makes every call of kernel `name`, on all threads, and returns when all are done.
   *
   * @throws {EngineError} WORKER_LOST if a worker died or hangs; memory is then half written.
   */
  run(name: keyof KernelExports, calls: readonly (readonly number[])[]): void {
    const words = this.#words, count = calls[0].length;
    if (calls.length > MAX_CALLS || count > MAX_ARGUMENTS)
      throw new RangeError(`run: "calls" expected at most ${MAX_CALLS} of ${MAX_ARGUMENTS} numbers`);
    calls.forEach((call, i) => this.#values.set(call, i * count));
    words[KERNEL] = this.#numbers.get(name)!;
    words[ARGUMENTS] = count;
    Atomics.store(words, DONE, 0);
    this.#generation = (this.#generation + 1) & 0x7fffff;
    Atomics.store(words, TICKET, (this.#generation << CALL_BITS) | calls.length);
    Atomics.add(words, WAKE, 1);
    if (Atomics.load(words, SLEEPERS) > 0) Atomics.notify(words, WAKE);
    const start = performance.now();
    const made = claimCalls(words, this.#values, this.#kernels as never, this.#names, LAYOUT);
    if (Atomics.load(words, DONE) === calls.length) return;
    const perCall = made > 0 ? (performance.now() - start) / made : 0;
    this.#wait(calls.length, perCall);
  }

  /** Waits for calls that workers hold; `perCall` is what one took here, in milliseconds. */
  #wait(calls: number, perCall: number): void {
    const words = this.#words, start = performance.now();
    for (let spins = 1; Atomics.load(words, DONE) < calls; spins++) {
      if (spins % 256 !== 0) continue;
      const failed = Atomics.load(words, FAILED) > 0;
      if (this.#lost === undefined && !failed && performance.now() - start < LOST_AFTER) continue;
      throw new EngineError('WORKER_LOST',
        `a worker of the engine was lost (${this.#lost ?? (failed ? 'it trapped' : 'it hangs')}); ` +
        'create a new engine');
    }
    this.#adapt(performance.now() - start - 2 * perCall);
  }

  /** @param late milliseconds beyond what the calls explain */
  #adapt(late: number): void {
    if (late <= LONG_WAIT) return;
    const now = performance.now(), isSame = now - this.#lateAt < (1 + SAME_LOAD) * this.#rest;
    this.#rest = isSame ? Math.min(REST_MAX, this.#rest * 2) : REST_MIN;
    this.#lateAt = now;
    this.#restUntil = now + this.#rest;
  }

  dispose(): void {
    Atomics.store(this.#words, STOP, 1);
    Atomics.add(this.#words, WAKE, 1);
    Atomics.notify(this.#words, WAKE);
    for (const worker of this.#workers) worker.terminate();
  }
}

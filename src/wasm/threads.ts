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
import { Patience } from './patience.ts';
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
  readonly #patience = new Patience();
  /** Workers that ended or never started. */
  #gone = 0;
  /** Why a worker that had been at work is gone. */
  #lost?: string;
  /** Why a worker did not start. */
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
      let isThere = true; // an error is followed by an exit
      const leave = (reason: string): void => {
        if (isThere) this.#leave(reason);
        isThere = false;
      };
      try {
        const worker = spawn(workerSource(), leave);
        worker.post(start);
        return worker;
      } catch (error) {
        this.#refused = String(error);
      }
    }).filter((worker) => worker !== undefined);
  }

  /**
   * A worker is gone, says the runtime, between two commands. If more have come online than are left, it
   * was one of those; else it never started, and the others do its work.
   */
  #leave(reason: string): void {
    this.#gone++;
    const wasOnline = Atomics.load(this.#words, ONLINE) > this.#workers.length - this.#gone;
    if (wasOnline) this.#lost ??= reason;
    else this.#refused ??= reason;
  }

  /** Why no worker could start; undefined if one did, or may yet. */
  get failure(): string | undefined {
    return Atomics.load(this.#words, ONLINE) > 0 ? undefined : this.#refused;
  }

  /** Whether an operation should be split now: workers are there and get time. */
  get ready(): boolean {
    return Atomics.load(this.#words, ONLINE) > 0 && performance.now() >= this.#restUntil;
  }

  /**
   * Makes every call of kernel `name`, on all threads, and returns when all are done.
   *
   * @throws {EngineError} WORKER_LOST if a worker trapped, ended or hangs; memory may be half written.
   */
  run(name: keyof KernelExports, calls: readonly (readonly number[])[]): void {
    const words = this.#words, count = calls[0].length;
    if (calls.length > MAX_CALLS || count > MAX_ARGUMENTS)
      throw new RangeError(`run: "calls" expected at most ${MAX_CALLS} of ${MAX_ARGUMENTS} numbers`);
    if (this.#lost !== undefined) this.#fail(this.#lost);
    // The first call is this thread's own, so it knows how long one takes when it waits for the others.
    const others = calls.length - 1;
    for (let i = 0; i < others; i++) this.#values.set(calls[i + 1], i * count);
    words[KERNEL] = this.#numbers.get(name)!;
    words[ARGUMENTS] = count;
    Atomics.store(words, DONE, 0);
    this.#generation = (this.#generation + 1) & 0x7fffff;
    Atomics.store(words, TICKET, (this.#generation << CALL_BITS) | others);
    Atomics.add(words, WAKE, 1);
    if (Atomics.load(words, SLEEPERS) > 0) Atomics.notify(words, WAKE);
    const start = performance.now();
    (this.#kernels[name] as (...args: number[]) => unknown)(...calls[0]);
    const made = 1 + claimCalls(words, this.#values, this.#kernels as never, this.#names, LAYOUT);
    if (Atomics.load(words, DONE) < others) this.#wait(others, performance.now() - start, made);
  }

  /** Waits for calls that workers hold; this thread has made `made` calls in `own` milliseconds. */
  #wait(calls: number, own: number, made: number): void {
    const words = this.#words, patience = this.#patience, start = performance.now();
    patience.begin(own, start);
    let done = Atomics.load(words, DONE);
    for (let spins = 1; done < calls; spins++) {
      const before = done;
      done = Atomics.load(words, DONE);
      if (done > before) patience.sawCall();
      if (spins % 256 !== 0) continue;
      if (Atomics.load(words, FAILED) > 0) this.#fail('it trapped');
      if (patience.isOver(performance.now()) && done < calls)
        this.#fail(`silent for ${Math.round(patience.waited)} ms`);
    }
    this.#adapt(performance.now() - start - 2 * (own / made));
  }

  /** A worker is lost: ends all of them, since one that hangs would go on for ever. */
  #fail(reason: string): never {
    this.#lost = reason;
    this.dispose();
    throw new EngineError('WORKER_LOST',
      `a worker of the engine was lost (${reason}); create a new engine`);
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

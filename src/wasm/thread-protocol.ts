/**
 * What the engine and its workers write for each other in shared memory.
 *
 * A command is one kernel and a list of calls of it. The calls are independent (work is split over
 * outputs, never over a sum), so it does not matter who makes which: every thread, the engine's own
 * included, claims the next call until none is left.
 *
 *   i32  TICKET   generation << 8 | calls not yet claimed. A claim is one compare-and-swap of the
 *                 whole word, so a thread that is late for a command cannot take a call of the next.
 *        DONE     calls finished
 *        WAKE     counts commands; idle workers wait for it to change
 *        SLEEPERS workers that wait; KERNEL, ARGUMENTS of the command; STOP; ONLINE, FAILED workers
 *   f64  the arguments of each call, one after the other (numbers up to 2^53 and f32 are exact)
 * @module
 */

export const TICKET = 0;
export const DONE = 1;
export const WAKE = 2;
export const SLEEPERS = 3;
export const KERNEL = 4;
export const ARGUMENTS = 5;
export const STOP = 6;
export const ONLINE = 7;
export const FAILED = 8;

/** Bytes of the i32 part, and the most calls and arguments of a command. */
export const WORDS_BYTES = 64;
export const MAX_CALLS = 32;
export const MAX_ARGUMENTS = 20;
export const CONTROL_BYTES = WORDS_BYTES + MAX_CALLS * MAX_ARGUMENTS * 8;

/** Calls left are in the low bits of a ticket. */
export const CALL_BITS = 8;
export const CALL_MASK = (1 << CALL_BITS) - 1;

/** The kernels for shared memory, and the relaxed build where it is used. */
export interface KernelModules {
  readonly module: WebAssembly.Module;
  readonly relaxed?: WebAssembly.Module;
}

/** What a worker is sent once; afterwards there are no messages. */
export interface WorkerStart extends KernelModules {
  readonly memory: WebAssembly.Memory;
  readonly control: SharedArrayBuffer;
  /** Names of the kernels, by number. */
  readonly kernels: readonly string[];
}

type Kernels = Readonly<Record<string, (...args: number[]) => unknown>>;

/**
 * Claims and makes calls of the current command until none is left; returns how many.
 *
 * Written without a reference to this module's scope (`TICKET` and its kin come as arguments), so
 * that its source text can be run in a worker: see `threads.ts`.
 */
export function claimCalls(
  words: Int32Array, values: Float64Array, kernels: Kernels, names: readonly string[],
  layout: { ticket: number; done: number; kernel: number; count: number; mask: number },
): number {
  for (let made = 0; ; made++) {
    const ticket = Atomics.load(words, layout.ticket);
    const left = ticket & layout.mask;
    if (left === 0) return made;
    if (Atomics.compareExchange(words, layout.ticket, ticket, ticket - 1) !== ticket) {
      made--;
      continue;
    }
    const count = words[layout.count], from = (left - 1) * count;
    kernels[names[words[layout.kernel]]](...values.subarray(from, from + count));
    Atomics.add(words, layout.done, 1);
  }
}

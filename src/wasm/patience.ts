/**
 * How long the engine waits for calls that workers hold before it takes a worker for lost.
 *
 *   limit = max(800 ms, 8 · time that calls of this command are known to take), at most 60 s
 *
 * A worker that is gone (ended, killed with its page, out of memory) cannot say so, and one that lives
 * cannot say it either while it is inside a kernel. Nor can the runtime tell: its events arrive when the
 * engine's thread is idle, and it is not. What remains is time, which must not accuse the innocent:
 *
 *   a stopped process    SIGSTOP, a suspended machine, a debugger, a container above its share: clocks go
 *                        on, nobody works. The engine looks every few microseconds, so in a gap between
 *                        two looks this thread did not run either. Of a gap 20 ms are counted at most:
 *                        not none, since some browsers' clocks go in steps of up to 100 ms.
 *   a slow machine       One call may take seconds. The engine makes a call of every command itself, so
 *                        it knows what is usual here; workers' calls that end during the wait add to that.
 *   a busy machine       A worker that is not scheduled for some time slices is far below 800 ms.
 *
 * So a lost worker is reported within a second, where commands take less than a tenth of one.
 * @module
 */

/** The least that a worker is given, in milliseconds. */
const LOST_AFTER = 800;
/** How much slower than the calls seen so far a call may be: a slow core, shared with other programs. */
const SLOWNESS = 8;
/** The most that a worker is given, in milliseconds: the process may have been stopped in a kernel. */
const LONGEST = 60_000;
/** What counts of a gap between two looks, in milliseconds: some time slices of a busy machine. */
const GAP = 20;

/**
 * The clock of one wait after the other; it allocates nothing. Times are in milliseconds.
 *
 * @example
 * const patience = new Patience();
 * patience.begin(2, performance.now());
 * patience.isOver(performance.now()); // false
 */
export class Patience {
  #own = 0;
  #waited = 0;
  #known = 0;
  #last = 0;

  /**
   * A new wait.
   *
   * @param own how long the engine's thread computed in this command: a call or more
   * @param now when it began to wait
   */
  begin(own: number, now: number): void {
    this.#own = own;
    this.#waited = 0;
    this.#known = 0;
    this.#last = now;
  }

  /** Time that counts as waiting. */
  get waited(): number {
    return this.#waited;
  }

  /** A worker has finished a call. */
  sawCall(): void {
    this.#known = this.#waited;
  }

  /** Looks at the clock; whether a worker must be lost. */
  isOver(now: number): boolean {
    this.#waited += Math.min(GAP, now - this.#last);
    this.#last = now;
    const usual = SLOWNESS * (this.#own + this.#known);
    return this.#waited > Math.min(LONGEST, Math.max(LOST_AFTER, usual));
  }
}

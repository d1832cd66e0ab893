/**
 * Long work gives the host a turn: timers run, an `AbortSignal` can fire, a page can draw.
 * @module
 */

/** Work at most this long between turns, in milliseconds. */
const SLICE = 20;
/** And this many calls: some clocks stand still while computing, on purpose (Cloudflare's). */
const CALLS = 32;

/** Counts the time since the last turn. Has no influence on results. */
export class HostTurn {
  #since = performance.now();
  #calls = 0;

  /** Lets the host run if it has waited long enough; throws if `signal` is aborted. */
  async give(signal?: AbortSignal): Promise<void> {
    if (++this.#calls >= CALLS || performance.now() - this.#since >= SLICE) {
      this.#calls = 0;
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
      this.#since = performance.now();
    }
    signal?.throwIfAborted();
  }
}

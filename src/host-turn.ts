/**
 * Long work gives the host a turn: timers run, an `AbortSignal` can fire, a page can draw.
 * @module
 */

/** Work at most this long between turns, in milliseconds. */
const SLICE = 20;

/** Counts the time since the last turn. Has no influence on results. */
export class HostTurn {
  #since = performance.now();

  /** Lets the host run if it has waited long enough; throws if `signal` is aborted. */
  async give(signal?: AbortSignal): Promise<void> {
    if (performance.now() - this.#since >= SLICE) {
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
      this.#since = performance.now();
    }
    signal?.throwIfAborted();
  }
}

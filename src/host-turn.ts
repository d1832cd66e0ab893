/**
 * Long work gives the host a turn: timers run, an `AbortSignal` can fire, a page can draw.
 * @module
 */

/** Work at most this long between turns, in milliseconds. */
const SLICE = 20;
/** And this many calls: some clocks stand still while computing, on purpose (Cloudflare's). */
const CALLS = 32;

/** Lets the host run, and resolves when it has. */
type Turn = () => Promise<void>;

/** By a timer: everything that is due runs before. */
const timerTurn: Turn = () => new Promise((resolve) => setTimeout(resolve, 0));

/**
 * By a message: what was posted before is heard before; timers may have to wait. For workers, where
 * a timer that follows a timer waits 4 ms: with a turn every 20 ms, a sixth of all time.
 */
export const messageTurn: Turn = () => new Promise((resolve) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    resolve();
  };
  port2.postMessage(null);
});

/** Counts the time since the last turn. Has no influence on results. */
export class HostTurn {
  #since = performance.now();
  #calls = 0;
  readonly #turn: Turn;

  constructor(turn: Turn = timerTurn) {
    this.#turn = turn;
  }

  /** Lets the host run if it has waited long enough; throws if `signal` is aborted. */
  async give(signal?: AbortSignal): Promise<void> {
    if (++this.#calls >= CALLS || performance.now() - this.#since >= SLICE) {
      this.#calls = 0;
      await this.#turn();
      this.#since = performance.now();
    }
    signal?.throwIfAborted();
  }
}

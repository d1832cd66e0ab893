/**
 * Text as it streams out, cut before the first stop string.
 *
 * What could still become a stop string is held back until it cannot.
 * @module
 */

export class StopStrings {
  readonly #stops: readonly string[];
  #held = '';
  #found = false;

  /** @param stops not empty strings */
  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** Whether a stop string has been seen. */
  get found(): boolean {
    return this.#found;
  }

  /** Text that can be shown after `text` has come in. */
  push(text: string): string {
    if (this.#found) return '';
    const all = this.#held + text;
    const at = firstStop(all, this.#stops);
    if (at >= 0) {
      this.#found = true;
      this.#held = '';
      return all.slice(0, at);
    }
    const hold = Math.max(0, ...this.#stops.map((stop) => overlap(all, stop)));
    this.#held = all.slice(all.length - hold);
    return all.slice(0, all.length - hold);
  }

  /** What was held back, once no more text comes. */
  end(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }
}

/**
 * Where the stop string begins that is whole first, −1 if none is; of several, the longest. So the
 * result is the same however the text was cut into pieces.
 */
function firstStop(text: string, stops: readonly string[]): number {
  let start = -1, end = Infinity;
  for (const stop of stops) {
    const at = text.indexOf(stop);
    if (at < 0 || at + stop.length > end) continue;
    if (at + stop.length === end && at > start) continue;
    start = at;
    end = at + stop.length;
  }
  return start;
}

/** Length of the longest end of `text` that is a beginning of `stop`. */
function overlap(text: string, stop: string): number {
  for (let n = Math.min(text.length, stop.length - 1); n > 0; n--)
    if (text.endsWith(stop.slice(0, n))) return n;
  return 0;
}

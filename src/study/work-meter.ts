/**
 * How far a row of studies has come and how long the rest will take.
 *
 *   time left = work left · (seconds so far / work done so far)
 *
 * Work is in estimated seconds; what a store had ready counts as done, but not for the speed.
 * @module
 */

/** A moment of the work. */
export interface StudyProgress {
  /** What is being done: `bitnet, 4 layers of 128, seed 1`. */
  readonly label: string;
  /** Share of all work that is done, 0 … 1. */
  readonly share: number;
  /** Undefined until something has been measured. */
  readonly secondsLeft?: number;
}

export class WorkMeter {
  readonly #total: number;
  readonly #listener?: (progress: StudyProgress) => void;
  readonly #now?: () => number;
  #done = 0;
  #found = 0;
  #start?: number;

  /**
   * @param total estimated seconds of everything planned
   * @param now milliseconds of a clock that never goes back; without one there is no time left
   */
  constructor(
    total: number, listener?: (progress: StudyProgress) => void,
    now?: () => number,
  ) {
    this.#total = total;
    this.#listener = listener;
    this.#now = now;
  }

  /** To be told before work begins, and then after each part of it. */
  advance(label: string, seconds: number): void {
    this.#start ??= this.#now?.();
    this.#done += seconds;
    this.#report(label);
  }

  /** Work that was found done. */
  skip(label: string, seconds: number): void {
    this.#found += seconds;
    this.#report(label);
  }

  #report(label: string): void {
    const elapsed = this.#start === undefined ? 0 : (this.#now!() - this.#start) / 1000;
    const finished = this.#done + this.#found, left = Math.max(0, this.#total - finished);
    this.#listener?.({
      label, share: this.#total > 0 ? Math.min(1, finished / this.#total) : 1,
      secondsLeft: this.#done > 0 && elapsed > 0 ? left * (elapsed / this.#done) : undefined,
    });
  }
}

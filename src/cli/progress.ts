/**
 * The progress line of a training run: on a terminal only, rewritten in place.
 *
 *   step 420/2000  loss 1.913  val 1.987  21,300 tokens/s  1m 12s left
 * @module
 */
import type { StepReport } from '../index.ts';
import { formatCount, formatSeconds } from './format.ts';

/** Milliseconds between two drawings. */
const INTERVAL = 200;
/** Weight of the newest step in the smoothed loss. */
const SMOOTHING = 0.05;

export class Progress {
  readonly #steps: number;
  readonly #firstStep: number;
  readonly #show: boolean;
  readonly #start = performance.now();
  #smoothed?: number;
  #tokens = 0;
  #drawn = 0;

  /** @param firstStep steps done before this run began */
  constructor(steps: number, firstStep: number, show: boolean) {
    this.#steps = steps;
    this.#firstStep = firstStep;
    this.#show = show;
  }

  get seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  get tokensPerSecond(): number {
    return this.#tokens / Math.max(this.seconds, 1e-9);
  }

  /** Counts a step and draws, not too often. */
  step(report: StepReport): void {
    const { loss, tokens } = report;
    this.#smoothed = this.#smoothed === undefined
      ? loss : this.#smoothed + SMOOTHING * (loss - this.#smoothed);
    this.#tokens += tokens;
    const now = performance.now();
    if (!this.#show || now - this.#drawn < INTERVAL) return;
    this.#drawn = now;
    this.#write(`\r\u001b[K${this.#line(report)}`);
  }

  #line({ step }: StepReport): string {
    const perStep = this.seconds / (step - this.#firstStep);
    return `step ${step}/${this.#steps}  loss ${this.#smoothed!.toFixed(3)}  ` +
      `${formatCount(Math.round(this.tokensPerSecond))} tokens/s  ` +
      `${formatSeconds(perStep * (this.#steps - step))} left`;
  }

  /** Clears the line, so that what is printed next stands alone. */
  end(): void {
    if (this.#drawn > 0) this.#write('\r\u001b[K');
    this.#drawn = 0;
  }

  /** A line that stays. */
  note(text: string): void {
    if (this.#show) this.#write(`\r\u001b[K${text}\n`);
  }

  #write(text: string): void {
    process.stderr.write(text);
  }
}

/**
 * A training run inside the worker: steps, reports at a bounded rate, pauses.
 * @module
 */
import { HostTurn, messageTurn } from '../host-turn.ts';
import type { Evaluation } from '../model/evaluate.ts';
import type { EncodeOptions } from '../model/file.ts';
import { encodeModel } from '../model/file.ts';
import { parameterCount } from '../model/tensors.ts';
import type { Run, TextRunOptions } from '../train/run.ts';
import { prepareRun } from '../train/run.ts';
import type { WatchOptions } from '../train/sign-watch.ts';
import { SignWatch } from '../train/sign-watch.ts';
import type { StepReport } from '../train/trainer.ts';
import type { Engine } from '../wasm/engine.ts';
import type { Reply } from './dispatch.ts';
import type { Progress, RunCard } from './protocol.ts';

/** Reports that may wait for a page that is slow; then training waits. */
const MAX_WAITING = 1024;

export class HostedRun {
  readonly #run: Run;
  readonly #file: EncodeOptions;
  readonly #watch?: SignWatch;
  #reports: StepReport[] = [];
  #sentAt = -Infinity;
  #paused = false;
  #resume?: () => void;

  /** @param file how the model's file is to be */
  constructor(
    engine: Engine, options: TextRunOptions, watch?: WatchOptions, file: EncodeOptions = {},
  ) {
    this.#file = file;
    this.#run = prepareRun(engine, options);
    try {
      if (watch) this.#watch = new SignWatch(this.#run.trainer, watch);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** What is known before the first step; the entropy if the caller knows it. */
  card(run: number, entropy?: number): RunCard {
    const { trainer: { config, options, dataset }, tokenizer } = this.#run;
    const sizes = Array.from({ length: tokenizer.vocabSize },
      (_, id) => tokenizer.tokenBytes(id).length);
    let bytes = 0;
    for (const id of dataset.train) bytes += sizes[id];
    return {
      run, config, options, tokenizer: tokenizer.kind, parameters: parameterCount(config),
      trainTokens: dataset.train.length, bytesPerToken: bytes / dataset.train.length,
      ...(entropy !== undefined && { entropy }),
    };
  }

  /** Trains to the end, reporting at most once in `interval` milliseconds. */
  async steps(interval: number, reply: Reply<Progress>): Promise<Evaluation> {
    const { trainer } = this.#run, turn = new HostTurn(messageTurn);
    await this.#send(reply);
    while (!trainer.done) {
      await turn.give(reply.signal);
      if (this.#paused) await this.#pause(reply);
      this.#reports.push(trainer.step());
      this.#watch?.update();
      const due = reply.hasRoom && performance.now() - this.#sentAt >= interval;
      if (due || this.#reports.length >= MAX_WAITING) await this.#send(reply);
    }
    await this.#send(reply);
    return trainer.validate();
  }

  async #pause(reply: Reply<Progress>): Promise<void> {
    await this.#send(reply);
    const go = (): void => this.resume();
    reply.signal.addEventListener('abort', go);
    while (this.#paused) await new Promise<void>((resolve) => (this.#resume = resolve));
    reply.signal.removeEventListener('abort', go);
    reply.signal.throwIfAborted();
  }

  async #send(reply: Reply<Progress>): Promise<void> {
    const signs = this.#watch?.view(), reports = this.#reports;
    this.#reports = [];
    await reply.send({ reports, signs }, signs && [signs.codes.buffer]);
    this.#sentAt = performance.now();
  }

  /** Stops before the next step; the number of steps done. */
  pause(): number {
    this.#paused = true;
    return this.#run.trainer.stepsDone;
  }

  resume(): void {
    this.#paused = false;
    this.#resume?.();
  }

  /** The packed model as it is now. */
  encode(): Uint8Array<ArrayBuffer> {
    const { trainer, tokenizer } = this.#run;
    return encodeModel(
      trainer.model, trainer.weights, tokenizer.toJson(), this.#file) as Uint8Array<ArrayBuffer>;
  }

  dispose(): void {
    this.#run.trainer.dispose();
  }
}

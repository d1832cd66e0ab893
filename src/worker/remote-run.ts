/**
 * A training run that is in a worker: what it reports, and what can be asked of it meanwhile.
 * @module
 */
import type { BitNetConfig } from '../model/config.ts';
import type { Evaluation } from '../model/evaluate.ts';
import type { EmbeddingKind } from '../model/file-tables.ts';
import type { TokenizerKind } from '../tokenizer/tokenizer.ts';
import type { TrainingOptions } from '../train/options.ts';
import type { RunOptions } from '../train/run.ts';
import type { SignView, WatchOptions } from '../train/sign-watch.ts';
import type { StepReport } from '../train/trainer.ts';
import type { Channel } from './channel.ts';
import type { RunCard } from './protocol.ts';
import { RemoteModel } from './remote-model.ts';

/** Least time between two messages of a run, in milliseconds: ten pictures a second. */
const INTERVAL = 100;

export interface RemoteTrainOptions extends RunOptions {
  /** Called for every step, in order; several at a time. */
  onStep?: (report: StepReport) => void;
  /** How the file of the trained model has token embeddings and head. Default `f32`. */
  embeddings?: EmbeddingKind;
  /** Signs to watch, and what to call with them: at the start, then at most once an interval. */
  watch?: WatchOptions;
  onSigns?: (view: SignView) => void;
  /** Least milliseconds between two messages of the run. Default 100. */
  interval?: number;
  /** Ends training with an `AbortError`. */
  signal?: AbortSignal;
}

export interface RemoteTrained {
  /** The packed model, ready to be written to a file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same, loaded in the worker. */
  readonly model: RemoteModel;
  /** Loss on the tenth of the text that was kept for validation. */
  readonly validation: Evaluation;
}

export class RemoteRun {
  readonly config: BitNetConfig;
  readonly options: TrainingOptions;
  readonly tokenizer: TokenizerKind;
  readonly parameters: number;
  readonly trainTokens: number;
  /** Mean bytes of a token of the training text: loss / bytesPerToken is in nats per byte. */
  readonly bytesPerToken: number;
  /** Lowest possible loss in nats per byte, where it is known: of the built-in stories. */
  readonly entropy?: number;
  /** The end of the run. Whoever does not wait for it hears of no failure. */
  readonly result: Promise<RemoteTrained>;
  readonly #channel: Channel;
  readonly #run: number;

  private constructor(channel: Channel, { run, ...card }: RunCard, options: RemoteTrainOptions) {
    this.config = card.config;
    this.options = card.options;
    this.tokenizer = card.tokenizer;
    this.parameters = card.parameters;
    this.trainTokens = card.trainTokens;
    this.bytesPerToken = card.bytesPerToken;
    this.entropy = card.entropy;
    this.#channel = channel;
    this.#run = run;
    this.result = this.#follow(options);
    this.result.catch(() => undefined);
  }

  /** Prepares a run in the worker and starts it; see `RemoteEngine.startTraining`. */
  static async start(channel: Channel, given: RemoteTrainOptions): Promise<RemoteRun> {
    const { onStep: _, onSigns: __, interval: ___, signal, watch, embeddings, ...options } = given;
    const late = ({ run }: RunCard): void =>
      void channel.call('abandon', { run }).catch(() => undefined);
    const card = await channel.call('prepare', { options, watch, embeddings }, { signal, late });
    return new RemoteRun(channel, card, given);
  }

  async #follow(
    { onStep, onSigns, interval = INTERVAL, signal }: RemoteTrainOptions,
  ): Promise<RemoteTrained> {
    const stream = this.#channel.stream('steps', { run: this.#run, interval }, 1, signal);
    for (;;) {
      const next = await stream.next();
      if (next.done) {
        const { bytes, card, validation } = next.value;
        return { bytes, model: new RemoteModel(this.#channel, card), validation };
      }
      try {
        for (const report of next.value.reports) onStep?.(report);
        if (next.value.signs) onSigns?.(next.value.signs);
      } catch (error) {
        await stream.return(undefined as never);
        throw error;
      }
    }
  }

  /** Stops after the step that is being done; the number of steps done then. */
  pause(): Promise<number> {
    return this.#channel.call('pause', { run: this.#run });
  }

  /** Goes on. */
  async resume(): Promise<void> {
    await this.#channel.call('resume', { run: this.#run });
  }

  /** The packed model as it is now, while the run goes on or is paused. */
  export(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#channel.call('export', { run: this.#run });
  }
}

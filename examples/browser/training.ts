/** The training panel: start, pause, the figures, the chart and the signs. */
import type { RemoteEngine, RemoteRun, SignView, StepReport } from 'onebit/worker';
import { LossChart } from './chart.ts';
import { byId, dismiss, explain, grouped, numberIn, tell } from './dom.ts';
import { SignGrid } from './signs.ts';
import { inWords } from './words.ts';

/** The matrix that is watched, and the part of it that is shown. */
const WATCH = { tensor: 'model.layers.0.self_attn.q_proj.weight', rows: 64, cols: 64 };
/** Milliseconds between pictures: fewer than three flashes a second. */
const INTERVAL = 350;
/** Readers of the screen hear of every quarter. */
const QUARTERS = 4;

type State = 'idle' | 'preparing' | 'training' | 'paused' | 'finishing';

const LABEL: Readonly<Record<State, string>> = {
  idle: 'Start training', preparing: 'Preparing…', training: 'Pause', paused: 'Resume',
  finishing: 'Finishing…',
};

/** What the page does when there is a run to export from, and when there is none. */
export interface RunListener {
  available(run: RemoteRun): void;
  gone(): void;
}

export class TrainingPanel {
  readonly #engine: RemoteEngine;
  readonly #listener: RunListener;
  readonly #chart = new LossChart(document.getElementById('chart') as unknown as SVGSVGElement);
  readonly #signs = new SignGrid(byId<HTMLCanvasElement>('signs'));
  #state: State = 'idle';
  #run?: RemoteRun;
  #abort = new AbortController();
  #clock = { at: 0, tokens: 0 };
  #mean = 0;
  #quarter = 0;

  constructor(engine: RemoteEngine, listener: RunListener) {
    this.#engine = engine;
    this.#listener = listener;
    this.#chart.begin(numberIn('steps'));
    byId('train-form').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#press();
    });
    byId('over').addEventListener('click', () => this.#abort.abort());
  }

  enable(): void {
    this.#enter('idle', 'Ready. About a minute on a laptop.');
  }

  #enter(state: State, stage: string): void {
    this.#state = state;
    const start = byId<HTMLButtonElement>('start');
    start.textContent = LABEL[state];
    start.disabled = false;
    // Not `disabled`: that would take the focus away from whoever just pressed it.
    start.setAttribute('aria-disabled', String(state === 'preparing' || state === 'finishing'));
    byId<HTMLButtonElement>('over').disabled = state === 'idle';
    for (const id of ['steps', 'train-seed'])
      byId<HTMLInputElement>(id).readOnly = state !== 'idle';
    byId('stage').textContent = stage;
    tell(stage);
  }

  async #press(): Promise<void> {
    if (this.#state === 'training') await this.#pause();
    else if (this.#state === 'paused') await this.#resume();
    else if (this.#state === 'idle') await this.#train();
  }

  async #pause(): Promise<void> {
    const step = await this.#run!.pause();
    if (this.#state === 'training') this.#enter('paused', `Paused after step ${grouped(step)}.`);
  }

  async #resume(): Promise<void> {
    this.#clock = { at: performance.now(), tokens: 0 };
    this.#enter('training', this.#trainingText());
    await this.#run!.resume();
  }

  #trainingText(): string {
    const { parameters, trainTokens } = this.#run!;
    return `Training ${grouped(parameters)} parameters on ${grouped(trainTokens)} tokens of stories.`;
  }

  async #train(): Promise<void> {
    dismiss();
    this.#abort = new AbortController();
    this.#quarter = 0;
    this.#enter('preparing', 'Writing the stories and learning their tokens…');
    try {
      this.#run = await this.#engine.startTraining({
        steps: numberIn('steps'), seed: numberIn('train-seed'), watch: WATCH, interval: INTERVAL,
        signal: this.#abort.signal,
        onStep: (report) => this.#onStep(report), onSigns: (view) => this.#onSigns(view),
      });
      this.#chart.begin(this.#run.options.steps, this.#run.entropy);
      this.#clock = { at: performance.now(), tokens: 0 };
      this.#enter('training', this.#trainingText());
      this.#listener.available(this.#run);
      const { validation } = await this.#run.result;
      const loss = validation.loss / this.#run.bytesPerToken, { entropy = 0 } = this.#run;
      this.#enter('idle', `Done: ${loss.toFixed(4)} nats per character on unseen stories, ` +
        `${(loss - entropy).toFixed(4)} above the entropy.`);
    } catch (error) {
      this.#listener.gone();
      if (this.#abort.signal.aborted) this.#enter('idle', 'Stopped. Ready to start over.');
      else {
        this.#enter('idle', 'The training did not finish.');
        explain(inWords(error));
      }
    }
  }

  #onStep({ step, loss, tokens }: StepReport): void {
    const { bytesPerToken, entropy = 0, options: { steps } } = this.#run!;
    this.#mean = this.#chart.add(loss / bytesPerToken);
    this.#clock.tokens += tokens;
    const speed = this.#clock.tokens / ((performance.now() - this.#clock.at) / 1000);
    byId('step').textContent = grouped(step);
    byId('loss').textContent = this.#mean.toFixed(3);
    byId('above').textContent = (this.#mean - entropy).toFixed(3);
    byId('speed').textContent = grouped(speed);
    byId('chart-text').textContent =
      `After ${grouped(step)} of ${grouped(steps)} steps the loss is ${this.#mean.toFixed(3)} nats per ` +
      `character. The exact entropy of the stories is ${entropy.toFixed(3)}: no model can do better.`;
    if (step === steps) this.#enter('finishing', 'Measuring the loss on stories it has not seen…');
    const quarter = Math.floor((step / steps) * QUARTERS);
    if (quarter > this.#quarter && step < steps)
      tell(`${quarter * 25} percent trained, loss ${this.#mean.toFixed(2)}`);
    this.#quarter = quarter;
  }

  #onSigns(view: SignView): void {
    this.#signs.show(view);
    byId('flips').textContent =
      `${grouped(view.flips)} flips so far, ${grouped(view.lastFlips)} in the last step`;
  }
}

/** The writing panel: which model, its files, and text that streams. */
import type { RemoteEngine, RemoteModel, RemoteRun } from 'onebit/worker';
import { byId, dismiss, explain, grouped, numberIn, tell } from './dom.ts';
import { MIN_P } from './sampling.ts';
import { inWords } from './words.ts';

export class WritingPanel {
  readonly #engine: RemoteEngine;
  /** The model in training: what it writes with is taken from it at that moment. */
  #run?: RemoteRun;
  /** The finished or opened model, and the bytes it came from. */
  #model?: { model: RemoteModel; bytes: Blob; name: string };
  #abort?: AbortController;

  constructor(engine: RemoteEngine) {
    this.#engine = engine;
    byId('write-form').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#write();
    });
    byId('stop').addEventListener('click', () => this.#abort?.abort());
  }

  /** Writes with the run's model from now on; without one, no longer. */
  useRun(run: RemoteRun | undefined): void {
    this.#run = run;
    if (run) {
      this.#describe('Writes with the model in training, as it is at that moment.');
      run.result.then(({ model, bytes }) => {
        if (this.#run !== run) return void model.dispose();
        this.#run = undefined;
        this.#use(model, new Blob([bytes]), 'stories.onebit.safetensors', 'the trained model');
      }, () => undefined);
    } else if (!this.#model) this.#describe('No model yet: train one, or open a file.');
  }

  /** Opens a model file. */
  async open(file: File): Promise<void> {
    dismiss();
    try {
      const model = await this.#engine.load(file);
      this.#run = undefined;
      this.#use(model, file, file.name, shortened(file.name));
      tell(`Opened ${file.name}`);
    } catch (error) {
      explain(inWords(error));
    }
  }

  #use(model: RemoteModel, bytes: Blob, name: string, label: string): void {
    void this.#model?.model.dispose();
    this.#model = { model, bytes, name };
    const { numHiddenLayers, hiddenSize, weights } = model.config, { sizes } = model;
    const kind = { b1: 'of one bit', t2: 'of −1, 0 and +1', f32: 'of 32 bits' }[weights];
    this.#describe(`Writes with ${label}: ${numHiddenLayers} layers of width ${hiddenSize}, ` +
      `${grouped(sizes.linearParameters)} weights ${kind} in ${grouped(sizes.linearBytes / 1000)} kB; ` +
      `with embeddings ${grouped(bytes.size / 1000)} kB.`);
  }

  #describe(text: string): void {
    byId('model').textContent = text;
    const ready = this.#run !== undefined || this.#model !== undefined;
    byId<HTMLButtonElement>('export').disabled = !ready;
    byId<HTMLButtonElement>('go').disabled = !ready;
  }

  /** The bytes of the model as it is now, and a name for them. */
  async exportModel(): Promise<{ bytes: Uint8Array<ArrayBuffer>; name: string }> {
    if (this.#run)
      return { bytes: await this.#run.export(), name: 'stories.onebit.safetensors' };
    const { bytes, name } = this.#model!;
    return { bytes: new Uint8Array(await bytes.arrayBuffer()), name };
  }

  async #write(): Promise<void> {
    dismiss();
    const stop = byId<HTMLButtonElement>('stop'), go = byId<HTMLButtonElement>('go');
    const abort = (this.#abort = new AbortController());
    stop.disabled = false;
    if (document.activeElement === go) stop.focus();
    go.disabled = true;
    try {
      await this.#stream(abort.signal);
    } catch (error) {
      if (!abort.signal.aborted) explain(inWords(error));
      else this.#end('Stopped.');
    } finally {
      go.disabled = false;
      if (document.activeElement === stop) go.focus();
      stop.disabled = true;
    }
  }

  async #stream(signal: AbortSignal): Promise<void> {
    const prompt = byId<HTMLTextAreaElement>('prompt').value;
    const output = byId('text'), paper = output.parentElement!, begin = document.createElement('span');
    begin.className = 'prompt';
    begin.textContent = prompt;
    output.replaceChildren(begin);
    byId('text-end').textContent = 'Writing…';
    const snapshot = this.#run && await this.#engine.load(await this.#run.export(), { transfer: true });
    const pieces = (snapshot ?? this.#model!.model).generate(prompt, {
      temperature: numberIn('temperature'), maxTokens: numberIn('tokens'),
      seed: numberIn('write-seed'), minP: MIN_P, signal,
    });
    try {
      for (;;) {
        const next = await pieces.next();
        const follows = paper.scrollTop + paper.clientHeight >= paper.scrollHeight - 2;
        if (next.done) return this.#end(`${next.value.ids.length} tokens written.`);
        output.append(next.value);
        if (follows) paper.scrollTop = paper.scrollHeight;
      }
    } finally {
      void snapshot?.dispose();
    }
  }

  #end(text: string): void {
    byId('text-end').textContent = text;
    tell(text);
  }
}

/** A name that takes no more than a line. */
const shortened = (name: string): string => (name.length > 40 ? `${name.slice(0, 39)}…` : name);

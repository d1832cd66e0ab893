/**
 * The engine's side: one engine, its models and runs, and what each call does with them.
 * @module
 */
import { EngineError } from '../errors.ts';
import type { EmbeddingKind } from '../model/file-tables.ts';
import { bytesOf } from '../model-source.ts';
import { modelSizes, readModelHeader } from '../model/file.ts';
import type { LanguageModel } from '../sample/language-model.ts';
import { openLanguageModel } from '../sample/language-model.ts';
import { withStories } from '../train/story-run.ts';
import type { Engine } from '../wasm/engine.ts';
import type { Handlers } from './dispatch.ts';
import { dispatch } from './dispatch.ts';
import type { MessageTarget } from './endpoint.ts';
import { HostedRun } from './hosted-run.ts';
import type { ModelCard, RemoteEngineOptions } from './protocol.ts';

type CreateEngine = (options: RemoteEngineOptions) => Engine;

/** Serves an engine, made when the other side asks for it, through `target`. */
export function hostEngine(target: MessageTarget, createEngine: CreateEngine): void {
  dispatch(target, new Host(createEngine).handlers());
}

class Host {
  readonly #createEngine: CreateEngine;
  readonly #models = new Map<number, LanguageModel>();
  readonly #runs = new Map<number, HostedRun>();
  #engine?: Engine;
  #lastHandle = 0;

  constructor(createEngine: CreateEngine) {
    this.#createEngine = createEngine;
  }

  handlers(): Handlers {
    return { ...this.#engineCalls(), ...this.#modelCalls(), ...this.#runCalls() };
  }

  #engineCalls(): Pick<Handlers, 'open' | 'info' | 'close'> {
    return {
      open: (options) => (this.#engine ??= this.#createEngine(options)).info,
      info: () => this.#opened().info,
      close: () => {
        this.#engine?.dispose();
        this.#models.clear();
        this.#runs.clear();
        return null;
      },
    };
  }

  #modelCalls(): Pick<
    Handlers, 'load' | 'generate' | 'logits' | 'evaluate' | 'encode' | 'decode' | 'dispose'
  > {
    return {
      load: async ({ source, name, embeddings }, { signal }) =>
        this.#addModel(await bytesOf(source, name, signal), name, embeddings),
      generate: async ({ model, prompt, options }, reply) => {
        const { signal } = reply, pieces = this.#model(model).generate(prompt, { ...options, signal });
        try {
          for (;;) {
            const next = await pieces.next();
            if (next.done) return next.value;
            await reply.send({ text: next.value, usage: pieces.usage });
          }
        } finally {
          await pieces.return(undefined as never); // its cache is freed if nobody reads on
        }
      },
      logits: ({ model, ids, last }, reply) =>
        reply.handOver(this.#model(model).model.logits(ids, { last }) as Float32Array<ArrayBuffer>),
      evaluate: ({ model, text }) => this.#model(model).evaluate(text),
      encode: ({ model, text }) => this.#model(model).tokenizer.encode(text),
      decode: ({ model, ids }) => this.#model(model).tokenizer.decode(ids),
      dispose: ({ model }) => {
        this.#models.get(model)?.dispose();
        this.#models.delete(model);
        return null;
      },
    };
  }

  #runCalls(): Pick<
    Handlers, 'prepare' | 'steps' | 'pause' | 'resume' | 'export' | 'abandon'
  > {
    return {
      prepare: async ({ options, watch, embeddings }) => {
        const entropy = options.text === undefined ? await entropyPerByte() : undefined;
        const run = new HostedRun(
          this.#opened(), await withStories(options), watch, { embeddings });
        const handle = ++this.#lastHandle;
        this.#runs.set(handle, run);
        return run.card(handle, entropy);
      },
      steps: async ({ run: handle, interval }, reply) => {
        const run = this.#run(handle);
        try {
          const validation = await run.steps(interval, reply), bytes = run.encode();
          return { bytes: reply.handOver(bytes), card: this.#addModel(bytes), validation };
        } finally {
          this.#endRun(handle);
        }
      },
      pause: ({ run }) => this.#run(run).pause(),
      resume: ({ run }) => {
        this.#run(run).resume();
        return null;
      },
      export: ({ run }, reply) => reply.handOver(this.#run(run).encode()),
      abandon: ({ run }) => {
        this.#endRun(run);
        return null;
      },
    };
  }

  #opened(): Engine {
    if (!this.#engine) throw new EngineError('CLOSED', 'the worker has no engine; call connect first');
    return this.#engine;
  }

  #model(handle: number): LanguageModel {
    const model = this.#models.get(handle);
    if (!model) throw new EngineError('CLOSED', 'the model is closed');
    return model;
  }

  #run(handle: number): HostedRun {
    const run = this.#runs.get(handle);
    if (!run) throw new EngineError('CLOSED', 'the training run has ended');
    return run;
  }

  #endRun(handle: number): void {
    this.#runs.get(handle)?.dispose();
    this.#runs.delete(handle);
  }

  #addModel(bytes: Uint8Array, name?: string, embeddings?: EmbeddingKind): ModelCard {
    const model = openLanguageModel(this.#opened(), bytes, name, false, { embeddings });
    const handle = ++this.#lastHandle;
    this.#models.set(handle, model);
    return {
      model: handle, config: model.model.config, sizes: modelSizes(readModelHeader(bytes, name)),
      tokenizer: model.tokenizer.kind,
    };
  }
}

/** Of the built-in stories, which are ASCII. Imported when it is asked for, as the stories are. */
async function entropyPerByte(): Promise<number> {
  const { storyEntropy } = await import('../corpus/stories.ts');
  return storyEntropy().natsPerCharacter;
}

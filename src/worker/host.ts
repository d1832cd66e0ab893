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
import type { Session } from '../sample/session.ts';
import type { Generation, Piece, TextStream } from '../sample/text-stream.ts';
import { withStories } from '../train/story-run.ts';
import type { Engine } from '../wasm/engine.ts';
import type { Handlers, Reply } from './dispatch.ts';
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
  /** Sessions, and the handles of their models. */
  readonly #sessions = new Map<number, { session: Session; model: number }>();
  #engine?: Engine;
  #lastHandle = 0;

  constructor(createEngine: CreateEngine) {
    this.#createEngine = createEngine;
  }

  handlers(): Handlers {
    return {
      ...this.#engineCalls(), ...this.#modelCalls(), ...this.#sessionCalls(), ...this.#runCalls(),
    };
  }

  #engineCalls(): Pick<Handlers, 'open' | 'info' | 'close'> {
    return {
      open: (options) => (this.#engine ??= this.#createEngine(options)).info,
      info: () => this.#opened().info,
      close: () => {
        this.#engine?.dispose();
        this.#models.clear();
        this.#sessions.clear();
        this.#runs.clear();
        return null;
      },
    };
  }

  #modelCalls(): Pick<
    Handlers, 'load' | 'generate' | 'promptCache' | 'embed' | 'logits' | 'evaluate' | 'encode' | 'decode' |
    'dispose'
  > {
    return {
      load: async ({ source, name, embeddings }, { signal }) =>
        this.#addModel(await bytesOf(source, name, signal), name, embeddings),
      generate: ({ model, prompt, options }, reply) =>
        sendPieces(this.#model(model).generate(prompt, { ...options, signal: reply.signal }), reply),
      promptCache: ({ model, clear }) => {
        const { promptCache } = this.#model(model);
        if (clear) promptCache.clear();
        return promptCache.capacity;
      },
      embed: ({ model, text, options }, reply) =>
        reply.handOver(this.#model(model).embed(text, options) as Float32Array<ArrayBuffer>),
      logits: ({ model, ids, last }, reply) =>
        reply.handOver(this.#model(model).model.logits(ids, { last }) as Float32Array<ArrayBuffer>),
      evaluate: ({ model, text }) => this.#model(model).evaluate(text),
      encode: ({ model, text }) => this.#model(model).tokenizer.encode(text),
      decode: ({ model, ids }) => this.#model(model).tokenizer.decode(ids),
      dispose: ({ model }) => {
        for (const [handle, { model: of }] of this.#sessions) if (of === model) this.#endSession(handle);
        this.#models.get(model)?.dispose();
        this.#models.delete(model);
        return null;
      },
    };
  }

  #sessionCalls(): Pick<Handlers, 'session' | 'goOn' | 'ids' | 'save' | 'leave'> {
    return {
      session: ({ model: handle, saved }) => {
        const model = this.#model(handle), session = saved ? model.restore(saved) : model.session();
        this.#sessions.set(++this.#lastHandle, { session, model: handle });
        return this.#lastHandle;
      },
      goOn: ({ session, text, options }, reply) =>
        sendPieces(this.#session(session).generate(text, { ...options, signal: reply.signal }), reply),
      ids: ({ session }) => this.#session(session).ids,
      save: ({ session }, reply) =>
        reply.handOver(this.#session(session).save() as Uint8Array<ArrayBuffer>),
      leave: ({ session }) => {
        this.#endSession(session);
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

  #session(handle: number): Session {
    const found = this.#sessions.get(handle);
    if (!found) throw new EngineError('CLOSED', 'the session is closed');
    return found.session;
  }

  #endSession(handle: number): void {
    this.#sessions.get(handle)?.session.dispose();
    this.#sessions.delete(handle);
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

/** Sends the pieces of a text as the caller has room for them. */
async function sendPieces(pieces: TextStream, reply: Reply<Piece>): Promise<Generation> {
  try {
    for (;;) {
      const next = await pieces.next();
      if (next.done) return next.value;
      await reply.send({ text: next.value, usage: pieces.usage });
    }
  } finally {
    await pieces.return(); // its cache is freed if nobody reads on
  }
}

/** Of the built-in stories, which are ASCII. Imported when it is asked for, as the stories are. */
async function entropyPerByte(): Promise<number> {
  const { storyEntropy } = await import('../corpus/stories.ts');
  return storyEntropy().natsPerCharacter;
}

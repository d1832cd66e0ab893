/**
 * wllama in its page: asks the server for what to do, posts what came of it.
 * @module
 */
import type { Answer, Loaded, Setup, Task } from './task.ts';

/** The part of its interface that is used here; the package is not installed with this repository. */
interface Wllama {
  loadModel(files: Blob[], options: object): Promise<void>;
  createCompletion(options: object): Promise<AsyncIterable<Chunk>>;
  getNumThreads(): number;
}

interface Chunk {
  readonly choices: readonly { readonly text: string }[];
  /** In the last one. */
  readonly timings?: { readonly prompt_n: number; readonly predicted_n: number };
}

interface Library {
  readonly Wllama: { new (paths: object, options: object): Wllama; getLibllamaVersion(): string };
}

let wllama: Wllama | undefined;

async function load({ file, threads, context }: Setup): Promise<Loaded> {
  const library = '/wllama/index.js';
  const { Wllama } = await import(library) as Library;
  const start = performance.now();
  wllama = new Wllama({ default: '/wllama/wasm/wllama.wasm' }, { suppressNativeLog: true });
  const model = await (await fetch(file)).blob();
  await wllama.loadModel([model], {
    n_ctx: context, n_batch: 512, n_ubatch: 512, n_threads: threads, n_gpu_layers: 0, n_parallel: 1,
    warmup: false,
  });
  return {
    load: performance.now() - start,
    engine: `llama.cpp ${Wllama.getLibllamaVersion()}, WebAssembly, ${wllama.getNumThreads()} threads`,
  };
}

async function answer({ prompt, tokens, banned }: Task): Promise<Answer> {
  if (typeof prompt !== 'string') throw new TypeError('wllama takes texts, not ids');
  const start = performance.now();
  const stream = await wllama!.createCompletion({
    prompt, stream: true, max_tokens: tokens, temperature: 0, ignore_eos: true, cache_prompt: false,
    logit_bias: banned.map((id) => [id, false]),
  });
  let first = 0, last = 0, text = '', timings: Chunk['timings'];
  for await (const chunk of stream) {
    last = performance.now() - start;
    first ||= last;
    text += chunk.choices[0]?.text ?? '';
    timings = chunk.timings ?? timings;
  }
  const { prompt_n: promptTokens = 0, predicted_n: count = 0 } = timings ?? {};
  return { first, last, count, promptTokens, text };
}

const handle = (message: Setup | Task): Promise<Loaded | Answer> =>
  'file' in message ? load(message) : answer(message);

async function serve(): Promise<void> {
  for (;;) {
    const message = await (await fetch('/next')).json() as Setup | Task | null;
    if (!message) return;
    const body = await handle(message).then(
      (value) => ({ value }), (error: unknown) => ({ error: String(error) }));
    await fetch('/done', { method: 'POST', body: JSON.stringify(body) });
  }
}

void serve();

/**
 * node-llama-cpp: llama.cpp as a native addon, from prebuilt binaries for processors. Nothing is built.
 * @module
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { serveParent } from './answer.ts';
import type { Unwanted } from './task.ts';
import { timed } from './task.ts';

/** The part of its interface that is used here; the package is not installed with this repository. */
interface Library {
  readonly TokenBias: { new (tokenizer: object): { set(id: number, bias: 'never'): void } };
  getLlama(options: object): Promise<{
    readonly llamaCppRelease: { readonly release: string };
    loadModel(options: { modelPath: string }): Promise<LlamaModel>;
  }>;
}

interface LlamaModel {
  readonly tokenizer: object;
  readonly fileInfo: { readonly metadata: { readonly tokenizer: {
    readonly ggml: { readonly tokens: readonly string[] };
  } } };
  readonly tokens: { readonly bos: number | null; readonly shouldPrependBosToken: boolean };
  createContext(options: object): Promise<{ getSequence(): Sequence }>;
  tokenize(text: string): readonly number[];
  detokenize(ids: readonly number[]): string;
}

interface Sequence {
  evaluate(ids: readonly number[], options: object): AsyncIterable<number>;
  clearHistory(): Promise<void>;
}

const ENTRY = resolve('bench/peers', 'node_modules/node-llama-cpp/dist/index.js');

/** Ids of a text, as llama.cpp's server makes them. */
function encode({ tokens, tokenize }: LlamaModel, text: string): readonly number[] {
  const ids = tokenize(text);
  return tokens.shouldPrependBosToken && tokens.bos !== null ? [tokens.bos, ...ids] : ids;
}

function unwantedOf(model: LlamaModel): Unwanted {
  const texts = model.fileInfo.metadata.tokenizer.ggml.tokens.map((_, id) => model.detokenize([id]));
  const idsOf = (wrong: (text: string) => boolean): number[] =>
    texts.flatMap((text, id) => (wrong(text) ? [id] : []));
  return {
    fragments: idsOf((text) => text.includes('\ufffd')), textless: idsOf((text) => text === ''),
  };
}

serveParent(async ({ file, threads, context }) => {
  const { getLlama, TokenBias } = await import(pathToFileURL(ENTRY).href) as Library;
  const llama = await getLlama({
    gpu: false, build: 'never', maxThreads: threads, logLevel: 'error', progressLogs: false,
  });
  const model = await llama.loadModel({ modelPath: file });
  const sequence = (await model.createContext({ contextSize: context, threads, batchSize: 512 }))
    .getSequence();
  return {
    engine: `llama.cpp ${llama.llamaCppRelease.release}, native`,
    unwanted: () => unwantedOf(model),
    async answer({ prompt, tokens, banned }) {
      const tokenBias = new TokenBias(model.tokenizer);
      for (const id of banned) tokenBias.set(id, 'never');
      const ids = typeof prompt === 'string' ? encode(model, prompt) : prompt;
      await sequence.clearHistory();
      const stream = sequence.evaluate(ids, { temperature: 0, yieldEogToken: true, tokenBias });
      const answer = await timed(stream, ids.length, tokens);
      return { ...answer, text: model.detokenize(answer.ids!) };
    },
  };
});

/**
 * onebit itself, as a user has it: `onebit/models` of this checkout.
 * @module
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { serveParent } from './answer.ts';
import type { Answer } from './task.ts';
import { timed } from './task.ts';

/** The part of `onebit/models` that is used here; the entry is imported when it is there. */
interface Models {
  load(file: string, options: { threads: number; contextLength: number }): Promise<{
    readonly model: Network;
    readonly tokenizer: { encode(text: string): Iterable<number>; decode(ids: Iterable<number>): string };
    generate(ids: readonly number[], options: object): Writing;
  }>;
}

interface Writing {
  text(): Promise<string>;
  readonly usage: { readonly completionTokens: number };
}

interface Network {
  readonly engine: { readonly info: { readonly build: string; readonly threads: number } };
  createCache(capacity?: number): { dispose(): void };
  logits(ids: readonly number[], options: { cache: unknown; last: boolean }): Float32Array;
}

const ENTRY = resolve('dist/node-models.js');

/** Greedy ids, the lowest of equals. */
async function* greedy(
  model: Network, prompt: readonly number[], banned: readonly number[], context: number,
): AsyncGenerator<number> {
  const cache = model.createCache(context);
  try {
    for (let ids = prompt; ;) {
      const logits = model.logits(ids, { cache, last: true });
      for (const id of banned) logits[id] = -Infinity;
      let best = 0;
      for (let id = 1; id < logits.length; id++) if (logits[id] > logits[best]) best = id;
      yield best;
      ids = [best];
    }
  } finally {
    cache.dispose();
  }
}

/** Once for a token, once for all: tokens of a model of random weights need not have a text to wait for. */
async function afterKept(
  generate: (maxTokens: number) => Writing, prompt: readonly number[], tokens: number,
): Promise<Answer> {
  const write = async (maxTokens: number): Promise<{ time: number; count: number }> => {
    const start = performance.now(), writing = generate(maxTokens);
    await writing.text();
    return { time: performance.now() - start, count: writing.usage.completionTokens };
  };
  const { time: first } = await write(1), { time: last, count } = await write(tokens);
  return { first, last, count, promptTokens: prompt.length };
}

serveParent(async ({ file, threads, context }) => {
  if (!existsSync(ENTRY))
    throw new Error('dist/node-models.js is not built, so onebit is not timed');
  const { load } = await import(pathToFileURL(ENTRY).href) as Models;
  const loaded = await load(file, { threads, contextLength: context });
  const { model, tokenizer } = loaded, { info } = model.engine;
  return {
    keeps: true,
    engine: `onebit, ${info.build}, ${info.threads} thread${info.threads > 1 ? 's' : ''}`,
    async answer({ prompt, tokens, banned, kept }) {
      const ids = typeof prompt === 'string' ? [...tokenizer.encode(prompt)] : prompt;
      const generate = (maxTokens: number) => loaded.generate(ids, { maxTokens, temperature: 0 });
      if (kept) return afterKept(generate, ids, tokens);
      const answer = await timed(greedy(model, ids, banned, context), ids.length, tokens);
      return { ...answer, text: tokenizer.decode(answer.ids!) };
    },
  };
});

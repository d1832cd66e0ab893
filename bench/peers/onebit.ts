/**
 * onebit itself, as a user has it: `onebit/models` of this checkout.
 * @module
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { serveParent } from './answer.ts';
import { timed, timedText } from './task.ts';

/** The part of `onebit/models` that is used here; the entry is imported when it is there. */
interface Models {
  load(file: string, options: { threads: number }): Promise<{
    readonly model: Network;
    readonly tokenizer: { encode(text: string): Iterable<number>; decode(ids: Iterable<number>): string };
    generate(ids: readonly number[], options: object): AsyncIterable<string>;
  }>;
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

serveParent(async ({ file, threads, context }) => {
  if (!existsSync(ENTRY))
    throw new Error('dist/node-models.js is not built, so onebit is not timed');
  const { load } = await import(pathToFileURL(ENTRY).href) as Models;
  const loaded = await load(file, { threads }), { model, tokenizer } = loaded, { info } = model.engine;
  return {
    keeps: true,
    engine: `onebit, ${info.build}, ${info.threads} thread${info.threads > 1 ? 's' : ''}`,
    async answer({ prompt, tokens, banned, kept }) {
      const ids = typeof prompt === 'string' ? [...tokenizer.encode(prompt)] : prompt;
      if (kept) {
        const logitBias = Object.fromEntries(banned.map((id) => [id, -Infinity]));
        const text = loaded.generate(ids, { maxTokens: tokens, temperature: 0, logitBias });
        return timedText(text, ids.length, tokens);
      }
      const answer = await timed(greedy(model, ids, banned, context), ids.length, tokens);
      return { ...answer, text: tokenizer.decode(answer.ids!) };
    },
  };
});

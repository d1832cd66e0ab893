/**
 * A model of `onebit/models` in workerd: `GET /` loads the bytes that came with the worker, `GET /?ADDRESS`
 * a file that it fetches in ranges. Answers what the model writes.
 * @module
 */
import { load } from 'onebit/models';
import type { ModelLocation } from '../../../src/models.ts';
import bytes from './qwen3-tiny-q1_0.gguf';

async function written(source: ModelLocation): Promise<string> {
  using model = await load(source);
  const messages = [{ role: 'user', content: 'Hello!' }];
  return await model.generate(messages, { temperature: 0, maxTokens: 24 }).text();
}

export default {
  async fetch(request: Request): Promise<Response> {
    const address = decodeURIComponent(new URL(request.url).search.slice(1));
    try {
      return new Response(await written(address || bytes));
    } catch (error) {
      return new Response(String((error as Error).stack), { status: 500 });
    }
  },
};

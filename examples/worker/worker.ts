// Stories from Cloudflare Workers: npx wrangler dev --config examples/worker/wrangler.jsonc
// Or by workerd alone: npm run examples:workerd. First: npm run examples:model. Then:
// curl -N localhost:8787/generate -d '{"prompt": "One day", "seed": 7}'
import { createEngine, load } from 'onebit';
import { storyHandler } from '../edge/handler.ts';
import model from '../model/story.onebit.safetensors';

/** An isolate has 128 MB for everything. */
const MAX_MEMORY = 64 * 1024 * 1024;

export default {
  fetch: storyHandler(() => load(model, { engine: createEngine({ maxMemory: MAX_MEMORY }) })),
};

// Stories from Bun: bun examples/bun/server.ts
// First: npm run examples:model. Then: curl -N localhost:3000/generate -d '{"prompt": "One day"}'
import { load } from 'onebit';
import { storyHandler } from '../edge/handler.ts';
import model from '../model/story.onebit.safetensors' with { type: 'file' };

Bun.serve({
  port: Number(process.argv[2] ?? 3000),
  hostname: '127.0.0.1',
  idleTimeout: 60,
  fetch: storyHandler(async () => load(await Bun.file(model).arrayBuffer())),
});

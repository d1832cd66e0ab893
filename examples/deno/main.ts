// Stories from Deno: deno run --allow-net --allow-read --allow-sys examples/deno/main.ts
// First: npm run examples:model. Then: curl -N localhost:8000/generate -d '{"prompt": "One day"}'
import { load } from 'onebit';
import { storyHandler } from '../edge/handler.ts';

const file = new URL('../model/story.onebit.safetensors', import.meta.url);
const port = Number(Deno.args[0] ?? 8000);

Deno.serve({ port, hostname: '127.0.0.1' }, storyHandler(async () => load(await Deno.readFile(file))));

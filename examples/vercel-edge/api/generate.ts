// Stories from Vercel's Edge: vercel deploy, or on this machine: npm run examples:vercel-edge
// First: npm run examples:model. Then: curl -N localhost:3001/generate -d '{"prompt": "One day"}'
import { load } from 'onebit';
import { storyHandler } from '../../edge/handler.ts';
import model from '../../model/story.base64.js';

export const config = { runtime: 'edge' };

/** Vercel serves this file as /api/generate. */
const handler = storyHandler(() => load(Uint8Array.from(atob(model), (c) => c.charCodeAt(0))));

export default (request: Request): Promise<Response> => {
  const url = new URL(request.url);
  url.pathname = url.pathname.replace(/^\/api/, '');
  return handler(new Request(url, request));
};

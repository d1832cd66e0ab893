// The same function as a script for the `edge-runtime` command; see `bundle.mjs`.
import generate from './api/generate.ts';

addEventListener('fetch', (event) => {
  const { request, respondWith } = event as unknown as
    { request: Request; respondWith(response: Promise<Response>): void };
  respondWith.call(event, generate(request));
});

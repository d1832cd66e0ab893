/**
 * Workers of browsers. They need a cross-origin isolated page; elsewhere one thread computes.
 *
 * A worker starts from a Blob URL, so no second file has to be found or served; under a content
 * security policy that takes `worker-src blob:`.
 * @module
 */
import type { SpawnWorker } from './wasm/threads.ts';

/** Why workers cannot share memory here; undefined where they can. */
export function threadsObstacle(): string | undefined {
  if (typeof Worker !== 'function') return 'this runtime has no workers';
  if (globalThis.crossOriginIsolated !== true)
    return 'the page is not cross-origin isolated, so workers cannot share memory: serve it with ' +
      'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp';
  if (typeof SharedArrayBuffer !== 'function') return 'this runtime has no SharedArrayBuffer';
}

/** Threads that this machine runs at once; 1 where workers cannot share memory. */
export const machineThreads = (): number =>
  threadsObstacle() === undefined ? globalThis.navigator?.hardwareConcurrency ?? 1 : 1;

export const spawnWorker: SpawnWorker = (source, onFailure) => {
  const program = `addEventListener('message', ({ data: start }) => {${source}}, { once: true })`;
  const url = URL.createObjectURL(new Blob([program], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.addEventListener('error', ({ message }) => onFailure(
    message || 'a worker did not start: a content security policy must allow worker-src blob:'));
  return {
    post: (message) => worker.postMessage(message),
    terminate: () => {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
};

/**
 * Workers of browsers. They need a cross-origin isolated page; elsewhere one thread computes.
 * @module
 */
import type { SpawnWorker } from './wasm/threads.ts';

/** Threads that this machine runs at once; 1 where workers cannot share memory. */
export const machineThreads = (): number =>
  globalThis.crossOriginIsolated === true && typeof Worker === 'function'
    ? globalThis.navigator?.hardwareConcurrency ?? 1 : 1;

export const spawnWorker: SpawnWorker = (source, onFailure) => {
  const program = `addEventListener('message', ({ data: start }) => {${source}}, { once: true })`;
  const url = URL.createObjectURL(new Blob([program], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.addEventListener('error', ({ message }) => onFailure(message));
  return {
    post: (message) => worker.postMessage(message),
    terminate: () => {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
};

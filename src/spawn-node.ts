/**
 * Workers of Node.js, Deno and Bun: `node:worker_threads`.
 * @module
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { SpawnWorker } from './wasm/threads.ts';

/** Why workers cannot share memory here: they can. */
export const threadsObstacle = (): string | undefined => undefined;

/** Threads that this machine runs at once. */
export const machineThreads = (): number => availableParallelism();

export const spawnWorker: SpawnWorker = (source, onFailure) => {
  const program = `require('node:worker_threads').parentPort.once('message', (start) => {${source}})`;
  // Without the flags of this process: under --input-type=module the program would have no `require`.
  const worker = new Worker(program, { eval: true, execArgv: [] });
  worker.unref();
  worker.on('error', (error) => onFailure(String(error)));
  worker.on('exit', (code) => onFailure(`it ended with code ${code}`));
  return {
    post: (message) => worker.postMessage(message),
    terminate: () => void worker.terminate(),
  };
};

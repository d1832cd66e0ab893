/**
 * The worker's side of `onebit/worker`: a worker's script needs no more than this call.
 *
 * @example
 * import { serve } from 'onebit/worker/serve';
 * serve();
 * @module
 */
import { createEngine } from '../index.ts';
import type { MessageTarget } from './endpoint.ts';
import { hostEngine } from './host.ts';

export type { MessageTarget } from './endpoint.ts';

/**
 * Serves an engine to whoever called `connect`.
 *
 * @param target where the calls come from; default: the worker's own scope. In a worker of
 *   `node:worker_threads` pass its `parentPort`; any `MessagePort` will do too.
 * @throws {TypeError} If there is no target and this is no worker.
 */
export function serve(target: MessageTarget = globalThis as unknown as MessageTarget): void {
  if (typeof target?.postMessage !== 'function')
    throw new TypeError('serve: "target" expected a worker\'s scope or a port; pass parentPort in Node.js');
  hostEngine(target, createEngine);
}

/**
 * The engine in a worker, with the same API: a page never freezes while it trains or writes.
 *
 * This is the page's side, small and without kernels. The worker's side is `onebit/worker/serve`;
 * a ready-made worker, `onebit/worker/main.js`, is started unless the caller gives one.
 *
 * @example
 * import { connect } from 'onebit/worker';
 * const engine = await connect();
 * const model = await engine.load(file);
 * for await (const piece of model.generate('One day')) output.append(piece);
 * @module
 */
import { EngineError } from '../errors.ts';
import type { EngineInfo } from '../wasm/engine.ts';
import { Channel } from './channel.ts';
import type { MessageTarget } from './endpoint.ts';
import type { RemoteEngineOptions } from './protocol.ts';
import { RemoteEngine } from './remote-engine.ts';

export {
  CheckpointError, ConstraintError, EngineError, ModelFileError, OnebitError, TokenizerError,
  TrainingError,
} from '../errors.ts';
export type { EmbeddingKind } from '../model/file-tables.ts';
export type { ModelSource } from '../model-source.ts';
export type {
  FinishReason, GenerateOptions, Generation, ResponseFormat, Usage,
} from '../sample/generate.ts';
export { TextStream } from '../sample/text-stream.ts';
export type { TextEvaluation } from '../sample/language-model.ts';
export type { RunOptions } from '../train/run.ts';
export type { SignView, WatchOptions } from '../train/sign-watch.ts';
export type { StepReport } from '../train/trainer.ts';
export type { EngineInfo } from '../wasm/engine.ts';
export type { MessageTarget } from './endpoint.ts';
export type { RemoteEngineOptions } from './protocol.ts';
export { RemoteEngine } from './remote-engine.ts';
export type { RemoteLoadOptions } from './remote-engine.ts';
export { RemoteModel } from './remote-model.ts';
export { RemoteRun } from './remote-run.ts';
export { RemoteSession } from './remote-session.ts';
export type { RemoteTrained, RemoteTrainOptions } from './remote-run.ts';

export interface ConnectOptions extends RemoteEngineOptions {
  /**
   * A worker that calls `serve` of `onebit/worker/serve`, a port to one, or the address of its
   * script. Default: `worker-main.js` beside this module, as it is in the package. A bundler that
   * does not copy it (esbuild, rollup) needs a worker of your own:
   * `new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })`.
   */
  worker?: MessageTarget | URL | string;
}

/**
 * Starts an engine in a worker.
 *
 * @throws {EngineError} NO_WASM, NO_SIMD, SELFTEST_FAILED, OUT_OF_MEMORY as of the worker's engine;
 *   WORKER_LOST if the worker cannot be started.
 * @example
 * const engine = await connect({ threads: 1 });
 * engine.info.threads; // 1
 */
export async function connect(options: ConnectOptions = {}): Promise<RemoteEngine> {
  const { worker, ...rest } = options;
  const target = worker === undefined || typeof worker === 'string' || worker instanceof URL
    ? startWorker(worker) : worker;
  const channel = new Channel(target);
  try {
    const info: EngineInfo = await channel.call('open', rest);
    return new RemoteEngine(channel, info);
  } catch (error) {
    channel.close();
    throw error;
  }
}

/** A module worker. Not at module scope: some runtimes have no `import.meta.url`. */
function startWorker(script?: URL | string): MessageTarget {
  if (typeof Worker !== 'function')
    throw new EngineError('WORKER_LOST',
      'this runtime has no global Worker; pass one of node:worker_threads as "worker"');
  return (script === undefined
    ? new Worker(new URL('./worker-main.js', import.meta.url), { type: 'module' })
    : new Worker(script, { type: 'module' })) as MessageTarget;
}

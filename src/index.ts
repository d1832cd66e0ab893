/**
 * onebit: train, pack and run 1-bit language models, with the kernels embedded.
 *
 * @example
 * import { load } from 'onebit';
 * const model = await load(await readFile('model.onebit.safetensors'));
 * for await (const piece of model.generate('One day')) process.stdout.write(piece);
 * @module
 */
import type {
  Engine, EngineOptions, LoadOptions, ModelSource, Trained, TrainOptions,
} from './core.ts';
import { checkInteger } from './check.ts';
import * as core from './core.ts';
import type { LanguageModel } from './sample/language-model.ts';
import { embeddedModule, embeddedRelaxedModule, embeddedSharedModule } from '#kernels';
import { machineThreads, spawnWorker, threadsObstacle } from '#spawn';

export * from './core.ts';

/** More threads than this do not help. */
const MAX_THREADS = 64;

/** How an engine is made where the kernels are embedded. All is optional. */
export interface EmbeddedEngineOptions extends Partial<EngineOptions> {
  /** Threads, this one included. Default: as many as the machine runs, 1 if memory is not shared. */
  threads?: number;
}

/**
 * An engine with the embedded kernels. Its workers start when there is work for them; where they
 * cannot, it computes alone, with the same results, and `info.notes` say why.
 *
 * @throws {RangeError} If `threads` is no integer from 1 to 64, or a variant is unknown.
 * @throws {EngineError} NO_WASM, NO_SIMD, SELFTEST_FAILED
 * @example
 * createEngine({ threads: 2 }).info.threads; // 2
 */
export function createEngine(options: EmbeddedEngineOptions = {}): Engine {
  const { threads = Math.min(machineThreads(), MAX_THREADS), ...rest } = options;
  checkInteger('createEngine', 'threads', threads, 1, MAX_THREADS);
  if (rest.module !== undefined) return core.createEngine({ ...rest, module: rest.module });
  const module = embeddedModule(), obstacle = threadsObstacle();
  if (threads === 1 || obstacle !== undefined)
    return core.createEngine({
      ...rest, module, relaxed: embeddedRelaxedModule('own'),
      oneThreadReason: options.threads === 1 ? undefined : obstacle,
    });
  const threading = {
    threads, module: embeddedSharedModule(), relaxed: embeddedRelaxedModule('shared'), spawn: spawnWorker,
  };
  return core.createEngine({ ...rest, module, threading });
}

/** Loads a packed model, into an engine of its own unless one is given; see `onebit/core`. */
export const load = (
  source: ModelSource, options: Partial<LoadOptions> = {},
): Promise<LanguageModel> =>
  core.load(source, {
    ...options, engine: options.engine ?? createEngine(), ownEngine: options.engine === undefined,
  });

/** Trains a model from nothing and packs it; see `onebit/core`. */
export const train = (options: Partial<TrainOptions> = {}): Promise<Trained> =>
  core.train({
    ...options, engine: options.engine ?? createEngine(), ownEngine: options.engine === undefined,
  });

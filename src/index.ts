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
import * as core from './core.ts';
import type { LanguageModel } from './sample/language-model.ts';
import { embeddedModule } from './wasm/embedded.ts';

export * from './core.ts';

/** An engine with the embedded kernels; see `createEngine` of `onebit/core`. */
export const createEngine = (options: Partial<EngineOptions> = {}): Engine =>
  core.createEngine({ ...options, module: options.module ?? embeddedModule() });

/** Loads a packed model, into an engine of its own unless one is given; see `onebit/core`. */
export const load = (
  source: ModelSource, options: Partial<LoadOptions> = {},
): Promise<LanguageModel> =>
  core.load(source, { ...options, engine: options.engine ?? createEngine() });

/** Trains a model from nothing and packs it; see `onebit/core`. */
export const train = (options: Partial<TrainOptions> = {}): Promise<Trained> =>
  core.train({ ...options, engine: options.engine ?? createEngine() });

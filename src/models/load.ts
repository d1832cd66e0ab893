/**
 * Loading real models: from bytes, a Blob, a file or an address, into an engine.
 * @module
 */
import { checkOneOf } from '../check.ts';
import { tokenizerFromGguf } from '../chat/gguf-tokenizer.ts';
import type { ModelFiles } from '../hub/folder.ts';
import { folderOf } from '../hub/folder.ts';
import type { ModelLocation, SourceOptions } from '../hub/open.ts';
import { openSource } from '../hub/open.ts';
import type { Engine } from '../wasm/engine.ts';
import { ChatModel } from './chat-model.ts';
import { ACTIVATIONS } from './gguf-plan.ts';
import { openGguf } from './open-gguf.ts';
import type { OpenHfOptions } from './open-hf.ts';
import { openHf } from './open-hf.ts';
import { openOwn } from './open-own.ts';
import { isSafetensors } from './parts-own.ts';

/** How a model is loaded. All but the engine is optional. */
export interface ModelOptions extends OpenHfOptions, SourceOptions {
  readonly engine: Engine;
  /** Whether files behind addresses are kept, and in which folder. Default true. */
  readonly cache?: boolean | string;
  /** Close the engine when the model is disposed, or cannot be loaded. Default false. */
  readonly ownEngine?: boolean;
  /** The file, for messages. Default: the address or path. */
  readonly name?: string;
  /** Chat template, in place of the file's. */
  readonly chatTemplate?: string;
}

/** Positions that are kept for a model that could have more; `contextLength` asks for others. */
const CONTEXT = 4096;

/**
 * Loads a model, 1-bit, ternary or float: a GGUF file of an architecture that `planGguf` knows, a folder with
 * `config.json` and safetensors that `configOfHf` knows, or one of our own files.
 *
 * @throws {ModelFileError} If the file is damaged or of a kind that does not run here, with the reason.
 * @throws {TokenizerError} If its tokenizer is of an unknown kind.
 * @throws {EngineError} OUT_OF_MEMORY
 */
export async function loadModel(
  source: ModelLocation | ModelFiles, options: ModelOptions,
): Promise<ChatModel> {
  const { engine, ownEngine, contextLength = CONTEXT, activations } = options;
  if (activations) checkOneOf('load', 'activations', activations, ACTIVATIONS);
  if (options.embeddings) checkOneOf('load', 'embeddings', options.embeddings, ['i8']);
  try {
    const sources = { ...options, contextLength, cache: options.cache ?? true };
    const folder = await folderOf(source, sources);
    if (folder) {
      const { model, plan, tokenizer } = await openHf(engine, folder, sources);
      return new ChatModel(model, tokenizer, plan, ownEngine ? engine : undefined, options.chatTemplate);
    }
    return await loadFile(source as ModelLocation, sources);
  } catch (error) {
    if (ownEngine) engine.dispose();
    throw error;
  }
}

async function loadFile(source: ModelLocation, options: ModelOptions): Promise<ChatModel> {
  const { engine, ownEngine, chatTemplate } = options, owned = ownEngine ? engine : undefined;
  const { bytes, name, close } = await openSource(source, options), file = options.name ?? name;
  try {
    if (await isSafetensors(bytes)) {
      const { model, plan, tokenizer } = await openOwn(engine, bytes, options, file);
      return new ChatModel(model, tokenizer, plan, owned, chatTemplate);
    }
    const { model, plan } = await openGguf(engine, bytes, options, file);
    try {
      const tokenizer = tokenizerFromGguf(plan.metadata.file.metadata, { rows: plan.config.vocabSize });
      return new ChatModel(model, tokenizer, plan, owned, chatTemplate);
    } catch (error) {
      model.dispose();
      throw error;
    }
  } finally {
    await close();
  }
}

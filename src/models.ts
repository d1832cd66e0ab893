/**
 * onebit/models: the 1-bit and ternary models that people have, out of GGUF and safetensors files.
 *
 * @example
 * import { load } from 'onebit/models';
 * const model = await load('Bonsai-1.7B-Q1_0.gguf');
 * const answer = model.generate([{ role: 'user', content: 'Hello!' }]);
 * for await (const piece of answer) process.stdout.write(piece);
 * @module
 */
import type { ModelFiles } from './hub/folder.ts';
import type { ModelLocation } from './hub/open.ts';
import { createEngine } from './index.ts';
import type { ChatModel } from './models/chat-model.ts';
import type { ModelOptions } from './models/load.ts';
import { loadModel } from './models/load.ts';

export {
  CheckpointError, EngineError, ModelFileError, OnebitError, TemplateError, TokenizerError,
} from './errors.ts';
export type { ChatMessage, FormatOptions } from './chat/chat-format.ts';
export { ChatFormat } from './chat/chat-format.ts';
export { tokenizerFromGguf } from './chat/gguf-tokenizer.ts';
export { tokenizerFromHuggingFace } from './chat/json-tokenizer.ts';
export { ChatTemplate } from './chat/template.ts';
export type { TemplateLimits } from './chat/template.ts';
export type { EncodeOptions } from './chat/text-tokenizer.ts';
export { TextTokenizer } from './chat/text-tokenizer.ts';
export { hubAddress } from './hub/address.ts';
export type { CacheEntry, DownloadProgress } from './hub/cache.ts';
export { listCached, removeCached } from './hub/cache.ts';
export type { ModelFiles } from './hub/folder.ts';
export type { ModelLocation, OpenedSource, SourceOptions } from './hub/open.ts';
export { addressOf, openSource, storeOf } from './hub/open.ts';
export type { ByteSource } from './io/byte-source.ts';
export { bytesSource } from './io/byte-source.ts';
export type { GgufFile, GgufTensor } from './io/gguf.ts';
export { readGguf } from './io/gguf.ts';
export type { ChatOptions } from './models/chat-model.ts';
export { ChatModel } from './models/chat-model.ts';
export { ChatSession } from './models/chat-session.ts';
export type { Converted, ConvertedFile, ConvertOptions } from './models/convert.ts';
export { convertModel } from './models/convert.ts';
export type { FolderHeaders } from './models/folder-headers.ts';
export { readFolderHeaders } from './models/folder-headers.ts';
export type { Activations, GgufPlan } from './models/gguf-plan.ts';
export { ACTIVATIONS, planGguf } from './models/gguf-plan.ts';
export type { ModelPlan } from './models/model-plan.ts';
export type { LoadProgress } from './models/open-gguf.ts';
export { isSafetensors } from './models/parts-own.ts';
export type { ModelFormat } from './models/parts.ts';
export type { ProjectionType } from './models/to-gguf.ts';
export { PROJECTION_TYPES } from './models/to-gguf.ts';
export type { EmbedOptions, Pooling } from './sample/embed.ts';

/** How a model is loaded; everything is optional. */
export interface LoadOptions extends Partial<ModelOptions> {
  /** Threads, where no engine is given. Default: as many as the machine runs. */
  readonly threads?: number;
}

/**
 * Loads a model from a path, an address, `hf:OWNER/REPO/FILE@REVISION`, bytes or a Blob, or from the folder
 * of a Hugging Face model (a path, an address that ends in `/`, `hf:OWNER/REPO`, files by name), into an
 * engine of its own unless one is given.
 *
 * What is behind an address is received once and kept; see `SourceOptions`.
 * Tensors go straight into the kernels' layout as they arrive, so the memory at the most is that of the model
 * and some megabytes.
 *
 * @throws {ModelFileError} If the file is damaged or of a kind that does not run here, with the reason.
 * @throws {TokenizerError} If its tokenizer is of an unknown kind.
 * @throws {EngineError} OUT_OF_MEMORY
 */
export const load = (source: ModelLocation | ModelFiles, options: LoadOptions = {}): Promise<ChatModel> =>
  loadModel(source, {
    ...options, engine: options.engine ?? createEngine({ threads: options.threads }),
    ownEngine: options.engine === undefined || options.ownEngine,
  });

/**
 * A model out of one of our own files, also of one that was converted from a real model.
 * @module
 */
import { tokenizerFromHuggingFace } from '../chat/json-tokenizer.ts';
import { huggingFaceTokenizer } from '../chat/own-tokenizer.ts';
import type { TextTokenizer } from '../chat/text-tokenizer.ts';
import { EngineError } from '../errors.ts';
import type { ByteSource } from '../io/byte-source.ts';
import { readExactly } from '../io/byte-source.ts';
import type { BitNet } from '../model/bitnet.ts';
import { buildModel, modelSizes, readModelHeader } from '../model/file.ts';
import type { Engine } from '../wasm/engine.ts';
import type { ModelPlan } from './model-plan.ts';
import type { OpenOptions } from './open-gguf.ts';
import { extrasOf } from './parts-own.ts';

/**
 * @throws {ModelFileError} As `readModelHeader` and `buildModel`.
 * @throws {TokenizerError} If its tokenizer is of an unknown kind.
 * @throws {EngineError} OUT_OF_MEMORY; whatever was allocated is given back.
 */
export async function openOwn(
  engine: Engine, source: ByteSource, options: OpenOptions, name?: string,
): Promise<{ model: BitNet; plan: ModelPlan; tokenizer: TextTokenizer }> {
  const { signal, maxMemory, onProgress, embeddings } = options;
  const bytes = await readExactly(source, 0, source.size, name);
  signal?.throwIfAborted();
  const header = readModelHeader(bytes, name), { config } = header;
  const { chatTemplate, endTokens } = extrasOf(header);
  const tokenizer = tokenizerFromHuggingFace(
    JSON.parse(huggingFaceTokenizer(header.tokenizer)) as object, {}, { rows: config.vocabSize, endTokens });
  const { packedBytes } = modelSizes(header);
  if (maxMemory !== undefined && packedBytes > maxMemory)
    throw new EngineError('OUT_OF_MEMORY',
      `the weights take ${packedBytes} bytes, "maxMemory" allows ${maxMemory}`,
      { expected: packedBytes, actual: maxMemory });
  const model = buildModel(engine, header, name, { embeddings });
  onProgress?.({ loaded: source.size, total: source.size });
  const activations = config.weights === 'f32' ? 'f32' : 'i8';
  return {
    model, tokenizer,
    plan: { architectureName: 'onebit', config, activations, bytes: packedBytes, chatTemplate },
  };
}

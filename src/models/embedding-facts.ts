/**
 * What the file of a model says of its embeddings.
 *
 *   ARCHITECTURE.pooling_type     0 none, 1 mean, 2 first token, 3 last token, 4 rank
 *   tokenizer.ggml.add_eos_token  whether texts end with eos_token_id, which `last` then reads
 *
 * Source  llama.cpp `include/llama.h` (llama_pooling_type), `src/llama-vocab.cpp`.
 * @module
 */
import type { Metadata } from '../io/gguf-metadata.ts';
import type { Pooling } from '../sample/embed.ts';

/** Asked for when a text is embedded, so that a file that is wrong in this still writes. */
export interface EmbeddingFacts {
  /** @throws {ModelFileError} UNSUPPORTED for a pooling that is not known here; WRONG_TYPE, BAD_HPARAM */
  pooling(): Pooling;
  /** The token that ends texts before they are embedded, if there is one. */
  endToken(): number | undefined;
}

const NONE = 0, MEAN = 1, LAST = 3;
const KEY = 'tokenizer.ggml.';

/** `last` where the file does not say, or says that there is none: these models see what came before. */
export const embeddingFacts = (metadata: Metadata, architecture: string): EmbeddingFacts => ({
  pooling() {
    const key = `${architecture}.pooling_type`, type = metadata.number(key, 0, 255) ?? LAST;
    if (type === MEAN) return 'mean';
    if (type === NONE || type === LAST) return 'last';
    return metadata.fail('UNSUPPORTED', key, '0 (none), 1 (mean) or 3 (last)', type);
  },
  endToken: () => metadata.flag(`${KEY}add_eos_token`)
    ? metadata.number(`${KEY}eos_token_id`, 0, 2 ** 31) : undefined,
});

/**
 * The tokenizers that are trained here, as other libraries know them.
 *
 *   bytes   byte-level BPE without merges                 GGUF: gpt2
 *   chars   BPE over characters without merges            GGUF: llama, every token one character
 *   bpe     byte-level BPE, a tokenizer.json as it is     GGUF: gpt2, pre-tokenizer gpt-2
 *
 * llama.cpp takes some token for the end of a text even where there is none; it is given the byte 0, or else
 * the last character. `onebit.tokenizer` has the tokenizer as it is, and tells our reader that none ends.
 *
 * Source  llama.cpp `src/llama-vocab.cpp`; github.com/huggingface/tokenizers.
 * @module
 */
import { TokenizerError } from '../errors.ts';
import type { GgufField } from '../io/gguf-writer.ts';
import { createByteAlphabet } from '../tokenizer/byte-alphabet.ts';
import { BYTES_TYPE } from '../tokenizer/bytes.ts';
import { CHARS_TYPE } from '../tokenizer/chars.ts';
import { tokenizerFromJson } from '../tokenizer/tokenizer.ts';
import type { Tokenizer } from '../tokenizer/types.ts';

/** The key of our own tokenizer in GGUF metadata. */
export const TOKENIZER_KEY = 'onebit.tokenizer';

const KEY = 'tokenizer.ggml.';
/** A token that is text, in `tokenizer.ggml.token_type`. */
const NORMAL = 1;
const BLANK = '▁';

/** Every token as its text; for bytes, by their names. */
function namesOf(tokenizer: Tokenizer): string[] {
  const { names } = createByteAlphabet(), { kind, vocabSize } = tokenizer;
  return Array.from({ length: vocabSize }, (_, id) => {
    const bytes = tokenizer.tokenBytes(id);
    return kind === 'chars' ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
      : Array.from(bytes, (byte) => names[byte]).join('');
  });
}

function checkBlank(names: readonly string[]): void {
  if (names.includes(BLANK))
    throw new TokenizerError('UNSUPPORTED',
      `the vocabulary has the character ${BLANK}, which stands for a space in other libraries`,
      { actual: BLANK });
}

/**
 * A `tokenizer.json` that gives the same ids.
 *
 * @param json of a tokenizer: ours, or a `tokenizer.json`, which stays
 * @throws {TokenizerError} UNSUPPORTED if characters cannot be told from a space; as `tokenizerFromJson`
 * @example
 * const json = huggingFaceTokenizer('{"type":"onebit/bytes"}');
 * tokenizerFromHuggingFace(JSON.parse(json)).encode('é'); // Uint32Array [195, 169]
 */
export function huggingFaceTokenizer(json: string): string {
  if (Object.hasOwn(JSON.parse(json) as object, 'model')) return json;
  const tokenizer = tokenizerFromJson(json), names = namesOf(tokenizer), bytes = tokenizer.kind === 'bytes';
  if (!bytes) checkBlank(names);
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false };
  const vocab = names.map((name, id) => `${JSON.stringify(name)}:${id}`).join(',');
  const top = JSON.stringify({
    version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: null,
    pre_tokenizer: bytes ? byteLevel : null, post_processor: null,
    decoder: bytes ? byteLevel : { type: 'Fuse' },
  });
  const model = JSON.stringify({
    type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null,
    fuse_unk: false, byte_fallback: false, ignore_merges: false, merges: [],
  });
  // By hand, in order of the ids: an object would move names such as "1" to the front.
  return `${top.slice(0, -1)},"model":${model.slice(0, -1)},"vocab":{${vocab}}}}`;
}

/**
 * The tokenizer of ours that a `tokenizer.json` was written from; undefined if it is of another model.
 *
 * @example
 * ownTokenizer(huggingFaceTokenizer('{"type":"onebit/bytes"}')); // '{"type":"onebit/bytes"}'
 */
export function ownTokenizer(text: string): string | undefined {
  const { model } = JSON.parse(text) as { model?: { vocab?: object } };
  const vocab = Object.entries(model?.vocab ?? {}).sort(([, a], [, b]) => a - b);
  const characters = vocab.map(([token]) => token).join('');
  for (const candidate of [{ type: BYTES_TYPE }, { type: CHARS_TYPE, characters }]) {
    const json = JSON.stringify(candidate);
    if (worked(() => huggingFaceTokenizer(json)) === text) return json;
  }
  return worked(() => tokenizerFromJson(text)) && text;
}

/** What `work` gives; undefined if the tokenizer is none of ours. */
function worked<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof TokenizerError) return undefined;
    throw error;
  }
}

/**
 * The metadata of a GGUF file that give the same ids.
 *
 * @param json of a tokenizer that is trained here
 * @throws {TokenizerError} UNSUPPORTED, as `tokenizerFromJson`, for those of other models
 */
export function ggufTokenizer(json: string): Record<string, GgufField> {
  const tokenizer = tokenizerFromJson(json), names = namesOf(tokenizer), chars = tokenizer.kind === 'chars';
  if (chars) checkBlank(names);
  const zero = names.indexOf(chars ? '\0' : createByteAlphabet().names[0]);
  const end = zero < 0 ? names.length - 1 : zero;
  const tokens = chars ? names.map((name) => (name === ' ' ? BLANK : name)) : names;
  return {
    [`${KEY}model`]: { type: 'string', value: chars ? 'llama' : 'gpt2' },
    [`${KEY}pre`]: { type: 'string', value: chars ? 'default' : 'gpt-2' },
    [`${KEY}tokens`]: { type: 'strings', value: tokens },
    ...(chars ? { [`${KEY}scores`]: { type: 'f32s', value: names.map((_, id) => -id) } } : {
      [`${KEY}merges`]: { type: 'strings', value: mergesOf(json) },
    }),
    [`${KEY}token_type`]: { type: 'i32s', value: names.map(() => NORMAL) },
    [`${KEY}bos_token_id`]: { type: 'u32', value: end },
    [`${KEY}eos_token_id`]: { type: 'u32', value: end },
    [`${KEY}add_bos_token`]: { type: 'bool', value: false },
    [`${KEY}add_eos_token`]: { type: 'bool', value: false },
    [`${KEY}add_space_prefix`]: { type: 'bool', value: false },
    [TOKENIZER_KEY]: { type: 'string', value: json },
  };
}

function mergesOf(json: string): string[] {
  const { model } = JSON.parse(json) as { model?: { merges: ([string, string] | string)[] } };
  return (model?.merges ?? []).map((merge) => (typeof merge === 'string' ? merge : merge.join(' ')));
}

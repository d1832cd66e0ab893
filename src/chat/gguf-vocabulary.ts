/**
 * The vocabulary in the metadata of a GGUF file: tokens, merges, and which of them are special.
 *
 *   gpt2    byte-level BPE: every character of a token stands for a byte (`byte-alphabet.ts`)
 *   llama   SentencePiece: "▁" is a space, "<0x41>" a byte; the better-scored pair is merged first
 *
 * Source  ggml `docs/gguf.md`; llama.cpp `src/llama-vocab.cpp`.
 * @module
 */
import { TokenizerError, quote } from '../errors.ts';
import type { Metadata } from '../io/gguf-metadata.ts';

/** What a token is for, by ggml's numbers. */
export const TOKEN_TYPES = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

export interface Vocabulary {
  readonly model: 'gpt2' | 'llama';
  readonly pre?: string;
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  /** Of SentencePiece: larger is merged first. */
  readonly scores: readonly number[];
  /** "left right", most important first; of byte-level BPE. */
  readonly merges: readonly string[];
  readonly bos?: number;
  /** Begin every text with `bos`. */
  readonly addBos: boolean;
  /** SentencePiece: begin every text with a space. */
  readonly addSpacePrefix: boolean;
  /** Ids that end a text. */
  readonly stops: readonly number[];
  readonly chatTemplate?: string;
}

/** Tokens that end a turn in models whose metadata name only one. */
const END_TOKENS = ['<|eot_id|>', '<|im_end|>', '<|endoftext|>', '<|end_of_text|>'];
const MAX_TOKENS = 2 ** 20;

/**
 * @throws {ModelFileError} WRONG_TYPE, MISSING_KEY, BAD_HPARAM of a key
 * @throws {TokenizerError} UNSUPPORTED_TOKENIZER, VOCAB_MISMATCH, DUPLICATE_TOKEN
 */
export function readVocabulary(metadata: Metadata): Vocabulary {
  const key = (rest: string): string => `tokenizer.ggml.${rest}`, { name: file } = metadata;
  const model = metadata.text(key('model'));
  if (model !== 'gpt2' && model !== 'llama')
    throw new TokenizerError('UNSUPPORTED_TOKENIZER',
      `the tokenizer is ${model === undefined ? 'missing' : quote(model)}; gpt2 and llama are read`,
      { file, field: key('model'), expected: 'gpt2 or llama', actual: model });
  const tokens = metadata.strings(key('tokens')) ??
    metadata.fail('MISSING_KEY', key('tokens'), 'tokens', undefined);
  const perToken = (rest: string, otherwise: number): number[] => {
    const values = metadata.numbers(key(rest)) ?? tokens.map(() => otherwise);
    if (values.length !== tokens.length)
      throw new TokenizerError('VOCAB_MISMATCH',
        `${key(rest)} has ${values.length} entries, the vocabulary ${tokens.length} tokens`,
        { file, field: key(rest), expected: tokens.length, actual: values.length });
    return values;
  };
  checkTokens(tokens, file);
  const id = (rest: string): number | undefined => metadata.number(key(rest), 0, tokens.length - 1);
  const bos = id('bos_token_id');
  const named = END_TOKENS.map((token) => tokens.indexOf(token)).filter((index) => index >= 0);
  const stops = [id('eos_token_id'), id('eot_token_id'), id('eom_token_id'), ...named];
  return {
    model, tokens, pre: metadata.text(key('pre')), bos,
    types: perToken('token_type', TOKEN_TYPES.normal), scores: perToken('scores', 0),
    merges: metadata.strings(key('merges')) ?? [],
    addBos: metadata.flag(key('add_bos_token')) ?? model === 'llama',
    addSpacePrefix: metadata.flag(key('add_space_prefix')) ?? model === 'llama',
    stops: [...new Set(stops.filter((stop) => stop !== undefined))],
    chatTemplate: metadata.text('tokenizer.chat_template'),
  };
}

function checkTokens(tokens: readonly string[], file?: string): void {
  if (tokens.length < 2 || tokens.length > MAX_TOKENS)
    throw new TokenizerError('LIMIT',
      `the vocabulary has ${tokens.length} tokens, expected 2 to ${MAX_TOKENS}`,
      { file, expected: MAX_TOKENS, actual: tokens.length });
  const places = new Map<string, number>();
  tokens.forEach((token, index) => {
    const before = places.get(token);
    if (before !== undefined)
      throw new TokenizerError('DUPLICATE_TOKEN', `tokens ${before} and ${index} are both ${quote(token)}`,
        { file, offset: index });
    places.set(token, index);
  });
}

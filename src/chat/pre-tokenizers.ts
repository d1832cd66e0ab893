/**
 * How text is cut into words before merging, by the name that GGUF gives it (`tokenizer.ggml.pre`).
 *
 * The patterns are those of the tokenizers that the models were trained with; GGUF keeps names only.
 * Source  llama.cpp `src/llama-vocab.cpp`; the `tokenizer.json` of Llama 3, Qwen 2, GPT-2.
 * @module
 */
import { TokenizerError, quote } from '../errors.ts';

/** A pattern of words, and what goes with it. */
export interface PreTokenizer {
  readonly pattern: string;
  /** Text is put in Unicode's composed form first. */
  readonly composed: boolean;
  /** A word that is a token is one, whatever the merges say. */
  readonly wholeWords: boolean;
}

const CONTRACTIONS = '(?i:\'s|\'t|\'re|\'ve|\'m|\'ll|\'d)';
/** Letters with a character before them; digits, `digits` at a time; the rest; line breaks; spaces. */
const modern = (digits: string): string =>
  `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|` +
  '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const GPT2 = '\'s|\'t|\'re|\'ve|\'m|\'ll|\'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+';

const LLAMA3: PreTokenizer = { pattern: modern('{1,3}'), composed: false, wholeWords: true };
const QWEN2: PreTokenizer = { pattern: modern(''), composed: true, wholeWords: false };

const PRE_TOKENIZERS: Readonly<Record<string, PreTokenizer>> = {
  'llama-bpe': LLAMA3, 'llama3': LLAMA3, 'llama-v3': LLAMA3, 'falcon3': LLAMA3,
  'qwen2': QWEN2,
  'gpt-2': { pattern: GPT2, composed: false, wholeWords: false },
};

/** Vocabularies of models whose files do not say: Llama 3 (Microsoft's 2B4T) and Qwen. */
const LLAMA3_TOKENS = 128_256, QWEN_TOKENS = [151_600, 151_936] as const;

/**
 * @param name `tokenizer.ggml.pre`, if the file has it
 * @param tokens in the vocabulary: decides where the name is missing
 * @throws {TokenizerError} UNSUPPORTED_PRE_TOKENIZER
 */
export function preTokenizer(name: string | undefined, tokens: number, file?: string): PreTokenizer {
  if (name !== undefined && Object.hasOwn(PRE_TOKENIZERS, name)) return PRE_TOKENIZERS[name];
  if (name === undefined && tokens === LLAMA3_TOKENS) return LLAMA3;
  if (name === undefined && tokens >= QWEN_TOKENS[0] && tokens <= QWEN_TOKENS[1]) return QWEN2;
  throw new TokenizerError('UNSUPPORTED_PRE_TOKENIZER',
    `tokenizer.ggml.pre is ${name === undefined ? 'missing' : quote(name)}; known: ` +
    `${Object.keys(PRE_TOKENIZERS).join(', ')}`, { file, field: 'tokenizer.ggml.pre', actual: name });
}

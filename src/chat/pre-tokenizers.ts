/**
 * How texts are cut into words before merging, by the names that GGUF files use (`tokenizer.ggml.pre`), as
 * pre-tokenizers of a `tokenizer.json`.
 *
 * Source  llama.cpp `src/llama-vocab.cpp` for names and expressions.
 * @module
 */
import { TokenizerError, quote } from '../errors.ts';

/** A pre-tokenizer and what goes with its name. */
export interface PreTokenizerRule {
  readonly json: object;
  /** What text goes through before. */
  readonly normalizer: object | null;
  /** A word that is a token needs no merging. */
  readonly wholeWords: boolean;
  /** Whether texts begin with the first token where the file does not say. */
  readonly addBos: boolean;
}

const CONTRACTIONS = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
const wordsWithDigits = (digits: string): string =>
  `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|` +
  '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const GPT2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

const byteLevel = (...expressions: string[]): object => ({
  type: 'Sequence',
  pretokenizers: [
    ...expressions.map((Regex) =>
      ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false })),
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
  ],
});

const LLAMA3: PreTokenizerRule =
  { json: byteLevel(wordsWithDigits('\\p{N}{1,3}')), normalizer: null, wholeWords: true, addBos: true };
const plain = (json: object): PreTokenizerRule =>
  ({ json, normalizer: null, wholeWords: false, addBos: false });
/** Trained on text in Unicode's composed form. */
const QWEN2: PreTokenizerRule =
  { ...plain(byteLevel(wordsWithDigits('\\p{N}'))), normalizer: { type: 'NFC' } };
const GPT_2 = plain(byteLevel(GPT2));
const SMOLLM = plain(byteLevel('\\p{N}', GPT2));
const DEFAULT = plain(byteLevel('[\\p{P}\\$\\+<=>\\^~\\|]+', GPT2, '\\p{N}+', '[0-9][0-9][0-9]'));

const RULES: ReadonlyMap<string, PreTokenizerRule> = new Map([
  ['llama-bpe', LLAMA3], ['llama3', LLAMA3], ['llama-v3', LLAMA3], ['falcon3', LLAMA3],
  ['qwen2', QWEN2], ['deepseek-r1-qwen', QWEN2],
  ['gpt-2', GPT_2], ['smollm', SMOLLM], ['default', DEFAULT],
]);

/** Sizes of vocabularies that tell a model whose file lacks the name. */
const LLAMA3_SIZE = 128_256, QWEN2_SIZES = [151_643, 152_064];

/**
 * The rule of a name; of a file without one, by the size of its vocabulary: 128,256 tokens are Llama 3's
 * (BitNet b1.58 2B4T has no name), 151,643 to 152,064 those of Qwen 2 and 3.
 *
 * @throws {TokenizerError} UNSUPPORTED if the name is not known.
 */
export function preTokenizerRule(name: string | undefined, vocabSize: number): PreTokenizerRule {
  if (name === undefined) {
    if (vocabSize === LLAMA3_SIZE) return LLAMA3;
    return vocabSize >= QWEN2_SIZES[0] && vocabSize <= QWEN2_SIZES[1] ? QWEN2 : DEFAULT;
  }
  const rule = RULES.get(name);
  if (rule) return rule;
  throw new TokenizerError('UNSUPPORTED',
    `the pre-tokenizer ${quote(name)} is not known; known are ${[...RULES.keys()].join(', ')}`,
    { field: 'tokenizer.ggml.pre', actual: name, expected: [...RULES.keys()] });
}

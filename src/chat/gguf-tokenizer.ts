/**
 * The tokenizer in the metadata of a GGUF file: `tokenizer.ggml.*`.
 *
 * Source  llama.cpp `src/llama-vocab.cpp`; ggml `docs/gguf.md`.
 * @module
 */
import { ModelFileError, TokenizerError, quote } from '../errors.ts';
import { GgufArray } from '../io/gguf.ts';
import { TOKENIZER_KEY } from './own-tokenizer.ts';
import type { TokenizerPlan, TokenKind } from './plan.ts';
import { END_NAMES } from './plan.ts';
import { preTokenizerRule } from './pre-tokenizers.ts';
import { TextTokenizer } from './text-tokenizer.ts';

/** Metadata as `readGguf` gives it; plain arrays will do. */
export type TokenizerMetadata = ReadonlyMap<string, unknown>;

export interface GgufTokenizerOptions {
  /** Rows of the embedding: tokens that the file does not name are unused. Default: as many as it names. */
  rows?: number;
}

const KEY = 'tokenizer.ggml.';
/** `tokenizer.ggml.token_type`, by number; 2 is the unknown token, which no text is. */
const KINDS: readonly TokenKind[] = ['normal', 'normal', 'control', 'control', 'markup', 'unused', 'byte'];

/**
 * The tokenizer that a GGUF file carries.
 *
 * Byte-level BPE (`gpt2`) and SentencePiece (`llama`) are known. A file without `tokenizer.ggml.pre` is told
 * by the size of its vocabulary; see `preTokenizerRule`.
 *
 * @throws {ModelFileError} MISSING_KEY, WRONG_TYPE, INVALID_UTF8
 * @throws {TokenizerError} UNSUPPORTED, VOCAB_MISMATCH, BAD_SPECIAL_ID, BAD_BYTE_TOKEN, BAD_MERGE
 * @example
 * const tokenizer = tokenizerFromGguf((await readGguf(source)).metadata);
 * tokenizer.encode('Hello'); // Uint32Array [9906]
 */
export function tokenizerFromGguf(
  metadata: TokenizerMetadata, options: GgufTokenizerOptions = {},
): TextTokenizer {
  return new TextTokenizer(planOfGguf(metadata, options));
}

/** What `tokenizerFromGguf` makes its tokenizer of. */
export function planOfGguf(
  metadata: TokenizerMetadata, { rows }: GgufTokenizerOptions = {},
): TokenizerPlan {
  const model = text(metadata, 'model');
  if (model !== 'gpt2' && model !== 'llama')
    throw new TokenizerError('UNSUPPORTED',
      `${KEY}model expected gpt2 or llama, found ${model === undefined ? 'nothing' : quote(model)}`,
      { field: `${KEY}model`, expected: 'gpt2 or llama', actual: model });
  const named = strings(metadata, 'tokens')
    ?? missing('tokens', 'the tokens of the vocabulary');
  const tokens = padded(named, rows ?? named.length);
  const kinds = kindsOf(metadata, tokens, named.length);
  const id = (key: string): number | undefined => specialId(metadata, key, tokens.length);
  // Tokenizers that are trained here have no such tokens, though the file must name one.
  const endKeys = metadata.has(TOKENIZER_KEY) ? [] : ['eos_token_id', 'eot_token_id', 'eom_token_id'];
  const endTokens = endIds(tokens, kinds, endKeys.map(id));
  const shared = {
    tokens, kinds, endTokens, trims: new Map(), bosToken: id('bos_token_id'),
    unknownToken: id('unknown_token_id'),
  };
  return model === 'gpt2'
    ? byteLevelPlan(metadata, shared) : sentencePiecePlan(metadata, shared, named.length);
}

type SharedPlan = Pick<
  TokenizerPlan, 'tokens' | 'kinds' | 'endTokens' | 'trims' | 'bosToken' | 'unknownToken'>;

function byteLevelPlan(metadata: TokenizerMetadata, shared: SharedPlan): TokenizerPlan {
  const rule = preTokenizerRule(text(metadata, 'pre'), shared.tokens.length);
  const lines = strings(metadata, 'merges') ?? missing('merges', 'the merges of a gpt2 vocabulary');
  const merges = lines.map((line, index) => {
    const at = line.indexOf(' ', 1);
    if (at > 0) return [line.slice(0, at), line.slice(at + 1)] as const;
    throw new TokenizerError('BAD_MERGE', `merge ${index} expected two tokens, found ${quote(line)}`,
      { field: `${KEY}merges`, offset: index, actual: line });
  });
  return {
    ...shared, spelling: 'bytes', rule: { merges, wholeWords: rule.wholeWords },
    normalizer: rule.normalizer, preTokenizer: rule.json, prefixSpace: false,
    addBos: flag(metadata, 'add_bos_token') ?? rule.addBos,
  };
}

function sentencePiecePlan(
  metadata: TokenizerMetadata, shared: SharedPlan, named: number,
): TokenizerPlan {
  const scores = numbers(metadata, 'scores') ?? missing('scores', 'a score for each token');
  checkLength('scores', scores.length, named);
  const prefixSpace = flag(metadata, 'add_space_prefix') ?? true;
  return {
    ...shared, spelling: 'sentencepiece', preTokenizer: null, prefixSpace,
    rule: { scores: [...scores, ...new Array(shared.tokens.length - named).fill(-Infinity)] },
    normalizer: sentencePieceNormalizer(prefixSpace), addBos: flag(metadata, 'add_bos_token') ?? true,
  };
}

/** Spaces become ▁, with one in front. */
const sentencePieceNormalizer = (prefix: boolean): object => ({
  type: 'Sequence',
  normalizers: [
    ...(prefix ? [{ type: 'Prepend', prepend: '▁' }] : []),
    { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
  ],
});

/** The tokens, and names for rows that the file does not name. */
function padded(tokens: readonly string[], rows: number): string[] {
  if (rows < 1 || tokens.length < 1)
    throw new TokenizerError('VOCAB_MISMATCH', 'a vocabulary needs at least one token',
      { field: `${KEY}tokens`, actual: tokens.length });
  const count = Math.max(0, rows - tokens.length);
  const more = Array.from({ length: count }, (_, i) => `[UNUSED${tokens.length + i}]`);
  return [...tokens.slice(0, rows), ...more];
}

function kindsOf(metadata: TokenizerMetadata, tokens: readonly string[], named: number): TokenKind[] {
  const types = numbers(metadata, 'token_type');
  if (types) checkLength('token_type', types.length, named);
  return tokens.map((token, id) => {
    if (id >= named) return 'unused';
    const kind = KINDS[types?.[id] ?? 1] ?? 'normal';
    if (kind === 'byte') checkByteToken(token, id);
    return kind;
  });
}

/** @throws {TokenizerError} BAD_BYTE_TOKEN unless the token is `<0x00>` to `<0xFF>`. */
export function checkByteToken(token: string, id: number): void {
  if (/^<0x[0-9A-Fa-f]{2}>$/.test(token)) return;
  throw new TokenizerError('BAD_BYTE_TOKEN',
    `token ${id} expected <0x00> to <0xFF>, found ${quote(token)}`, { offset: id, actual: token });
}

/** Ids that end a text: those given, and tokens with a name that ends turns. They become control. */
export function endIds(
  tokens: readonly string[], kinds: TokenKind[], given: readonly (number | undefined)[],
): number[] {
  const ends = new Set(given.filter((id) => id !== undefined));
  for (const id of ends) kinds[id] = 'control';
  for (const [id, token] of tokens.entries()) {
    if (!END_NAMES.includes(token) || kinds[id] === 'unused') continue;
    kinds[id] = 'control';
    ends.add(id);
  }
  return [...ends];
}

function checkLength(key: string, length: number, tokens: number): void {
  if (length !== tokens)
    throw new TokenizerError('VOCAB_MISMATCH', `${KEY}${key} has ${length} elements for ${tokens} tokens`,
      { field: `${KEY}${key}`, expected: tokens, actual: length });
}

function specialId(metadata: TokenizerMetadata, key: string, vocabSize: number): number | undefined {
  const id = metadata.get(KEY + key);
  if (id === undefined) return undefined;
  if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < vocabSize) return id;
  throw new TokenizerError('BAD_SPECIAL_ID',
    `${KEY}${key} expected an id below ${vocabSize}, found ${String(id)}`,
    { field: KEY + key, expected: vocabSize, actual: id });
}

function wrongType(key: string, expected: string): never {
  throw new ModelFileError('WRONG_TYPE', `metadata ${KEY}${key} expected ${expected}`,
    { field: KEY + key, expected });
}

function missing(key: string, what: string): never {
  throw new ModelFileError('MISSING_KEY', `metadata ${KEY}${key} is missing: ${what}`, { field: KEY + key });
}

function text(metadata: TokenizerMetadata, key: string): string | undefined {
  const value = metadata.get(KEY + key);
  return value === undefined || typeof value === 'string' ? value : wrongType(key, 'text');
}

function flag(metadata: TokenizerMetadata, key: string): boolean | undefined {
  const value = metadata.get(KEY + key);
  return value === undefined || typeof value === 'boolean' ? value : wrongType(key, 'true or false');
}

function strings(metadata: TokenizerMetadata, key: string): readonly string[] | undefined {
  const value = metadata.get(KEY + key);
  if (value === undefined) return undefined;
  if (value instanceof GgufArray) return value.strings();
  const fits = Array.isArray(value) && value.every((item) => typeof item === 'string');
  return fits ? value as string[] : wrongType(key, 'strings');
}

function numbers(metadata: TokenizerMetadata, key: string): readonly number[] | undefined {
  const value = metadata.get(KEY + key);
  if (value === undefined) return undefined;
  if (value instanceof GgufArray) return value.numbers();
  const fits = Array.isArray(value) && value.every((item) => typeof item === 'number');
  return fits ? value as number[] : wrongType(key, 'numbers');
}

/**
 * The tokenizer in a `tokenizer.json`, with what `tokenizer_config.json` adds.
 *
 * Models of kind BPE are read: byte-level (GPT-2, Llama 3, Qwen) and with byte fallback (Llama 2). Numbers
 * and names are checked before use; the post-processor counts only for the token that begins a text.
 * @module
 */
import { TokenizerError, quote } from '../errors.ts';
import { show } from '../check.ts';
import { checkByteToken, endIds } from './gguf-tokenizer.ts';
import type { MarkTrim, TokenizerPlan, TokenKind } from './plan.ts';
import { TextTokenizer } from './text-tokenizer.ts';

/** Parsed JSON. */
type Json = Readonly<Record<string, unknown>>;

/** Ids are below this: 4 Mi, the most that a GGUF array may hold too. */
const MAX_VOCAB = 4 * 2 ** 20;

/** What a model says besides. All is optional. */
export interface JsonTokenizerOptions {
  /** Rows of the embedding: tokens that the file does not name are unused. */
  readonly rows?: number;
  /** Ids that end a text, as `generation_config.json` lists them. */
  readonly endTokens?: readonly number[];
}

/**
 * The tokenizer of a Hugging Face model.
 *
 * @param tokenizer parsed `tokenizer.json`
 * @param config parsed `tokenizer_config.json`: names of the first and the last token. Default: none
 * @throws {TokenizerError} WRONG_TYPE, UNSUPPORTED, VOCAB_MISMATCH, BAD_SPECIAL_ID, BAD_BYTE_TOKEN, BAD_MERGE
 * @example
 * const tokenizer = tokenizerFromHuggingFace(JSON.parse(await file.text()));
 */
export function tokenizerFromHuggingFace(
  tokenizer: object, config: object = {}, options: JsonTokenizerOptions = {},
): TextTokenizer {
  return new TextTokenizer(planOfJson(asObject(tokenizer, 'tokenizer'), asObject(config, 'config'), options));
}

function fail(code: string, field: string, expected: string, actual: unknown): never {
  throw new TokenizerError(code, `tokenizer.json: "${field}" expected ${expected}, found ${show(actual)}`,
    { field, expected, actual });
}

function asObject(value: unknown, field: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  return fail('WRONG_TYPE', field, 'an object', value);
}

const objectOrNull = (value: unknown, field: string): object | null =>
  value === undefined || value === null ? null : asObject(value, field);

function planOfJson(
  json: Json, config: Json, { rows = 0, endTokens = [] }: JsonTokenizerOptions,
): TokenizerPlan {
  const model = asObject(json.model, 'model');
  if (model.type !== undefined && model.type !== 'BPE')
    fail('UNSUPPORTED', 'model.type', 'BPE', model.type);
  const tokens: string[] = [], kinds: TokenKind[] = [], trims = new Map<number, MarkTrim>();
  readVocabulary(asObject(model.vocab, 'model.vocab'), model.byte_fallback === true, tokens, kinds);
  readAdded(json.added_tokens, tokens, kinds, trims);
  for (let id = 0; id < Math.max(rows, tokens.length); id++) {
    if (tokens[id] !== undefined) continue;
    tokens[id] = `[UNUSED${id}]`;
    kinds[id] = 'unused';
  }
  for (const id of endTokens)
    if (tokens[id] === undefined) fail('BAD_SPECIAL_ID', 'eos_token_id', `an id below ${tokens.length}`, id);
  const normalizer = objectOrNull(json.normalizer, 'normalizer');
  const preTokenizer = objectOrNull(json.pre_tokenizer, 'pre_tokenizer');
  const spelling = mentions(preTokenizer, 'ByteLevel') ? 'bytes' as const : 'sentencepiece' as const;
  const idOf = (name: unknown): number | undefined => {
    const found = typeof name === 'string' ? tokens.indexOf(name) : -1;
    return found < 0 ? undefined : found;
  };
  const first = firstToken(json.post_processor);
  const bosToken = idOf(first) ?? idOf(nameOf(config.bos_token));
  return {
    tokens, kinds, spelling, normalizer, preTokenizer, trims, bosToken,
    rule: { merges: mergesOf(model.merges), wholeWords: model.ignore_merges === true },
    addBos: first !== undefined || config.add_bos_token === true,
    unknownToken: idOf(model.unk_token),
    endTokens: endIds(tokens, kinds, [...endTokens, idOf(nameOf(config.eos_token))]),
    prefixSpace: mentions(normalizer, 'Prepend') || hasPrefix(preTokenizer),
  };
}

function checkId(id: unknown, field: string): asserts id is number {
  if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= MAX_VOCAB)
    fail('BAD_SPECIAL_ID', field, `an id below ${MAX_VOCAB}`, id);
}

function readVocabulary(vocab: Json, byteFallback: boolean, tokens: string[], kinds: TokenKind[]): void {
  const entries = Object.entries(vocab);
  if (entries.length === 0) fail('VOCAB_MISMATCH', 'model.vocab', 'at least one token', 'none');
  for (const [token, id] of entries) {
    checkId(id, `model.vocab[${quote(token)}]`);
    if (tokens[id] !== undefined) fail('VOCAB_MISMATCH', 'model.vocab', `one token with the id ${id}`, token);
    tokens[id] = token;
    const isByte = byteFallback && /^<0x.*>$/.test(token);
    if (isByte) checkByteToken(token, id);
    kinds[id] = isByte ? 'byte' : 'normal';
  }
}

function readAdded(
  added: unknown, tokens: string[], kinds: TokenKind[], trims: Map<number, MarkTrim>,
): void {
  if (added === undefined || added === null) return;
  if (!Array.isArray(added)) fail('WRONG_TYPE', 'added_tokens', 'an array', added);
  for (const [index, entry] of (added as unknown[]).entries()) {
    const { id, content, special, lstrip, rstrip } = asObject(entry, `added_tokens[${index}]`);
    checkId(id, `added_tokens[${index}].id`);
    if (typeof content !== 'string' || content === '')
      fail('WRONG_TYPE', `added_tokens[${index}].content`, 'text', content);
    if (tokens[id] !== undefined && tokens[id] !== content)
      fail('VOCAB_MISMATCH', `added_tokens[${index}].content`, tokens[id], content);
    tokens[id] = content as string;
    kinds[id] = special === true ? 'control' : 'markup';
    if (lstrip === true || rstrip === true) trims.set(id, { left: lstrip === true, right: rstrip === true });
  }
}

function mergesOf(merges: unknown): (readonly [string, string])[] {
  if (!Array.isArray(merges)) fail('WRONG_TYPE', 'model.merges', 'an array', merges);
  return (merges as unknown[]).map((merge, index) => {
    const at = typeof merge === 'string' ? merge.indexOf(' ', 1) : -1;
    const pair: unknown = at > 0 ? [(merge as string).slice(0, at), (merge as string).slice(at + 1)] : merge;
    if (Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string'))
      return pair as unknown as readonly [string, string];
    return fail('BAD_MERGE', `model.merges[${index}]`, 'two tokens', merge);
  });
}

/** A name in `tokenizer_config.json`: text, or an object with `content`. */
const nameOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null ? (value as Json).content : value;

/** Whether a component, or one within it, is of this type. */
function mentions(component: object | null, type: string): boolean {
  if (component === null) return false;
  const { type: own, normalizers, pretokenizers } = component as Json;
  const parts = [normalizers, pretokenizers].flatMap((list) => Array.isArray(list) ? list : []);
  return own === type || parts.some((part) => mentions(part as object, type));
}

/** Whether the pre-tokenizer puts a space in front. */
function hasPrefix(component: object | null): boolean {
  if (component === null) return false;
  const { type, pretokenizers, add_prefix_space: add, prepend_scheme: scheme } = component as Json;
  if (type === 'Metaspace') return scheme !== undefined ? scheme !== 'never' : add !== false;
  if (type === 'ByteLevel') return add === true;
  return Array.isArray(pretokenizers) && pretokenizers.some((part) => hasPrefix(part as object));
}

/** The special token that the post-processor puts before a single text. */
function firstToken(processor: unknown): string | undefined {
  if (typeof processor !== 'object' || processor === null) return undefined;
  const { type, processors, single } = processor as Json;
  if (type === 'Sequence' && Array.isArray(processors))
    return processors.map(firstToken).find((name) => name !== undefined);
  if (type !== 'TemplateProcessing' || !Array.isArray(single)) return undefined;
  const special = (single[0] as Json | undefined)?.SpecialToken;
  const id = special && (special as Json).id;
  return typeof id === 'string' ? id : undefined;
}

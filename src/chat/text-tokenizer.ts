/**
 * The tokenizer of a real model: text and marks into ids and back.
 *
 *   text ─marks─▶ parts ─normalize─▶ ─pre-tokenize─▶ words ─merge─▶ ids
 *
 * Normalizers and pre-tokenizers are those of `@huggingface/tokenizers`, made from the JSON of a
 * `tokenizer.json`; marks, merges and the way back are ours, because text that a user typed must never
 * become a mark, one long word must not take quadratic time, and streamed ids need bytes.
 * @module
 */
import { Tokenizer as Library } from '@huggingface/tokenizers';
import { checkString } from '../check.ts';
import { TokenizerError } from '../errors.ts';
import { bytesOfName, createByteAlphabet } from '../tokenizer/byte-alphabet.ts';
import { checkTokenId, checkTokenIds, decodeUtf8 } from '../tokenizer/ids.ts';
import type { Tokenizer } from '../tokenizer/types.ts';
import { Marks } from './marks.ts';
import type { Part } from './marks.ts';
import type { TokenizerPlan } from './plan.ts';
import { isMarkup } from './plan.ts';
import { writeTokenizerJson } from './write-json.ts';
import { WordEncoder } from './word-encoder.ts';

/** How a text is read. */
export interface EncodeOptions {
  /** Whether `<|im_end|>` in the text is the mark. Default: no, it is those characters. */
  allowSpecial?: boolean;
  /** Whether to begin with the model's first token, as `addBos` says. Default: no. */
  addBos?: boolean;
}

const NO_BYTES = new Uint8Array(0);

/** Turns text into the ids of a real model and back. */
export class TextTokenizer implements Tokenizer {
  readonly kind = 'bpe';
  readonly vocabSize: number;
  readonly bosToken?: number;
  /** Whether texts of this model begin with `bosToken`. */
  readonly addBos: boolean;
  readonly endTokens: readonly number[];
  readonly specialTokens: readonly number[];
  /** Everything that is found in a text with `allowSpecial`: marks, and words that a file adds. */
  readonly marks: Marks;
  /** Those of them that text must not become by itself: control and markup. */
  readonly guardedMarks: Marks;
  readonly #plan: TokenizerPlan;
  readonly #bytes: readonly Uint8Array[];
  readonly #words: WordEncoder;
  /** Tokens that a file adds but that are words: they are found in any text. */
  readonly #ownWords: Marks;
  readonly #library: Library;

  /** @throws {TokenizerError} BAD_MERGE, BAD_BYTE_TOKEN, UNSUPPORTED */
  constructor(plan: TokenizerPlan) {
    const { tokens, kinds } = plan;
    this.#plan = plan;
    this.vocabSize = tokens.length;
    this.bosToken = plan.bosToken;
    this.addBos = plan.addBos && plan.bosToken !== undefined;
    this.endTokens = plan.endTokens;
    this.specialTokens = kinds.flatMap((kind, id) => kind === 'control' ? [id] : []);
    const marks = kinds.flatMap((kind, id) =>
      kind === 'control' || kind === 'markup' ? [[tokens[id], id] as const] : []);
    const isWord = ([text, id]: readonly [string, number]): boolean =>
      kinds[id] === 'markup' && !isMarkup(text);
    this.marks = new Marks(marks, plan.trims);
    this.guardedMarks = new Marks(marks.filter((mark) => !isWord(mark)), plan.trims);
    this.#ownWords = new Marks(marks.filter(isWord), plan.trims);
    this.#bytes = tokenBytes(plan);
    const idOf = new Map<string, number>();
    for (const [id, kind] of kinds.entries())
      if ((kind === 'normal' || kind === 'byte') && !idOf.has(tokens[id])) idOf.set(tokens[id], id);
    this.#words = new WordEncoder(plan, idOf);
    this.#library = library(plan);
  }

  /**
   * @example
   * tokenizer.encode('<|im_end|>').length; // 6: the characters
   * tokenizer.encode('<|im_end|>', { allowSpecial: true }); // Uint32Array [151645]
   */
  encode(text: string, options: EncodeOptions = {}): Uint32Array {
    checkString('encode', 'text', text);
    const marks = options.allowSpecial ? this.marks : this.#ownWords;
    const ids = this.encodeParts(marks.split(text));
    return options.addBos && this.addBos ? Uint32Array.of(this.bosToken!, ...ids) : ids;
  }

  /** Ids of text and marks, each part by itself. */
  encodeParts(parts: readonly Part[]): Uint32Array {
    const found: ArrayLike<number>[] = [];
    let count = 0;
    const push = (ids: ArrayLike<number>): void => {
      found.push(ids);
      count += ids.length;
    };
    for (const [index, part] of parts.entries())
      if (typeof part === 'number') push([part]);
      else for (const word of this.#split(part, index)) push(this.#words.encode(word));
    const ids = new Uint32Array(count);
    let at = 0;
    for (const list of found) {
      ids.set(list, at);
      at += list.length;
    }
    return ids;
  }

  /** The words of a text, in the spelling of the tokens. */
  #split(text: string, index: number): string[] {
    const { normalizer, pre_tokenizer: preTokenizer } = this.#library;
    const wellFormed = text.replace(LONE_SURROGATE, '\ufffd');
    const normal = normalizer ? normalizer.normalize(wellFormed) : wellFormed;
    if (normal === '') return [];
    return preTokenizer ? preTokenizer.pre_tokenize(normal, { section_index: index }) : [normal];
  }

  /**
   * Marks that are never text leave nothing, unless `special` asks for their names.
   *
   * @example
   * tokenizer.decode(tokenizer.encode('né')); // 'né'
   */
  decode(ids: ArrayLike<number>, { special = false }: { special?: boolean } = {}): string {
    checkTokenIds('decode', ids, this.vocabSize);
    const { kinds, tokens, prefixSpace } = this.#plan;
    const utf8 = new TextEncoder();
    const pieces = Array.from(ids, (id) =>
      special && kinds[id] === 'control' ? utf8.encode(tokens[id]) : this.#bytes[id]);
    const joined = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    return decodeUtf8(prefixSpace && joined[0] === 0x20 ? joined.subarray(1) : joined);
  }

  tokenBytes(id: number): Uint8Array {
    checkTokenId('tokenBytes', id, this.vocabSize);
    return this.#bytes[id].slice();
  }

  /** Whether a token is never text. */
  isControl(id: number): boolean {
    return this.#plan.kinds[id] === 'control';
  }

  /** The token as the file spells it: `<|im_end|>`, `Ġthe`. */
  tokenName(id: number): string {
    checkTokenId('tokenName', id, this.vocabSize);
    return this.#plan.tokens[id];
  }

  /** A `tokenizer.json`, which `tokenizerFromHuggingFace` reads. */
  toJson(): string {
    return writeTokenizerJson(this.#plan);
  }
}

const LONE_SURROGATE = /\p{Surrogate}/gu;

function tokenBytes({ tokens, kinds, spelling }: TokenizerPlan): Uint8Array[] {
  const alphabet = createByteAlphabet(), utf8 = new TextEncoder();
  return tokens.map((token, id) => {
    const kind = kinds[id];
    if (kind === 'control' || kind === 'unused') return NO_BYTES;
    if (kind === 'byte') return Uint8Array.of(Number.parseInt(token.slice(3, 5), 16));
    if (kind === 'markup') return utf8.encode(token);
    if (spelling === 'sentencepiece') return utf8.encode(token.replaceAll('▁', ' '));
    return bytesOfName(alphabet, token) ?? utf8.encode(token);
  });
}

/** The library's normalizer and pre-tokenizer; its model is left empty. */
function library({ normalizer, preTokenizer }: TokenizerPlan): Library {
  try {
    return new Library({
      normalizer, pre_tokenizer: preTokenizer, post_processor: null, decoder: null, added_tokens: [],
      model: { type: 'BPE', vocab: {}, merges: [] },
    }, {});
  } catch (cause) {
    throw new TokenizerError('UNSUPPORTED',
      `the normalizer or pre-tokenizer cannot be made: ${(cause as Error).message}`, { cause });
  }
}

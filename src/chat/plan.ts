/**
 * What a tokenizer is made of, wherever it was written down: tokens, how text becomes them, and which of
 * them are not text.
 * @module
 */

/**
 * What a token is: text (`normal`), a mark of the model's own that no text is (`control`), a mark that
 * texts may show (`markup`), one byte of SentencePiece (`byte`), or nothing (`unused`).
 */
export type TokenKind = 'normal' | 'control' | 'markup' | 'byte' | 'unused';

/** Pairs in the order of merging, or a score for each token: the highest is merged first. */
export type MergeRule =
  | { readonly merges: readonly (readonly [string, string])[]; readonly wholeWords: boolean }
  | { readonly scores: readonly number[] };

/** White space that a mark takes with it from the text beside it. */
export interface MarkTrim {
  readonly left: boolean;
  readonly right: boolean;
}

export interface TokenizerPlan {
  /** By id, as the file spells them. */
  readonly tokens: readonly string[];
  readonly kinds: readonly TokenKind[];
  /**
   * `bytes`: every character of a token is the name of a byte (GPT-2). `sentencepiece`: tokens are text with
   * ▁ for a space.
   */
  readonly spelling: 'bytes' | 'sentencepiece';
  readonly rule: MergeRule;
  /** As in a `tokenizer.json`; null for none. */
  readonly normalizer: object | null;
  readonly preTokenizer: object | null;
  readonly trims: ReadonlyMap<number, MarkTrim>;
  /** What a text begins with, if the model wants that. */
  readonly bosToken?: number;
  readonly addBos: boolean;
  /** What stands for characters that there is no token for. */
  readonly unknownToken?: number;
  readonly endTokens: readonly number[];
  /** Whether text gets a space in front, which decoding takes away. */
  readonly prefixSpace: boolean;
}

/** Names of tokens that end a turn or a text, in the models there are. */
export const END_NAMES: readonly string[] = [
  '<|eot_id|>', '<|im_end|>', '<|endoftext|>', '<|end_of_text|>', '<|eom_id|>', '<|end|>', '<end_of_turn>',
];

/** Whether a token looks like markup, rather than like a word or white space. */
export const isMarkup = (text: string): boolean => /^[^\p{L}\p{N}\s▁].*[^\p{L}\p{N}\s▁]$/su.test(text);

/**
 * Grammars over bytes, as trees: what a text may consist of.
 *
 *   bytes      one byte of a set
 *   sequence   one after the other; of nothing: the empty text
 *   choice     one of several; of nothing: no text at all
 *   repeat     min to max times
 *   rule       what the rule of that name says: this is how texts nest
 *
 * Text is UTF-8, so sets of characters are choices of byte sequences.
 * @module
 */

/** Both ends included. */
export type Range = readonly [low: number, high: number];

export type Expression =
  | { readonly kind: 'bytes'; readonly ranges: readonly Range[] }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Expression[] }
  | { readonly kind: 'repeat'; readonly part: Expression; readonly min: number; readonly max: number }
  | { readonly kind: 'rule'; readonly name: string };

/** Rules by name; a text is what rule `root` says. */
export type Grammar = ReadonlyMap<string, Expression>;

/** Name of the first rule. */
export const ROOT = 'root';

export const sequence = (...parts: Expression[]): Expression => ({ kind: 'sequence', parts });
export const choice = (...parts: Expression[]): Expression => ({ kind: 'choice', parts });
export const repeat = (part: Expression, min: number, max: number): Expression =>
  ({ kind: 'repeat', part, min, max });
export const optional = (part: Expression): Expression => repeat(part, 0, 1);
export const rule = (name: string): Expression => ({ kind: 'rule', name });
export const bytes = (...ranges: Range[]): Expression => ({ kind: 'bytes', ranges });

/** The empty text. */
export const EMPTY = sequence();
/** No text. */
export const NOTHING = choice();

const encoder = new TextEncoder();

/** Exactly this text. */
export const literal = (text: string): Expression =>
  sequence(...Array.from(encoder.encode(text), (byte) => bytes([byte, byte])));

/**
 * JSON as grammars: strings as `JSON.stringify` writes them, arrays and objects with at most one space
 * after a comma or colon, and any value.
 * @module
 */
import { ALL, character, complement, intersection } from './code-points.ts';
import type { Expression, Range } from './expression.ts';
import { choice, EMPTY, literal, optional, repeat, rule, sequence } from './expression.ts';
import { NUMBER } from './json-number.ts';
import { regularExpression } from './regex.ts';

/** Characters of a string that stand for themselves. */
const PLAIN = complement([[0, 31], [34, 34], [92, 92]]);
/** Name of the rule of any value. */
export const VALUE = 'value';

const QUOTE = literal('"');
const SPACE = optional(literal(' '));
export const COMMA = sequence(literal(','), SPACE);
export const COLON = sequence(literal(':'), SPACE);

/** One character of a set, inside a string: as it is, or escaped where it must be. */
export function stringCharacter(ranges: readonly Range[]): Expression {
  const options = [character(intersection(ranges, PLAIN))];
  for (const [low, high] of ranges)
    for (const code of [...Array(32).keys(), 34, 92])
      if (low <= code && code <= high)
        options.push(literal(JSON.stringify(String.fromCharCode(code)).slice(1, -1)));
  return choice(...options);
}

const ANY_CHARACTER = stringCharacter(ALL);

/** A string with `min` to `max` code points. */
export const stringOfLength = (min: number, max: number): Expression =>
  sequence(QUOTE, repeat(ANY_CHARACTER, min, max), QUOTE);

/** A string in which a pattern is found. */
export const stringMatching = (pattern: string, field?: string): Expression =>
  sequence(QUOTE, regularExpression(pattern, stringCharacter, false, field), QUOTE);

/** A string that is none of `names`. */
export const stringExcept = (names: readonly string[]): Expression =>
  sequence(QUOTE, except(names.map((name) => Array.from(name, (c) => c.codePointAt(0)!))), QUOTE);

/** Texts that are none of some texts, along the tree of those. */
function except(texts: readonly (readonly number[])[]): Expression {
  const firsts = [...new Set(texts.filter((text) => text.length > 0).map(([first]) => first))];
  const others = complement(firsts.map((code): Range => [code, code]));
  const options = [sequence(stringCharacter(others), repeat(ANY_CHARACTER, 0, Infinity))];
  if (texts.every((text) => text.length > 0)) options.push(EMPTY);
  for (const first of firsts) {
    const rests = texts.filter((text) => text[0] === first).map((text) => text.slice(1));
    options.push(sequence(stringCharacter([[first, first]]), except(rests)));
  }
  return choice(...options);
}

/** A value and nothing else. */
export const constant = (value: unknown): Expression => literal(JSON.stringify(value));

export const STRING = stringOfLength(0, Infinity);
export const BOOLEAN = choice(literal('true'), literal('false'));
export const NULL = literal('null');

/** Items in brackets, commas between them. */
export function arrayOf(item: Expression, min: number, max: number): Expression {
  return sequence(literal('['), listOf(item, min, max), literal(']'));
}

/** Items with commas between them. */
export function listOf(item: Expression, min: number, max: number): Expression {
  if (max === 0) return EMPTY;
  const some = sequence(item, repeat(sequence(COMMA, item), Math.max(min - 1, 0), max - 1));
  return min === 0 ? optional(some) : some;
}

/** Any object. */
export const OBJECT = sequence(
  literal('{'), listOf(sequence(STRING, COLON, rule(VALUE)), 0, Infinity), literal('}'));
/** Any array. */
export const ARRAY = arrayOf(rule(VALUE), 0, Infinity);
/** Any value. */
export const ANY = choice(OBJECT, ARRAY, STRING, NUMBER, BOOLEAN, NULL);

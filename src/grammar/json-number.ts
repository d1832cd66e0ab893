/**
 * JSON numbers within bounds, as grammars over their digits.
 *
 * At most 15 digits before the point and 15 behind it, so that every number is finite, a whole one is
 * exact in a double, and the text always ends. Numbers with bounds have no exponent.
 * @module
 */
import type { Expression } from './expression.ts';
import { bytes, choice, EMPTY, literal, NOTHING, optional, repeat, sequence } from './expression.ts';

/** Digits of a whole number, and of a fraction. */
const DIGITS = 15;
const LARGEST = 999_999_999_999_999;

const MINUS = literal('-');
const digits = (low: number, high: number): Expression => bytes([48 + low, 48 + high]);
const DIGIT = digits(0, 9);
const FRACTION = sequence(literal('.'), repeat(DIGIT, 1, DIGITS));
const NOT_ZERO = sequence(
  literal('.'), repeat(literal('0'), 0, DIGITS - 1), digits(1, 9), repeat(DIGIT, 0, DIGITS - 1));
const WHOLE = choice(literal('0'), sequence(digits(1, 9), repeat(DIGIT, 0, DIGITS - 1)));
const EXPONENT = sequence(
  bytes([69, 69], [101, 101]), optional(bytes([43, 43], [45, 45])), repeat(DIGIT, 1, 2));

/** Any whole number. */
export const INTEGER = sequence(optional(MINUS), WHOLE);
/** Any number. */
export const NUMBER = sequence(INTEGER, optional(FRACTION), optional(EXPONENT));

/** Where numbers may lie. `open`: the bound itself is left out. */
export interface Bounds {
  readonly low: number;
  readonly lowOpen: boolean;
  readonly high: number;
  readonly highOpen: boolean;
}

/** Whole numbers within bounds, which may be any numbers. */
export function integerWithin({ low, lowOpen, high, highOpen }: Bounds): Expression {
  const from = Math.max(-LARGEST, lowOpen ? Math.floor(low) + 1 : Math.ceil(low));
  const to = Math.min(LARGEST, highOpen ? Math.ceil(high) - 1 : Math.floor(high));
  return choice(
    wholeWithin(Math.max(from, 0), to), sequence(MINUS, wholeWithin(Math.max(-to, 1), -from)));
}

/** Numbers within bounds, which are whole or infinite. */
export function numberWithin({ low, lowOpen, high, highOpen }: Bounds): Expression {
  return choice(
    magnitude(Math.max(low, 0), low >= 0 && lowOpen, high, highOpen),
    sequence(MINUS, magnitude(Math.max(-high, 0), high <= 0 && highOpen, -low, lowOpen)));
}

/** Numbers ≥ 0 without a sign from `low` to `high`. */
function magnitude(low: number, lowOpen: boolean, high: number, highOpen: boolean): Expression {
  if (high < low || (high === low && (lowOpen || highOpen))) return NOTHING;
  const options = [
    sequence(wholeWithin(low + (lowOpen ? 1 : 0), Math.min(high - 1, LARGEST)), optional(FRACTION))];
  if (lowOpen && low < high) options.push(sequence(wholeWithin(low, low), NOT_ZERO));
  if (!highOpen && high <= LARGEST) options.push(wholeWithin(high, high));
  return choice(...options);
}

/** Whole numbers 0 ≤ low … high without leading zeros. */
function wholeWithin(low: number, high: number): Expression {
  const options: Expression[] = [];
  for (let from = low; from <= Math.min(high, LARGEST);) {
    const width = String(from).length, to = Math.min(high, Number('9'.repeat(width)));
    options.push(sameWidth(String(from), String(to)));
    from = to + 1;
  }
  return choice(...options);
}

/** Digits between two texts of the same width. */
function sameWidth(low: string, high: string): Expression {
  if (low === '') return EMPTY;
  if (/^0+$/.test(low) && /^9+$/.test(high)) return repeat(DIGIT, low.length, low.length);
  const a = Number(low[0]), b = Number(high[0]), rest = low.length - 1;
  if (a === b) return sequence(digits(a, a), sameWidth(low.slice(1), high.slice(1)));
  const options = [
    sequence(digits(a, a), sameWidth(low.slice(1), '9'.repeat(rest))),
    sequence(digits(b, b), sameWidth('0'.repeat(rest), high.slice(1)))];
  if (b - a > 1) options.push(sequence(digits(a + 1, b - 1), repeat(DIGIT, rest, rest)));
  return choice(...options);
}

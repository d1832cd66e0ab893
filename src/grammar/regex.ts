/**
 * Regular expressions as grammars: the part of ECMA-262 that describes regular languages.
 *
 * Literals, `.`, classes, `\d \w \s` and their opposites, `\t \n \r \f \v \0 \xHH \uHHHH \u{H}`, groups,
 * `|`, `* + ? {n} {n,} {n,m}` (lazy ones mean the same), and `^`, `$` at the ends. Characters are code
 * points, as with flag `u`. What is not regular (look-around, references back) is refused by name, and
 * so are `\b`, `\p` and named groups.
 * @module
 */
import { ConstraintError, quote } from '../errors.ts';
import { ALL, complement, union } from './code-points.ts';
import type { Expression, Range } from './expression.ts';
import { choice, EMPTY, repeat, sequence } from './expression.ts';

/** The texts of one character of a set. */
export type WriteSet = (ranges: readonly Range[]) => Expression;

const DIGITS: Range[] = [[48, 57]];
const WORD: Range[] = [[48, 57], [65, 90], [95, 95], [97, 122]];
const SPACE: Range[] = [
  [9, 13], [32, 32], [0xa0, 0xa0], [0x1680, 0x1680], [0x2000, 0x200a], [0x2028, 0x2029],
  [0x202f, 0x202f], [0x205f, 0x205f], [0x3000, 0x3000], [0xfeff, 0xfeff],
];
const LINE_ENDS: Range[] = [[10, 10], [13, 13], [0x2028, 0x2029]];
const CLASSES: Readonly<Record<string, Range[]>> = {
  d: DIGITS, D: complement(DIGITS), w: WORD, W: complement(WORD), s: SPACE, S: complement(SPACE),
};
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 };
const MAX_COUNT = 65_536;
const MAX_GROUPS = 64;

/**
 * The texts that match a pattern as a whole.
 *
 * @param anchored whether the whole text must match, as with `^` and `$` at the ends; else it may
 *   stand anywhere, as in JSON Schema
 * @throws {ConstraintError} BAD_SCHEMA if it is no regular expression, UNSUPPORTED naming what is
 *   not understood
 */
export function regularExpression(
  pattern: string, write: WriteSet, anchored: boolean, field?: string,
): Expression {
  return new Parser(pattern, write, field).whole(anchored);
}

class Parser {
  readonly #text: string[];
  readonly #write: WriteSet;
  readonly #field?: string;
  #at = 0;
  #groups = 0;

  constructor(pattern: string, write: WriteSet, field?: string) {
    this.#text = [...pattern];
    this.#write = write;
    this.#field = field;
  }

  /** Alternatives, each with its own anchors. */
  whole(anchored: boolean): Expression {
    const anything = repeat(this.#write(ALL), 0, Infinity), options: Expression[] = [];
    do {
      const before = this.#take('^') || anchored, part = this.#sequence();
      const after = this.#take('$') || anchored;
      options.push(sequence(before ? EMPTY : anything, part, after ? EMPTY : anything));
    } while (this.#take('|'));
    if (this.#at < this.#text.length) this.#fail('BAD_SCHEMA', `unexpected ${this.#text[this.#at]}`);
    return choice(...options);
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #fail(code: string, what: string): never {
    const pattern = this.#text.join('');
    throw new ConstraintError(code,
      `pattern ${quote(pattern)}: ${what} at ${this.#at}`, { field: this.#field, offset: this.#at });
  }

  #sequence(): Expression {
    const parts: Expression[] = [];
    for (;;) {
      const next = this.#text[this.#at];
      if (next === undefined || next === '|' || next === ')') break;
      if (next === '$') {
        const after = this.#text[this.#at + 1];
        if (this.#groups === 0 && (after === undefined || after === '|')) break;
        this.#fail('UNSUPPORTED', '"$" that is not at the end');
      }
      parts.push(this.#counted(this.#atom()));
    }
    return sequence(...parts);
  }

  #counted(part: Expression): Expression {
    const [min, max] = this.#count() ?? [1, 1];
    if (min !== 1 || max !== 1) this.#take('?'); // lazy: the same texts
    if ('*+?{'.includes(this.#text[this.#at] ?? ' ')) this.#fail('BAD_SCHEMA', 'nothing to repeat');
    return min === 1 && max === 1 ? part : repeat(part, min, max);
  }

  #count(): [number, number] | undefined {
    if (this.#take('*')) return [0, Infinity];
    if (this.#take('+')) return [1, Infinity];
    if (this.#take('?')) return [0, 1];
    if (this.#text[this.#at] !== '{') return undefined;
    const found = /^\{(\d{1,9})(?:(,)(\d{1,9})?)?\}/.exec(this.#text.slice(this.#at, this.#at + 24).join(''));
    if (!found) return this.#fail('BAD_SCHEMA', 'a count that is none');
    this.#at += found[0].length;
    const min = Number(found[1]), max = found[2] ? Number(found[3] ?? Infinity) : min;
    if (max < min) this.#fail('BAD_SCHEMA', 'a count whose end is before its beginning');
    if (min > MAX_COUNT || (max > MAX_COUNT && max !== Infinity))
      this.#fail('LIMIT', `a count above ${MAX_COUNT}`);
    return [min, max];
  }

  #atom(): Expression {
    const next = this.#text[this.#at++];
    if (next === '(') return this.#group();
    if (next === '[') return this.#write(this.#set());
    if (next === '.') return this.#write(complement(LINE_ENDS));
    if (next === '\\') return this.#write(this.#escape(false));
    if (next === '^') this.#fail('UNSUPPORTED', '"^" that is not at the beginning');
    if ('*+?{}]'.includes(next)) this.#fail('BAD_SCHEMA', `unexpected ${next}`);
    return this.#write(one(next.codePointAt(0)!));
  }

  #group(): Expression {
    if (this.#take('?') && !this.#take(':'))
      this.#fail('UNSUPPORTED', `group "(?${this.#text[this.#at] ?? ''}"`);
    if (++this.#groups > MAX_GROUPS) this.#fail('LIMIT', `more than ${MAX_GROUPS} groups in one another`);
    const options = [this.#sequence()];
    while (this.#take('|')) options.push(this.#sequence());
    if (!this.#take(')')) this.#fail('BAD_SCHEMA', 'a group without end');
    this.#groups--;
    return choice(...options);
  }

  /** A class after its bracket. */
  #set(): Range[] {
    const negated = this.#take('^'), ranges: Range[] = [];
    while (!this.#take(']')) {
      const low = this.#member();
      if (this.#text[this.#at] !== '-' || this.#text[this.#at + 1] === ']') {
        ranges.push(...low);
        continue;
      }
      this.#at++;
      const high = this.#member(), from = single(low), to = single(high);
      if (from === undefined || to === undefined || to < from)
        this.#fail('BAD_SCHEMA', 'a range whose ends are none');
      ranges.push([from!, to!]);
    }
    return negated ? complement(ranges) : union(ranges);
  }

  #member(): Range[] {
    const next = this.#text[this.#at++];
    if (next === undefined) this.#fail('BAD_SCHEMA', 'a class without end');
    return next === '\\' ? this.#escape(true) : one(next.codePointAt(0)!);
  }

  /** The characters that an escape stands for, after its backslash. */
  #escape(inClass: boolean): Range[] {
    const next = this.#text[this.#at++];
    if (next === undefined) this.#fail('BAD_SCHEMA', 'a backslash at the end');
    if (Object.hasOwn(CLASSES, next)) return CLASSES[next];
    if (Object.hasOwn(CONTROLS, next) && !/\d/.test(this.#text[this.#at] ?? '')) return one(CONTROLS[next]);
    if (next === 'b' && inClass) return one(8);
    if (next === 'x' || next === 'u') return one(this.#hex(next === 'x' ? 2 : 4));
    if (/[\^$\\.*+?()[\]{}|/"'-]/.test(next) || /[^\w\s]/.test(next)) return one(next.codePointAt(0)!);
    return this.#fail('UNSUPPORTED', `escape "\\${next}"`);
  }

  #hex(digits: number): number {
    const rest = this.#text.slice(this.#at, this.#at + 12).join('');
    const found = /^\{([0-9a-fA-F]{1,6})\}/.exec(digits === 4 ? rest : '')
      ?? new RegExp(`^([0-9a-fA-F]{${digits}})`).exec(rest);
    const code = found ? parseInt(found[1], 16) : Infinity;
    if (!found || code > 0x10ffff) return this.#fail('BAD_SCHEMA', 'an escape without its digits');
    this.#at += found[0].length;
    return code;
  }
}

const one = (code: number): Range[] => [[code, code]];

/** The only code point of a set. */
const single = ([range, ...rest]: readonly Range[]): number | undefined =>
  range && rest.length === 0 && range[0] === range[1] ? range[0] : undefined;

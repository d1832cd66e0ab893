/**
 * Sets of code points, and the UTF-8 texts of one of them.
 *
 * Sets are sorted ranges that do not touch, within U+0000 … U+10FFFF without surrogates.
 *
 * Source: Unicode 16, table 3-7; splitting ranges at continuation bytes is Russ Cox's (RE2, "utf8.cc").
 * @module
 */
import type { Expression, Range } from './expression.ts';
import { bytes, choice, sequence } from './expression.ts';

/** All code points that have a UTF-8 form. */
export const ALL: readonly Range[] = [[0, 0xd7ff], [0xe000, 0x10ffff]];

/** The union of ranges, sorted and joined, without surrogates. */
export function union(ranges: readonly Range[]): Range[] {
  const joined: [number, number][] = [];
  for (const [low, high] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else joined.push([low, high]);
  }
  return joined.flatMap(([low, high]) => ALL
    .map(([from, to]): Range => [Math.max(low, from), Math.min(high, to)])
    .filter(([from, to]) => from <= to));
}

/** All code points that are not in `ranges`. */
export function complement(ranges: readonly Range[]): Range[] {
  const rest: Range[] = [];
  let next = 0;
  for (const [low, high] of union(ranges)) {
    if (low > next) rest.push([next, low - 1]);
    next = high + 1;
  }
  return union([...rest, ...(next <= 0x10ffff ? [[next, 0x10ffff] as Range] : [])]);
}

/** What is in both. */
export const intersection = (a: readonly Range[], b: readonly Range[]): Range[] =>
  complement([...complement(a), ...complement(b)]);

/** Last code points of 1, 2, 3 and 4 bytes. */
const LAST = [0x7f, 0x7ff, 0xffff, 0x10ffff];

/** The UTF-8 texts of one code point of a set. */
export function character(ranges: readonly Range[]): Expression {
  const parts = union(ranges).flatMap(([low, high]) => LAST.flatMap((last, i) => {
    const from = Math.max(low, i === 0 ? 0 : LAST[i - 1] + 1), to = Math.min(high, last);
    return from <= to ? split(from, to, i + 1) : [];
  }));
  const single = parts.every((part) => part.length === 1);
  if (single) return bytes(...parts.map(([range]) => range));
  return choice(...parts.map((part) => sequence(...part.map((range) => shared(range)))));
}

const SHARED = new Map<number, Expression>();

/** One object for each set of bytes, so that equal ends of characters become one state. */
function shared([low, high]: Range): Expression {
  const key = low * 256 + high;
  let found = SHARED.get(key);
  if (!found) SHARED.set(key, found = bytes([low, high]));
  return found;
}

/** Code points of `length` bytes, as products of byte ranges. */
function split(low: number, high: number, length: number): Range[][] {
  for (let i = 1; i < length; i++) {
    const mask = (1 << (6 * i)) - 1;
    if ((low & ~mask) === (high & ~mask)) continue;
    if ((low & mask) !== 0)
      return [...split(low, low | mask, length), ...split((low | mask) + 1, high, length)];
    if ((high & mask) !== mask)
      return [...split(low, (high & ~mask) - 1, length), ...split(high & ~mask, high, length)];
  }
  const from = encode(low, length), to = encode(high, length);
  return [from.map((byte, i): Range => [byte, to[i]])];
}

/** UTF-8 of a code point that takes `length` bytes. */
function encode(code: number, length: number): number[] {
  if (length === 1) return [code];
  const lead = [0, 0, 0xc0, 0xe0, 0xf0][length] | (code >> (6 * (length - 1)));
  return [lead, ...Array.from({ length: length - 1 }, (_, i) =>
    0x80 | ((code >> (6 * (length - 2 - i))) & 0x3f))];
}

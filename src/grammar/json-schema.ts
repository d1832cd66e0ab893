/**
 * JSON Schema as grammars: every text of the grammar is JSON that satisfies the schema.
 *
 *   any       type (one or several), enum, const, anyOf, oneOf of branches that exclude each other by
 *             type or by value, allOf of one, $ref to `#` and `#/…`, $defs, definitions
 *   object    properties (written in this order), required, additionalProperties
 *   array     items, prefixItems, minItems, maxItems
 *   string    minLength, maxLength, or pattern, or format
 *   number    minimum, maximum, exclusiveMinimum, exclusiveMaximum; whole ones for `number`
 *
 * Titles, descriptions and the like are read over. Every other keyword is refused by name: what would
 * be ignored would be a promise not kept. Where a schema leaves more open (properties it does not
 * name, types it does not fix), the grammar is narrower, never wider.
 * @module
 */
import { show } from '../check.ts';
import { ConstraintError, quote } from '../errors.ts';
import type { Expression, Grammar } from './expression.ts';
import { choice, EMPTY, literal, NOTHING, optional, repeat, ROOT, rule, sequence } from './expression.ts';
import { integerWithin, INTEGER, NUMBER, numberWithin } from './json-number.ts';
import {
  ANY, ARRAY, arrayOf, BOOLEAN, COLON, COMMA, constant, NULL, OBJECT, STRING, stringExcept,
  stringMatching, stringOfLength, VALUE,
} from './json-text.ts';
import { FORMATS } from './json-formats.ts';
import type { Schema } from './schema-keywords.ts';
import {
  ALONE, KEYWORDS, NOTES, numeric, same, typeOf, TYPES, typesOf, valuesOf,
} from './schema-keywords.ts';

const MAX_NESTING = 64;
const MAX_COUNT = 65_536;

/** Any JSON object. */
export const jsonObjectGrammar = (): Grammar => new Map([[ROOT, OBJECT], [VALUE, ANY]]);

/**
 * The grammar of the JSON that satisfies a schema.
 *
 * @throws {ConstraintError} BAD_SCHEMA if it is none; UNSUPPORTED naming a keyword; LIMIT. `field` is
 *   where, as a JSON pointer.
 */
export function jsonSchemaGrammar(schema: unknown): Grammar {
  return new Compiler(schema).grammar();
}

class Compiler {
  readonly #root: unknown;
  readonly #rules = new Map<string, Expression>([[VALUE, ANY]]);

  constructor(root: unknown) {
    this.#root = root;
  }

  grammar(): Grammar {
    this.#rules.set(ROOT, this.#compile(this.#root, '#', 0));
    return this.#rules;
  }

  #fail(code: string, at: string, what: string): never {
    throw new ConstraintError(code, `schema at ${quote(at)}: ${what}`, { field: at });
  }

  #compile(schema: unknown, at: string, depth: number): Expression {
    if (depth > MAX_NESTING) this.#fail('LIMIT', at, `nested more than ${MAX_NESTING} times`);
    if (schema === true) return rule(VALUE);
    if (schema === false) return NOTHING;
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
      return this.#fail('BAD_SCHEMA', at, `expected an object or a boolean, got ${show(schema)}`);
    const own = schema as Schema;
    this.#checkKeywords(own, at);
    if ('$ref' in own) return this.#reference(own.$ref, at, depth);
    if ('enum' in own || 'const' in own) return this.#values(own, at);
    for (const name of ['anyOf', 'oneOf', 'allOf'])
      if (name in own) return this.#branches(own, name, at, depth);
    const types = typesOf(own);
    if (types.length === 0) return rule(VALUE);
    return choice(...types.map((type) => this.#ofType(type, own, at, depth)));
  }

  #checkKeywords(schema: Schema, at: string): void {
    const keys = Object.keys(schema).filter((key) => !NOTES.includes(key));
    const known = ['type', 'enum', 'const', ...ALONE, ...Object.values(KEYWORDS).flat()];
    for (const key of keys) {
      if (key === 'uniqueItems' && schema[key] === false) continue;
      if (!known.includes(key)) this.#fail('UNSUPPORTED', `${at}/${key}`, `keyword ${quote(key)}`);
    }
    const alone = keys.find((key) => ALONE.includes(key));
    const fixed = keys.some((key) => key === 'enum' || key === 'const');
    const other = keys.find((key) => (alone
      ? key !== alone : fixed && !['enum', 'const', 'type'].includes(key)));
    if (other)
      this.#fail('UNSUPPORTED', `${at}/${other}`,
        `keyword ${quote(other)} beside ${quote(alone ?? 'enum')}`);
    for (const type of [schema.type ?? []].flat())
      if (!TYPES.includes(type as string)) this.#fail('BAD_SCHEMA', `${at}/type`, `type ${show(type)}`);
  }

  #reference(target: unknown, at: string, depth: number): Expression {
    const name = String(target), found = this.#resolve(target, at);
    if (!this.#rules.has(name)) {
      this.#rules.set(name, NOTHING); // for references in a circle: it is known by name
      this.#rules.set(name, this.#compile(found, name, depth + 1));
    }
    return rule(name);
  }

  #resolve(target: unknown, at: string): unknown {
    if (typeof target !== 'string' || !/^#(\/|$)/.test(target))
      return this.#fail('UNSUPPORTED', `${at}/$ref`, `reference ${show(target)}; only "#" and "#/…" are`);
    let value: unknown = this.#root;
    for (const part of target.split('/').slice(1)) {
      const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key))
        return this.#fail('BAD_SCHEMA', `${at}/$ref`, `${quote(target)} is not there`);
      value = (value as Schema)[key];
    }
    return value;
  }

  #values(schema: Schema, at: string): Expression {
    if ('enum' in schema && !Array.isArray(schema.enum))
      return this.#fail('BAD_SCHEMA', `${at}/enum`, `expected an array, got ${show(schema.enum)}`);
    return choice(...valuesOf(schema)!.map(constant));
  }

  #branches(schema: Schema, name: string, at: string, depth: number): Expression {
    const list = schema[name];
    if (!Array.isArray(list) || list.length === 0)
      return this.#fail('BAD_SCHEMA', `${at}/${name}`, `expected schemas, got ${show(list)}`);
    if (name === 'allOf' && list.length > 1)
      this.#fail('UNSUPPORTED', `${at}/allOf`, 'allOf of several schemas; write one with all keywords');
    if (name === 'oneOf' && list.some((a, i) => list.slice(0, i).some((b) => !this.#disjoint(a, b, at))))
      this.#fail('UNSUPPORTED', `${at}/oneOf`,
        'branches that may both hold; use anyOf, or tell them apart by const');
    return choice(...list.map((branch, i) => this.#compile(branch, `${at}/${name}/${i}`, depth + 1)));
  }

  /** Whether no value satisfies both, as far as types and fixed values tell. */
  #disjoint(a: unknown, b: unknown, at: string): boolean {
    const [x, y] = [a, b].map((schema) => this.#followed(schema, at));
    if (!x || !y) return false;
    const [u, v] = [valuesOf(x), valuesOf(y)];
    if (u && v) return !u.some((value) => v.some((other) => same(value, other)));
    const [s, t] = [x, y].map((schema) =>
      valuesOf(schema)?.map(typeOf) ?? [schema.type ?? []].flat().map(String));
    const meets = (type: string): boolean => t.includes(type) || numeric(type) && t.some(numeric);
    if (s.length > 0 && t.length > 0 && !s.some(meets)) return true;
    if (s.join() !== 'object' || t.join() !== 'object') return false;
    return [x.required ?? []].flat().some((key) => [y.required ?? []].flat().includes(key) &&
      this.#disjoint((x.properties as Schema)?.[String(key)], (y.properties as Schema)?.[String(key)], at));
  }

  #followed(schema: unknown, at: string): Schema | undefined {
    for (let i = 0; i < MAX_NESTING; i++) {
      if (typeof schema !== 'object' || schema === null) return undefined;
      if (!('$ref' in schema)) return schema as Schema;
      schema = this.#resolve(schema.$ref, at);
    }
    return undefined;
  }

  #ofType(type: string, schema: Schema, at: string, depth: number): Expression {
    if (type === 'object') return this.#object(schema, at, depth);
    if (type === 'array') return this.#array(schema, at, depth);
    if (type === 'string') return this.#string(schema, at);
    if (type === 'boolean') return BOOLEAN;
    return type === 'null' ? NULL : this.#number(schema, type === 'integer', at);
  }

  #object(schema: Schema, at: string, depth: number): Expression {
    const { properties = {}, required = [], additionalProperties } = schema;
    if (typeof properties !== 'object' || properties === null || Array.isArray(properties))
      return this.#fail('BAD_SCHEMA', `${at}/properties`, `expected an object, got ${show(properties)}`);
    if (!Array.isArray(required) || required.some((key) => typeof key !== 'string'))
      return this.#fail('BAD_SCHEMA', `${at}/required`, `expected names, got ${show(required)}`);
    const known = properties as Schema, more = additionalProperties ?? Object.keys(known).length === 0;
    if (!('properties' in schema) && required.length === 0 && more === true) return OBJECT;
    const extra = this.#compile(more, `${at}/additionalProperties`, depth + 1);
    const names = [...new Set([...Object.keys(known), ...required as string[]])];
    const pairs = names.map((name) => ({
      needed: required.includes(name),
      pair: sequence(constant(name), COLON, Object.hasOwn(known, name)
        ? this.#compile(known[name], `${at}/properties/${name}`, depth + 1) : extra),
    }));
    const others = more === false ? undefined : sequence(stringExcept(names), COLON, extra);
    let rest: Expression = others ? repeat(sequence(COMMA, others), 0, Infinity) : EMPTY;
    let first: Expression = others ? optional(sequence(others, rest)) : EMPTY;
    for (const { needed, pair } of pairs.toReversed()) {
      const here = sequence(pair, rest), next = sequence(COMMA, pair);
      first = needed ? here : choice(here, first);
      rest = sequence(needed ? next : optional(next), rest);
    }
    return sequence(literal('{'), first, literal('}'));
  }

  #array(schema: Schema, at: string, depth: number): Expression {
    const { prefixItems = [], items } = schema;
    if (!Array.isArray(prefixItems))
      return this.#fail('BAD_SCHEMA', `${at}/prefixItems`, `expected schemas, got ${show(prefixItems)}`);
    const min = this.#count(schema, 'minItems', at, 0), max = this.#count(schema, 'maxItems', at, Infinity);
    if (items === undefined && prefixItems.length === 0 && min === 0 && max === Infinity) return ARRAY;
    if (min > max) return NOTHING;
    const item = this.#compile(items ?? true, `${at}/items`, depth + 1);
    if (prefixItems.length === 0) return arrayOf(item, min, items === false ? 0 : max);
    const count = Math.min(prefixItems.length, max);
    let rest: Expression = repeat(
      sequence(COMMA, item), Math.max(min - count, 0),
      items === false ? Math.max(min - count, 0) : max - count);
    for (let i = count - 1; i >= 0; i--) {
      const own = this.#compile(prefixItems[i], `${at}/prefixItems/${i}`, depth + 1);
      rest = sequence(i > 0 ? COMMA : EMPTY, own, rest);
      if (i >= min) rest = optional(rest);
    }
    return sequence(literal('['), rest, literal(']'));
  }

  #string(schema: Schema, at: string): Expression {
    const { pattern, format } = schema, sized = 'minLength' in schema || 'maxLength' in schema;
    if ([pattern !== undefined, format !== undefined, sized].filter(Boolean).length > 1)
      this.#fail('UNSUPPORTED', at, 'pattern, format and lengths together; use one of them');
    for (const [name, value] of Object.entries({ pattern, format }))
      if (value !== undefined && typeof value !== 'string')
        this.#fail('BAD_SCHEMA', `${at}/${name}`, `expected a string, got ${show(value)}`);
    if (pattern !== undefined) return stringMatching(pattern as string, `${at}/pattern`);
    if (format !== undefined) {
      if (!Object.hasOwn(FORMATS, format as string))
        this.#fail('UNSUPPORTED', `${at}/format`,
          `format ${show(format)}; known are ${Object.keys(FORMATS).join(', ')}`);
      return stringMatching(FORMATS[format as string], `${at}/format`);
    }
    const min = this.#count(schema, 'minLength', at, 0), max = this.#count(schema, 'maxLength', at, Infinity);
    if (!sized) return STRING;
    return min > max ? NOTHING : stringOfLength(min, max);
  }

  #count(schema: Schema, name: string, at: string, absent: number): number {
    const value = schema[name];
    if (value === undefined) return absent;
    if (!Number.isInteger(value) || (value as number) < 0)
      return this.#fail('BAD_SCHEMA', `${at}/${name}`, `expected a count, got ${show(value)}`);
    if ((value as number) > MAX_COUNT) this.#fail('LIMIT', `${at}/${name}`, `more than ${MAX_COUNT}`);
    return value as number;
  }

  #number(schema: Schema, whole: boolean, at: string): Expression {
    const bound = (name: string, absent: number): number => {
      const value = schema[name];
      if (value === undefined) return absent;
      if (typeof value !== 'number' || !Number.isFinite(value))
        return this.#fail('BAD_SCHEMA', `${at}/${name}`, `expected a number, got ${show(value)}`);
      if (!whole && !Number.isSafeInteger(value))
        this.#fail('UNSUPPORTED', `${at}/${name}`, `bound ${value}; only integers have such bounds`);
      return value;
    };
    const [low, above] = [bound('minimum', -Infinity), bound('exclusiveMinimum', -Infinity)];
    const [high, below] = [bound('maximum', Infinity), bound('exclusiveMaximum', Infinity)];
    if (KEYWORDS.number.every((key) => !(key in schema))) return whole ? INTEGER : NUMBER;
    return (whole ? integerWithin : numberWithin)({
      low: Math.max(low, above), lowOpen: above >= low && above > -Infinity,
      high: Math.min(high, below), highOpen: below <= high && below < Infinity,
    });
  }
}

/**
 * The keywords of JSON Schema that are understood, and what a schema says of types and values.
 *
 * Source: JSON Schema 2020-12, "Validation".
 * @module
 */

export type Schema = Readonly<Record<string, unknown>>;

export const NOTES = [
  'title', 'description', 'default', 'examples', '$comment', 'deprecated', 'readOnly', 'writeOnly',
  '$schema', '$id', '$defs', 'definitions',
];
/** Keywords by the type they speak of. */
export const KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
};
export const TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];
/** Keywords that stand alone, but for notes. */
export const ALONE = ['$ref', 'anyOf', 'oneOf', 'allOf'];

/** The types of a schema: those it names, else those its keywords speak of. */
export function typesOf(schema: Schema): string[] {
  if (schema.type !== undefined) return [...new Set([schema.type].flat().map(String))];
  return Object.keys(KEYWORDS).filter((type) => KEYWORDS[type].some((key) => key in schema));
}

/** The values that `enum` and `const` leave, of the types it names. */
export function valuesOf(schema: Schema): unknown[] | undefined {
  if (!('enum' in schema) && !('const' in schema)) return undefined;
  const list = Array.isArray(schema.enum) ? schema.enum as unknown[] : [schema.const];
  const types = [schema.type ?? []].flat();
  return list.filter((value) => (!('const' in schema) || same(value, schema.const)) &&
    (types.length === 0 || types.includes(typeOf(value)) ||
      types.includes('number') && numeric(typeOf(value))));
}

export const numeric = (type: string): boolean => type === 'number' || type === 'integer';
export const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

export function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

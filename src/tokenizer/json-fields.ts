/**
 * Reads fields of a parsed JSON object, with one form of error.
 *
 * Objects come from `JSON.parse`, which makes every key an own property, "__proto__" too; they
 * are only read here, so no prototype is changed.
 * @module
 */
import { show } from '../check.ts';
import { quote, TokenizerError } from '../errors.ts';

/** An object as `JSON.parse` makes it. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** @throws {TokenizerError} Always: `code`, with the field, what was expected and what found. */
export function fail(code: string, field: string, expected: string, found: string): never {
  throw new TokenizerError(
    code, `tokenizerFromJson: "${field}" expected ${expected}, got ${found}`,
    { field, expected, actual: found },
  );
}

/** @throws {TokenizerError} WRONG_TYPE unless `value` is an object and no array. */
export function asObject(value: unknown, path: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fail('WRONG_TYPE', path, 'an object', show(value));
  return value as JsonObject;
}

/** @throws {TokenizerError} WRONG_TYPE unless `value` is an array. */
export function asArray(value: unknown, path: string): readonly unknown[] {
  return Array.isArray(value) ? value : fail('WRONG_TYPE', path, 'an array', show(value));
}

/** @throws {TokenizerError} UNSUPPORTED, naming the first field of `object` not in `known`. */
export function checkKnown(object: JsonObject, path: string, known: readonly string[]): void {
  for (const field of Object.keys(object)) {
    if (!known.includes(field))
      fail('UNSUPPORTED', path, `only the fields ${known.join(', ')}`, quote(field));
  }
}

/** A value for a message; of an object its `type`, as in `object "Lowercase"`. */
export function nameOf(value: unknown): string {
  const type = (value as { type?: unknown } | null | undefined)?.type;
  return typeof type === 'string' ? `object ${quote(type)}` : show(value);
}

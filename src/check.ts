/**
 * Checks of arguments at the public edge. One message format:
 * `function: "argument" expected …, got …`.
 * @module
 */
import { quote } from './errors.ts';

/** A value as it appears in a message: short, escaped, with its type where that is the point. */
export function show(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' || typeof value === 'boolean' || value == null) return String(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return `array of ${value.length}`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`;
  return typeof value;
}

/**
 * Throws unless `value` is an integer in [min, max].
 *
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is no integer or out of range.
 */
export function checkInteger(
  fn: string, name: string, value: unknown, min: number, max: number = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  if (typeof value !== 'number')
    throw new TypeError(`${fn}: "${name}" expected an integer, got ${show(value)}`);
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw new RangeError(
      `${fn}: "${name}" expected an integer ${range(min, max)}, got ${value}`,
    );
}

/**
 * Throws unless `value` is a finite number in [min, max].
 *
 * @throws {TypeError} If it is not a number.
 * @throws {RangeError} If it is not finite or out of range.
 */
export function checkNumber(
  fn: string, name: string, value: unknown, min: number, max: number = Number.MAX_VALUE,
): asserts value is number {
  if (typeof value !== 'number')
    throw new TypeError(`${fn}: "${name}" expected a number, got ${show(value)}`);
  if (!Number.isFinite(value) || value < min || value > max)
    throw new RangeError(`${fn}: "${name}" expected a number ${range(min, max)}, got ${value}`);
}

/**
 * Throws unless `value` is one of `allowed`.
 *
 * @throws {RangeError} If it is not.
 */
export function checkOneOf<T>(
  fn: string, name: string, value: unknown, allowed: readonly T[],
): asserts value is T {
  if (!allowed.includes(value as T))
    throw new RangeError(`${fn}: "${name}" expected ${allowed.join(', ')}, got ${show(value)}`);
}

/** Throws unless `data` is a non-empty row-major matrix of `rows` × `cols` values. */
export function checkMatrix(
  fn: string, name: string, data: ArrayLike<number>, rows: number, cols: number,
): void {
  checkInteger(fn, 'rows', rows, 1);
  checkInteger(fn, 'cols', cols, 1);
  if (data.length !== rows * cols)
    throw new RangeError(
      `${fn}: "${name}" expected ${rows * cols} values for [${rows}, ${cols}], got ${data.length}`,
    );
}

/** Throws unless `value` is a string. */
export function checkString(fn: string, name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string')
    throw new TypeError(`${fn}: "${name}" expected a string, got ${show(value)}`);
}

function range(min: number, max: number): string {
  if (max >= Number.MAX_SAFE_INTEGER) return min === -Infinity ? '' : `≥ ${min}`;
  return `from ${min} to ${max}`;
}

/**
 * Typed values out of the metadata of a GGUF file, each with an error that says what was expected.
 * @module
 */
import { ModelFileError, quote } from '../errors.ts';
import type { GgufFile } from './gguf.ts';
import { GgufArray } from './gguf.ts';

export class Metadata {
  readonly file: GgufFile;
  readonly name?: string;

  /** @param name of the file, for messages */
  constructor(file: GgufFile, name?: string) {
    this.file = file;
    this.name = name;
  }

  /** @throws {ModelFileError} always: BAD_HPARAM or another code, naming the key. */
  fail(code: string, key: string, expected: string, actual: unknown): never {
    const text = typeof actual === 'string' ? quote(actual) : String(actual);
    const found = actual === undefined ? 'nothing' : text;
    throw new ModelFileError(code, `metadata ${quote(key)} expected ${expected}, found ${found}`,
      { file: this.name, field: key, expected, actual });
  }

  #value(key: string): unknown {
    return this.file.metadata.get(key);
  }

  /** Text. @throws {ModelFileError} WRONG_TYPE */
  text(key: string): string | undefined {
    const value = this.#value(key);
    if (value === undefined || typeof value === 'string') return value;
    return this.fail('WRONG_TYPE', key, 'text', value);
  }

  /** A finite number within bounds. @throws {ModelFileError} WRONG_TYPE, BAD_HPARAM */
  number(key: string, min: number, max: number): number | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'number') return this.fail('WRONG_TYPE', key, 'a number', value);
    if (!(value >= min && value <= max))
      return this.fail('BAD_HPARAM', key, `a number from ${min} to ${max}`, value);
    return value;
  }

  /** As `number`, but it must be there. @throws {ModelFileError} MISSING_KEY too */
  required(key: string, min: number, max: number): number {
    return this.number(key, min, max) ?? this.fail('MISSING_KEY', key, 'a number', undefined);
  }

  /** A whole number; of an array that repeats one number for every layer, that number. */
  count(key: string, max: number): number | undefined {
    const value = this.#value(key);
    const single = value instanceof GgufArray ? this.#repeated(key, value) : this.number(key, 1, max);
    if (single !== undefined && !(Number.isInteger(single) && single >= 1 && single <= max))
      return this.fail('BAD_HPARAM', key, `a whole number from 1 to ${max}`, single);
    return single;
  }

  #repeated(key: string, array: GgufArray): number {
    const [first, ...rest] = array.numbers();
    if (first === undefined || rest.some((value) => value !== first))
      return this.fail('UNSUPPORTED', key, 'one number for all layers', 'several');
    return first;
  }

  /** As `count`, but it must be there. @throws {ModelFileError} MISSING_KEY too */
  requiredCount(key: string, max: number): number {
    return this.count(key, max) ?? this.fail('MISSING_KEY', key, 'a whole number', undefined);
  }

  flag(key: string): boolean | undefined {
    const value = this.#value(key);
    if (value === undefined || typeof value === 'boolean') return value;
    return this.fail('WRONG_TYPE', key, 'true or false', value);
  }

  /** Strings of an array. @throws {ModelFileError} WRONG_TYPE, INVALID_UTF8 */
  strings(key: string): string[] | undefined {
    return this.#array(key)?.strings();
  }

  /** Numbers of an array. @throws {ModelFileError} WRONG_TYPE */
  numbers(key: string): number[] | undefined {
    return this.#array(key)?.numbers();
  }

  #array(key: string): GgufArray | undefined {
    const value = this.#value(key);
    if (value === undefined || value instanceof GgufArray) return value;
    return this.fail('WRONG_TYPE', key, 'an array', value);
  }
}

/**
 * An array in the metadata of a GGUF file: the bytes as they are, decoded when they are asked for. A
 * vocabulary is 400,000 strings, which not every reader wants.
 * @module
 */
import { ModelFileError, quote } from '../errors.ts';
import type { NumberType } from './gguf-cursor.ts';
import { NUMBER_BYTES, readNumber } from './gguf-cursor.ts';

export class GgufArray {
  readonly element: NumberType | 'string';
  readonly length: number;
  readonly #bytes: Uint8Array;
  readonly #key: string;
  readonly #offset: number;
  readonly #file?: string;

  /**
   * @param bytes u8[n] of the elements, whose lengths have been checked
   * @param offset where they are in the file
   */
  constructor(
    element: NumberType | 'string', length: number, bytes: Uint8Array, key: string, offset: number,
    file?: string,
  ) {
    this.element = element;
    this.length = length;
    this.#bytes = bytes;
    this.#key = key;
    this.#offset = offset;
    this.#file = file;
  }

  #wrongType(expected: string): never {
    throw new ModelFileError('WRONG_TYPE',
      `metadata ${quote(this.#key)} expected an array of ${expected}, found one of ${this.element}`,
      { file: this.#file, field: this.#key, offset: this.#offset, expected, actual: this.element });
  }

  /**
   * The strings as bytes, views: a token need not be UTF-8.
   *
   * @throws {ModelFileError} WRONG_TYPE if the elements are no strings.
   */
  stringBytes(): Uint8Array[] {
    if (this.element !== 'string') this.#wrongType('strings');
    const bytes = this.#bytes, view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    return Array.from({ length: this.length }, () => {
      const from = at + 8, to = from + view.getUint32(at, true); // the upper half is 0: see the limit
      at = to;
      return bytes.subarray(from, to);
    });
  }

  /**
   * The strings as text.
   *
   * @throws {ModelFileError} WRONG_TYPE; INVALID_UTF8 naming the element.
   */
  strings(): string[] {
    const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return this.stringBytes().map((bytes, index) => {
      try {
        return utf8.decode(bytes);
      } catch (cause) {
        throw new ModelFileError('INVALID_UTF8',
          `metadata ${quote(this.#key)} element ${index} is not UTF-8`,
          { file: this.#file, field: this.#key, offset: index, cause });
      }
    });
  }

  /**
   * The numbers, each as a double.
   *
   * @throws {ModelFileError} WRONG_TYPE if the elements are strings or booleans, or too large.
   */
  numbers(): number[] {
    const { element } = this;
    if (element === 'string' || element === 'bool') return this.#wrongType('numbers');
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
    const width = NUMBER_BYTES[element];
    return Array.from({ length: this.length }, (_, i) => {
      const value = readNumber(view, i * width, element, () => this.#wrongType('numbers'));
      return typeof value === 'number' ? value : this.#wrongType('numbers below 2^53');
    });
  }
}

/**
 * A cursor over the header of a GGUF file: every length is compared with the bytes that the file has
 * before anything is made of it.
 *
 * The cursor sees the first bytes of the file. Where it needs more of them than it was given, but not
 * more than there are, it throws `NeedMore`; the reader fetches a longer beginning and starts again.
 * @module
 */
import { ModelFileError, quote, type ErrorFacts } from '../errors.ts';

/** Thrown where the header goes on behind the bytes at hand. Not an error of the file. */
export class NeedMore {
  /** Bytes that are needed at least. */
  readonly bytes: number;

  constructor(bytes: number) {
    this.bytes = bytes;
  }
}

/** Longest string read, in bytes. */
const MAX_STRING = 16 * 2 ** 20;

/** Reads numbers and strings, little-endian. Owns the position. */
export class GgufCursor {
  /** Byte offset in the file of what is read next. */
  at = 0;
  readonly bytes: Uint8Array;
  readonly file?: string;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly #view: DataView;
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  /**
   * @param bytes u8[n], the beginning of the file
   * @param size bytes of the whole file
   */
  constructor(bytes: Uint8Array, size: number, file?: string) {
    this.bytes = bytes;
    this.size = size;
    this.file = file;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  fail(code: string, message: string, facts: ErrorFacts = {}): never {
    throw new ModelFileError(code, message, { file: this.file, offset: this.at, ...facts });
  }

  /** Bytes of the file that follow. */
  get left(): number {
    return this.size - this.at;
  }

  /**
   * Passes over `length` bytes of `field`; where they began.
   *
   * @throws {ModelFileError} TRUNCATED if the file has not so many.
   */
  take(length: number, field: string): number {
    const { at } = this;
    if (length > this.left)
      this.fail('TRUNCATED', `${field} at byte ${at} needs ${length} bytes, the file has ${this.left} more`,
        { field, expected: length, actual: this.left });
    if (at + length > this.bytes.length) throw new NeedMore(at + length);
    this.at += length;
    return at;
  }

  u32(field: string): number {
    return this.#view.getUint32(this.take(4, field), true);
  }

  u64(field: string): bigint {
    return this.#view.getBigUint64(this.take(8, field), true);
  }

  /**
   * A number of things, each of at least `least` bytes.
   *
   * @throws {ModelFileError} COUNT_TOO_LARGE if they cannot fit in the bytes left, or `most` is passed.
   */
  count(field: string, least: number, most: number): number {
    const at = this.at, value = this.u64(field), fit = Math.floor(this.left / least);
    if (value > BigInt(fit))
      this.fail('COUNT_TOO_LARGE', `${field} is ${value}; at most ${fit} fit in the bytes left`,
        { field, offset: at, expected: fit, actual: value });
    if (value > BigInt(most))
      this.fail('COUNT_TOO_LARGE', `${field} is ${value}, limit is ${most}`,
        { field, offset: at, expected: most, actual: value });
    return Number(value);
  }

  /**
   * The bytes of a string, a view; `field` is for messages.
   *
   * @throws {ModelFileError} TRUNCATED; LIMIT if it is longer than 16 MiB.
   */
  stringBytes(field: string): Uint8Array {
    const at = this.at, length = this.u64(field);
    if (length > BigInt(this.left))
      this.fail('TRUNCATED',
        `${field} at byte ${at} has a length of ${length} bytes, the file has ${this.left} more`,
        { field, offset: at, expected: length, actual: this.left });
    if (length > BigInt(MAX_STRING))
      this.fail('LIMIT', `${field} has ${length} bytes, the limit of a string is ${MAX_STRING}`,
        { field, offset: at, expected: MAX_STRING, actual: length });
    const from = this.take(Number(length), field);
    return this.bytes.subarray(from, this.at);
  }

  /** @throws {ModelFileError} INVALID_UTF8, and as `stringBytes`. */
  string(field: string): string {
    const at = this.at;
    return this.decode(this.stringBytes(field), field, at);
  }

  /** @throws {ModelFileError} INVALID_UTF8 */
  decode(bytes: Uint8Array, field: string, offset: number): string {
    try {
      return this.#utf8.decode(bytes);
    } catch (cause) {
      throw new ModelFileError('INVALID_UTF8', `${field} at byte ${offset} is not UTF-8`,
        { file: this.file, field, offset, cause });
    }
  }

  /**
   * A name: printable ASCII, 1 … `most` bytes.
   *
   * @throws {ModelFileError} INVALID_KEY
   */
  name(field: string, most: number): string {
    const at = this.at, bytes = this.stringBytes(field);
    const bad = bytes.findIndex((byte) => byte < 0x20 || byte > 0x7e);
    if (bytes.length >= 1 && bytes.length <= most && bad < 0)
      return this.decode(bytes, field, at);
    const found = bad >= 0 ? `byte ${bytes[bad]} at ${bad}` : `${bytes.length} bytes`;
    return this.fail('INVALID_KEY',
      `${field} at byte ${at} expected 1 to ${most} printable ASCII characters, found ${found}`,
      { field, offset: at, expected: most, actual: found });
  }

  /** A number of the element type `type`; see `GGUF_NUMBERS`. Integers beyond 2^53 are bigints. */
  number(type: NumberType, field: string): number | bigint | boolean {
    return readNumber(this.#view, this.take(NUMBER_BYTES[type], field), type, (at, value) =>
      this.fail('BAD_BOOL', `${field} at byte ${at} expected a boolean 0 or 1, found ${value}`,
        { field, offset: at, expected: '0 or 1', actual: value }));
  }
}

/** Element types of metadata that are numbers. */
export type NumberType =
  'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'bool' | 'u64' | 'i64' | 'f64';

/** Bytes of each. */
export const NUMBER_BYTES: Readonly<Record<NumberType, number>> = {
  u8: 1, i8: 1, u16: 2, i16: 2, u32: 4, i32: 4, f32: 4, bool: 1, u64: 8, i64: 8, f64: 8,
};

const exact = (value: bigint): number | bigint =>
  BigInt.asIntN(54, value) === value ? Number(value) : value;

/** The number at `at`; `badBool` for a boolean that is neither 0 nor 1. */
export function readNumber(
  view: DataView, at: number, type: NumberType, badBool: (at: number, value: number) => never,
): number | bigint | boolean {
  switch (type) {
    case 'u8': return view.getUint8(at);
    case 'i8': return view.getInt8(at);
    case 'u16': return view.getUint16(at, true);
    case 'i16': return view.getInt16(at, true);
    case 'u32': return view.getUint32(at, true);
    case 'i32': return view.getInt32(at, true);
    case 'f32': return view.getFloat32(at, true);
    case 'f64': return view.getFloat64(at, true);
    case 'u64': return exact(view.getBigUint64(at, true));
    case 'i64': return exact(view.getBigInt64(at, true));
    case 'bool': {
      const value = view.getUint8(at);
      return value > 1 ? badBool(at, value) : value === 1;
    }
  }
}

/** A field's name as a message shows it. */
export const fieldName = (key: string): string => `metadata ${quote(key)}`;

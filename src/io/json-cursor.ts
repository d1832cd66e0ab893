/**
 * A cursor over JSON text in bytes: strict RFC 8259, for headers whose nesting is known.
 *
 * `JSON.parse` is not enough for an untrusted header: of two equal keys it keeps the last, it
 * rounds 9007199254740993, and it knows no byte positions. This cursor hands out every key and
 * every number as written. The caller drives it, so depth is the caller's: no recursion, O(n).
 * @module
 */
import { ModelFileError, quote } from '../errors.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$/;
/** Strings up to this many bytes are built byte by byte: TextDecoder costs more to call. */
const SHORT = 48;
/** Longest number read, in characters: no count, size or offset needs more. */
const MAX_NUMBER = 64;

const isSpace = (c: number): boolean => c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09;
const isNumberByte = (c: number): boolean =>
  (c >= 0x30 && c <= 0x39) || c === 0x2d || c === 0x2b || c === 0x2e || c === 0x65 || c === 0x45;

/** Text of a few ASCII bytes. Faster than spreading them into one call. */
function ascii(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]);
  return text;
}

/** Reads one JSON text from bytes start … end. Owns the position. */
export class JsonCursor {
  /** Byte offset in the file of what is read next. */
  at: number;
  readonly file?: string;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  /**
   * @param bytes u8[n], the file
   * @param start first byte of the text
   * @param end byte after its last
   */
  constructor(bytes: Uint8Array, start: number, end: number, file?: string) {
    this.#bytes = bytes;
    this.at = start;
    this.#end = end;
    this.file = file;
  }

  /** @throws {ModelFileError} Always: BAD_HEADER with the byte position. */
  fail(expected: string, position = this.at): never {
    const at = Math.min(position, this.#end);
    const c = this.#bytes[at];
    const found =
      at >= this.#end ? 'the end of the header'
      : c > 0x20 && c < 0x7f ? quote(String.fromCharCode(c))
      : `byte 0x${c.toString(16).padStart(2, '0')}`;
    throw new ModelFileError(
      'BAD_HEADER', `bad header at byte ${at}: expected ${expected}, got ${found}`,
      { file: this.file, offset: at, expected, actual: found },
    );
  }

  /** The next byte that is no white space, or −1 at the end. It is not consumed. */
  peek(): number {
    while (this.at < this.#end && isSpace(this.#bytes[this.at])) this.at++;
    return this.at < this.#end ? this.#bytes[this.at] : -1;
  }

  /**
   * Consumes one ASCII character after white space.
   *
   * @throws {ModelFileError} BAD_HEADER if another one follows.
   */
  take(char: string): void {
    if (this.peek() !== char.charCodeAt(0)) this.fail(quote(char));
    this.at++;
  }

  /**
   * Reads `{ key: value, … }`. `visit` gets each key with its byte offset and must read the value.
   *
   * @throws {ModelFileError} BAD_HEADER if it is no object.
   */
  members(visit: (key: string, at: number) => void): void {
    this.#list('{', '}', () => {
      this.peek();
      const at = this.at;
      const key = this.string();
      this.take(':');
      visit(key, at);
    });
  }

  /**
   * Reads `[ value, … ]`. `visit` must read one value each time.
   *
   * @throws {ModelFileError} BAD_HEADER if it is no array.
   */
  items(visit: () => void): void {
    this.#list('[', ']', visit);
  }

  #list(open: string, close: string, visit: () => void): void {
    this.take(open);
    if (this.peek() === close.charCodeAt(0)) {
      this.at++;
      return;
    }
    for (;;) {
      visit();
      if (this.peek() !== 0x2c) break;
      this.at++;
    }
    this.take(close);
  }

  /**
   * Reads a string.
   *
   * @throws {ModelFileError} BAD_HEADER if it is none, is no UTF-8, or holds half a surrogate pair.
   */
  string(): string {
    this.take('"');
    const start = this.at;
    let plain = true;
    let escaped = false;
    for (;; this.at++) {
      const c = this.at < this.#end ? this.#bytes[this.at] : -1;
      if (c === QUOTE) break;
      if (c < 0x20) this.fail('a character of a string');
      if (c >= 0x80) plain = false;
      if (c === BACKSLASH) {
        escaped = true;
        this.at++; // the next one cannot end the string; JSON.parse judges the pair
      }
    }
    const raw = this.#bytes.subarray(start, this.at++);
    if (plain && !escaped && raw.length <= SHORT) return ascii(raw);
    return this.#decode(raw, escaped, start);
  }

  #decode(raw: Uint8Array, escaped: boolean, start: number): string {
    try {
      const text = this.#utf8.decode(raw.slice()); // a copy: browsers refuse shared memory here
      const value = escaped ? (JSON.parse(`"${text}"`) as string) : text;
      if (!/\p{Surrogate}/u.test(value)) return value;
    } catch {
      // not UTF-8 or a bad escape: reported below with the position of the string
    }
    return this.fail('a string of well-formed UTF-8 and escapes', start);
  }

  /**
   * Reads a number and returns it as written, so that nothing is rounded.
   *
   * @throws {ModelFileError} BAD_HEADER if it is none.
   */
  number(): string {
    this.peek();
    const start = this.at;
    const end = Math.min(this.#end, start + MAX_NUMBER);
    while (this.at < end && isNumberByte(this.#bytes[this.at])) this.at++;
    const text = ascii(this.#bytes.subarray(start, this.at));
    return NUMBER.test(text) ? text : this.fail('a number', start);
  }

  /**
   * Checks that only spaces follow.
   *
   * @throws {ModelFileError} BAD_HEADER if anything else does.
   */
  finish(): void {
    for (; this.at < this.#end; this.at++)
      if (this.#bytes[this.at] !== 0x20) this.fail('a space or the end of the header');
  }
}

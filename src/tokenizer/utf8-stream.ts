/**
 * Text from UTF-8 bytes that arrive in pieces cut anywhere.
 *
 * A token of a byte-level vocabulary may end inside a character. The stream holds back the at
 * most 3 bytes of an unfinished character until the rest arrives, so that the pieces of text,
 * joined, are the text of all bytes.
 *
 * Source: WHATWG Encoding Standard, UTF-8 decoder, which `TextDecoder` implements.
 * @module
 */
import { show } from '../check.ts';

/**
 * Joins streamed bytes into text. Owns up to 3 bytes of an unfinished character.
 *
 * @example
 * const stream = new Utf8Stream();
 * stream.push(Uint8Array.of(0xc3)); // ''
 * stream.push(Uint8Array.of(0xa9)); // 'é'
 * stream.end(); // ''
 */
export class Utf8Stream {
  #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  /**
   * The characters that `bytes` completes. Ill-formed parts become U+FFFD as soon as they are
   * known to be.
   *
   * @throws {TypeError} If `bytes` is no Uint8Array.
   */
  push(bytes: Uint8Array): string {
    if (!(bytes instanceof Uint8Array))
      throw new TypeError(`Utf8Stream.push: "bytes" expected a Uint8Array, got ${show(bytes)}`);
    return this.#decoder.decode(bytes, { stream: true });
  }

  /**
   * What is left: one U+FFFD if the bytes ended inside a character, else nothing. The stream
   * then starts anew.
   */
  end(): string {
    return this.#decoder.decode();
  }
}

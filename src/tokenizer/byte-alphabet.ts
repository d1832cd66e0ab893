/**
 * Printable names for bytes, so that byte-level tokens can be written in JSON.
 *
 * The 188 bytes that are printable in Latin-1 (33 … 126, 161 … 172, 174 … 255) are named by
 * the character of that code; the other 68, ascending, by U+0100 and up. A space is thus "Ġ".
 * The alphabet in order of its characters gives the ids 0 … 255, as in GPT-2.
 *
 * Source: Radford et al. 2019, Language Models are Unsupervised Multitask Learners, and the
 * published code (`bytes_to_unicode`).
 * @module
 */

/** Two-way map between the 256 bytes and their names. */
export interface ByteAlphabet {
  /** Name of each byte: one character, index is the byte. */
  readonly names: readonly string[];
  /** The bytes in order of the code of their name: u8[256]. The position is the base id. */
  readonly order: Uint8Array;
  /** Byte of each name. */
  readonly byteOf: ReadonlyMap<string, number>;
}

const isPrintable = (byte: number): boolean =>
  (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);

/**
 * Builds the map. Pure and cheap; make one per tokenizer.
 *
 * @example
 * const alphabet = createByteAlphabet();
 * alphabet.names[0x41]; // 'A'
 * alphabet.names[0x20]; // 'Ġ'
 * alphabet.order[0]; // 33, the byte of '!'
 */
export function createByteAlphabet(): ByteAlphabet {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const unprintable = bytes.filter((byte) => !isPrintable(byte));
  const order = Uint8Array.from([...bytes.filter(isPrintable), ...unprintable]);
  const names = bytes.map((byte) =>
    String.fromCharCode(isPrintable(byte) ? byte : 256 + unprintable.indexOf(byte)),
  );
  return { names, order, byteOf: new Map(names.map((name, byte) => [name, byte])) };
}

/**
 * Bytes that a token name stands for; `undefined` if a character is not in the alphabet.
 *
 * @example
 * bytesOfName(createByteAlphabet(), 'Ġa'); // Uint8Array [32, 97]
 * bytesOfName(createByteAlphabet(), 'a b'); // undefined: a space has the name 'Ġ'
 */
export function bytesOfName(alphabet: ByteAlphabet, name: string): Uint8Array | undefined {
  const bytes = new Uint8Array(name.length); // names are in the basic plane: one unit each
  for (let i = 0; i < name.length; i++) {
    const byte = alphabet.byteOf.get(name[i]);
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}

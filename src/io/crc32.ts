/**
 * CRC-32: the remainder of the bytes, as a polynomial over GF(2), by the IEEE 802.3 polynomial
 * 0xEDB88320 (reflected), with start and end value inverted. As in gzip, PNG and ZIP.
 *
 * It finds every single flipped bit and every burst of up to 32 bits. It is no defence against
 * intent: anyone can change a file and its CRC together.
 *
 * Source: Kounavis & Berry 2005, A Systematic Approach to Building High Performance
 * Software-Based CRC Generators ("slicing by 8").
 * @module
 */

const POLYNOMIAL = 0xedb88320;

/** 8 tables of 256: table t holds the CRC of byte b followed by t zero bytes. */
let tables: Int32Array | undefined;

function buildTables(): Int32Array {
  const built = new Int32Array(8 * 256);
  for (let b = 0; b < 256; b++) {
    let c = b;
    for (let bit = 0; bit < 8; bit++) c = (c >>> 1) ^ (c & 1 ? POLYNOMIAL : 0);
    built[b] = c;
  }
  for (let i = 256; i < built.length; i++) {
    const before = built[i - 256];
    built[i] = (before >>> 8) ^ built[before & 255];
  }
  return built;
}

/**
 * CRC-32 of `bytes`, from 0 to 2^32 − 1. O(n), 8 bytes per step.
 *
 * @param bytes u8[n]
 * @param seed CRC of the bytes before these, so that parts can be chained:
 *   `crc32(b, crc32(a))` is the CRC of a followed by b
 * @example
 * crc32(new TextEncoder().encode('123456789')); // 0xcbf43926
 */
export function crc32(bytes: Uint8Array, seed = 0): number {
  const t = (tables ??= buildTables());
  const n = bytes.length;
  let c = ~seed;
  let i = 0;
  for (const whole = n - (n % 8); i < whole; i += 8) {
    const low =
      c ^ (bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24));
    c =
      t[0x700 + (low & 255)] ^
      t[0x600 + ((low >>> 8) & 255)] ^
      t[0x500 + ((low >>> 16) & 255)] ^
      t[0x400 + (low >>> 24)] ^
      t[0x300 + bytes[i + 4]] ^
      t[0x200 + bytes[i + 5]] ^
      t[0x100 + bytes[i + 6]] ^
      t[bytes[i + 7]];
  }
  for (; i < n; i++) c = (c >>> 8) ^ t[(c ^ bytes[i]) & 255];
  return ~c >>> 0;
}

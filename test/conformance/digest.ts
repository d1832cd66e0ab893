/**
 * A digest of raw bytes that needs nothing of the runtime: FNV-1a, 64 bits, in 16-bit limbs.
 *
 *   h ← offset;  for each byte: h ← (h ⊕ byte) · 0x100000001b3  (mod 2^64)
 *
 * It tells results apart, it does not protect them.
 * Source  Fowler, Noll & Vo, draft-eastlake-fnv.
 * @module
 */

/** What stands for every NaN: its bits are the engine's choice, so they never are digested. */
const NOT_A_NUMBER = -1.2345678e-30;

export class Digest {
  // The prime is 2^40 + 0x1b3, the offset 0xcbf29ce484222325; four limbs, lowest first.
  #limbs: [number, number, number, number] = [0x2325, 0x8422, 0x9ce4, 0xcbf2];

  /** Adds the bytes of an array of integers, or of floats that are known to have no NaN. */
  bytes(data: ArrayBufferView): this {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    let [a, b, c, d] = this.#limbs;
    for (let i = 0; i < bytes.length; i++) {
      a ^= bytes[i];
      const a1 = a * 0x1b3, b1 = b * 0x1b3 + (a1 >>> 16);
      const c1 = c * 0x1b3 + ((a << 8) & 0xffff) + (b1 >>> 16);
      const d1 = d * 0x1b3 + (((b << 8) | (a >>> 8)) & 0xffff) + (c1 >>> 16);
      a = a1 & 0xffff;
      b = b1 & 0xffff;
      c = c1 & 0xffff;
      d = d1 & 0xffff;
    }
    this.#limbs = [a, b, c, d];
    return this;
  }

  /** Adds the bits of floats; all NaNs count as one value. */
  floats(values: Float32Array | Float64Array): this {
    return this.bytes(values.map((value) => (value === value ? value : NOT_A_NUMBER)));
  }

  /** Adds the bits of numbers as f64. */
  numbers(values: readonly number[]): this {
    return this.floats(Float64Array.from(values));
  }

  /** Adds a text as UTF-8. */
  text(text: string): this {
    return this.bytes(new TextEncoder().encode(text));
  }

  /** 16 hexadecimal digits. */
  get hex(): string {
    return [...this.#limbs].reverse().map((limb) => limb.toString(16).padStart(4, '0')).join('');
  }
}

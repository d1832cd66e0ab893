/**
 * SHA-256 of bytes that come in parts: `crypto.subtle` takes all of them at once.
 *
 *   W[t] = σ₁(W[t−2]) + W[t−7] + σ₀(W[t−15]) + W[t−16]
 *   per round: T₁ = h + Σ₁(e) + Ch(e, f, g) + K[t] + W[t], T₂ = Σ₀(a) + Maj(a, b, c)
 *
 * Source  NIST FIPS 180-4, sections 4.1.2, 5.1.1, 6.2.
 * @module
 */
import type { Hasher } from './store.ts';

const BLOCK = 64;

/** First 32 bits of the fractions of the roots of the first primes, in integers: no `Math.cbrt`. */
const [INITIAL, K] = roots();

/** Square roots of 8 primes and cube roots of 64, each as ⌊fraction · 2³²⌋. */
function roots(): [Int32Array, Int32Array] {
  const primes: bigint[] = [];
  for (let n = 2n; primes.length < 64; n++) if (primes.every((prime) => n % prime > 0n)) primes.push(n);
  const root = (n: bigint, degree: bigint): number => {
    const power = n << (32n * degree);
    let low = 0n, high = 1n << 40n;
    while (high - low > 1n) {
      const middle = (low + high) >> 1n;
      const product = degree === 2n ? middle * middle : middle * middle * middle;
      if (product <= power) low = middle;
      else high = middle;
    }
    return Number(BigInt.asIntN(32, low));
  };
  return [
    Int32Array.from(primes.slice(0, 8), (prime) => root(prime, 2n)),
    Int32Array.from(primes, (prime) => root(prime, 3n)),
  ];
}

const rotate = (x: number, bits: number): number => (x >>> bits) | (x << (32 - bits));

/**
 * The SHA-256 of what `update` is given, in any parts.
 *
 * @example
 * const hash = new Sha256();
 * hash.update(new TextEncoder().encode('abc'));
 * hash.digest().slice(0, 8); // 'ba7816bf'
 */
export class Sha256 implements Hasher {
  readonly #state = INITIAL.slice();
  readonly #words = new Int32Array(BLOCK);
  readonly #rest = new Uint8Array(BLOCK);
  #length = 0;

  update(bytes: Uint8Array): void {
    let from = 0;
    const filled = this.#length % BLOCK;
    this.#length += bytes.length;
    if (filled > 0) {
      from = Math.min(BLOCK - filled, bytes.length);
      this.#rest.set(bytes.subarray(0, from), filled);
      if (filled + from < BLOCK) return;
      this.#block(this.#rest, 0);
    }
    for (; from + BLOCK <= bytes.length; from += BLOCK) this.#block(bytes, from);
    this.#rest.set(bytes.subarray(from));
  }

  digest(): string {
    const length = this.#length, filled = length % BLOCK;
    const end = new Uint8Array((filled < BLOCK - 8 ? BLOCK : 2 * BLOCK) - filled);
    end[0] = 0x80;
    new DataView(end.buffer).setBigUint64(end.length - 8, BigInt(length) * 8n);
    this.update(end);
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  #block(bytes: Uint8Array, from: number): void {
    const w = this.#words, s = this.#state;
    for (let t = 0; t < 16; t++, from += 4)
      w[t] = bytes[from] << 24 | bytes[from + 1] << 16 | bytes[from + 2] << 8 | bytes[from + 3];
    for (let t = 16; t < BLOCK; t++) {
      const x = w[t - 15], y = w[t - 2];
      w[t] = (rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10)) + w[t - 7]
        + (rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3)) + w[t - 16];
    }
    let [a, b, c, d, e, f, g, h] = s;
    for (let t = 0; t < BLOCK; t++) {
      const t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + K[t] + w[t];
      const t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    s[0] += a; s[1] += b; s[2] += c; s[3] += d; s[4] += e; s[5] += f; s[6] += g; s[7] += h;
  }
}

/** SHA-256 of a text as UTF-8, 64 hexadecimal digits. */
export function sha256Text(text: string): string {
  const hash = new Sha256();
  hash.update(new TextEncoder().encode(text));
  return hash.digest();
}

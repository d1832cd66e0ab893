/**
 * Twins of the integer products: the definition, and the intermediate forms the kernels go
 * through (tables of subset sums, bit planes), each written from its own definition.
 *
 *   y[i, n] = Σ_k x[i, k] · W̃[n, k]        i8 codes × −1, 0, +1 → i32
 *
 * Source  Wei et al. 2024, T-MAC (arXiv 2407.00088), tables; Rastegari et al. 2016, XNOR-Net
 *         (arXiv 1603.05279), planes.
 * @module
 */

/**
 * i32[m, n] ← x · W̃ᵀ: the one definition of all three products.
 *
 * @param q i8[m, kp], of which k columns count
 * @param weights i8[n, k] of −1, 0, +1
 */
export function gemmI8(
  q: Int8Array, weights: Int8Array, m: number, n: number, k: number, kp: number,
): Int32Array {
  const y = new Int32Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let c = 0; c < k; c++) sum += q[i * kp + c] * weights[j * k + c];
      y[i * n + j] = sum;
    }
  return y;
}

/**
 * u8[m, kp/4, 32]: for each group of 4 codes, 16 sums over subsets s of their low nibbles
 * x & 15, then 16 of their high nibbles x >> 4, plus 32. Member i is in s where bit i is set.
 */
export function tablesI8(q: Int8Array, m: number, kp: number): Uint8Array {
  const tables = new Uint8Array(m * kp * 8);
  for (let group = 0; group < (m * kp) / 4; group++)
    for (let s = 0; s < 16; s++) {
      const members = [0, 1, 2, 3].filter((i) => s & (1 << i)).map((i) => q[group * 4 + i]);
      tables[group * 32 + s] = members.reduce((sum, x) => sum + (x & 15), 0);
      tables[group * 32 + 16 + s] = members.reduce((sum, x) => sum + (x >> 4), 32);
    }
  return tables;
}

/** b1[m, bits, kp]: bit b of each code in two's complement; with bits = 1, code > 0. */
export function planesI8(q: Int8Array, m: number, kp: number, bits: number): Uint8Array {
  const planes = new Uint8Array((m * bits * kp) / 8);
  for (let i = 0; i < m; i++)
    for (let b = 0; b < bits; b++)
      for (let c = 0; c < kp; c++) {
        const x = q[i * kp + c];
        const isSet = bits === 1 ? x > 0 : ((x >> b) & 1) === 1;
        if (isSet) planes[((i * bits + b) * kp + c) >> 3] |= 1 << (c & 7);
      }
  return planes;
}

/** What a product with a scale per block of weights reads. */
export interface BlockOperands {
  /** i8[m, kp] and i8[n, kp] of −1, 0, +1. */
  readonly q: Int8Array;
  readonly weights: Int8Array;
  /** f32[m, kp/part]: γ/Q of each part of `part` columns. */
  readonly xScales: Float32Array;
  /** f32[n, kp/(part · parts)] */
  readonly scales: Float32Array;
  readonly part: number;
  readonly parts: number;
}

/**
 * f32[m, n]: y = Σ_b d[n, b] · Σ_s γ[i, s]/Q · (W̃ · x̃)[n, part s of b], every step rounded to f32, in
 * the order of parts and blocks, the first one not added to zero.
 */
export function gemmBlockI8(
  { q, weights, xScales, scales, part, parts }: BlockOperands, m: number, n: number, kp: number,
): Float32Array {
  const { fround } = Math, y = new Float32Array(m * n), blocks = kp / (part * parts);
  const inner = (i: number, j: number, s: number): number => {
    let sum = 0;
    for (let c = s * part; c < (s + 1) * part; c++) sum += q[i * kp + c] * weights[j * kp + c];
    return fround(fround(sum) * xScales[(i * kp) / part + s]);
  };
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++)
      for (let b = 0; b < blocks; b++) {
        let total = inner(i, j, b * parts);
        for (let s = 1; s < parts; s++) total = fround(total + inner(i, j, b * parts + s));
        const value = fround(scales[j * blocks + b] * total), at = i * n + j;
        y[at] = b === 0 ? value : y[at] + value;
      }
  return y;
}

/** What a product with fixed-point scales reads: one part of activations for a block of weights. */
export interface FixedOperands {
  readonly q: Int8Array;
  readonly weights: Int8Array;
  /** i16[m, parts] and f32[m]: γ/Q of each part as 32,767ths of the largest. */
  readonly xi: Int16Array;
  readonly factors: Float32Array;
  /** i16[n, parts] and f32[n]: the same of the weights. */
  readonly scales: Int16Array;
  readonly rowScales: Float32Array;
  readonly part: number;
}

/**
 * f32[m, n]: y = D[n] · Γ[i] · Σ_b round(δ[n, b] · ξ[i, b]) · t_b; four parts are added as integers, fours in
 * f32, in order.
 */
export function gemmFixedI8(
  { q, weights, xi, factors, scales, rowScales, part }: FixedOperands, m: number, n: number, kp: number,
): Float32Array {
  const { fround } = Math, y = new Float32Array(m * n), parts = kp / part;
  const factor = fround(32_768 / 32_767 ** 2);
  const term = (i: number, j: number, b: number): number => {
    let t = 0;
    for (let c = b * part; c < (b + 1) * part; c++) t += q[i * kp + c] * weights[j * kp + c];
    return t * ((scales[j * parts + b] * xi[i * parts + b] + 0x4000) >> 15);
  };
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let b = 0; b < parts; b += 4) {
        let group = 0;
        for (let p = b; p < Math.min(parts, b + 4); p++) group += term(i, j, p);
        sum = b === 0 ? fround(group) : fround(sum + fround(group));
      }
      y[i * n + j] = sum * fround(rowScales[j] * fround(factors[i] * factor));
    }
  return y;
}

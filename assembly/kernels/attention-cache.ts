// Causal attention of one sequence over a cache of f16 or i8 keys and values.
//
//   s[t, u] = q_t · k_u / √D  for u ≤ offset + t       p = softmax(s)       out_t = Σ_u p[t, u] v_u
//
//   f16   k, v are halves                        i8   k = scale_u · code, v likewise: one f32 scale
//                                                     for a position and head
//
// The packed values are converted in registers; no expanded copy is made. Conversions are exact, so
// f16 gives the bits that `attentionF32` gives for the same values in f32. Halves must be finite and
// queries below 2^16; beyond, scores are not finite, and sampling says so.
//
// Layout  Heads first: T[kvHeads, capacity, d], scales f32[kvHeads, capacity]. Positions of a head
//         are next to each other: a head is one stream, whatever the number of heads.
// Tile    `lib/attend.ts`.
// Bound   One query: reading the cache, if it is larger than the processor's; 2 (f16)
//         or 3 (i8) operations convert a vector, 2 use it. Many: multiply, add and convert.
// Source  As `attention-f32.ts`; a cache quantized in groups, as in Sheng et al. 2023, FlexGen (arXiv
//         2303.06865).

import { attendGroup } from '../lib/attend';

/**
 * out ← attention of t queries over an f16 cache.
 *
 * @param q f32[t, qStride], the heads first; out f32[t, outStride]; strides in floats
 * @param k v u16[kvHeads, capacity, d]: `offset` earlier positions, then the queries' own
 * @param p f32[min(16, t·heads/kvHeads), s], s = offset + t rounded up to 4
 */
export function attentionF16(
  q: usize, k: usize, v: usize, out: usize, p: usize, t: usize, offset: usize,
  heads: usize, kvHeads: usize, d: usize, qStride: usize, outStride: usize, capacity: usize,
): void {
  const group = heads / kvHeads, rowBytes = ((offset + t + 3) & ~3) << 2;
  for (let g: usize = 0; g < kvHeads; g++, k += capacity * d << 1, v += capacity * d << 1) {
    attendGroup(
      2, q, k, v, 0, 0, out, p, rowBytes, t, offset, group, d,
      qStride << 2, d << 1, outStride << 2, false);
    q += group * d << 2;
    out += group * d << 2;
  }
}

/**
 * out ← attention of t queries over an i8 cache; the rest as `attentionF16`.
 *
 * @param k v i8[kvHeads, capacity, d]
 * @param kScale vScale f32[kvHeads, capacity]
 */
export function attentionI8(
  q: usize, k: usize, v: usize, kScale: usize, vScale: usize, out: usize, p: usize,
  t: usize, offset: usize, heads: usize, kvHeads: usize, d: usize,
  qStride: usize, outStride: usize, capacity: usize,
): void {
  const group = heads / kvHeads, rowBytes = ((offset + t + 3) & ~3) << 2;
  for (let g: usize = 0; g < kvHeads; g++, k += capacity * d, v += capacity * d) {
    attendGroup(
      1, q, k, v, kScale, vScale, out, p, rowBytes, t, offset, group, d,
      qStride << 2, d, outStride << 2, false);
    q += group * d << 2;
    out += group * d << 2;
    kScale += capacity << 2;
    vScale += capacity << 2;
  }
}

// Ternary codes of GGUF blocks → rows of codes in order, two bits each, least significant first, as the
// tile kernels read them.
//
//   planes    32 bytes hold 128 columns; byte m has columns m, 32 + m, 64 + m, 96 + m, `step` bits apart
//   in order  the codes of a block as they are, without what is between the blocks
//
// A code 3 stands for no weight. Both kernels return nonzero if there is one.
//
// Bound   Planes: 11 operations for 64 columns: 8 GB/s of blocks on an EPYC (Zen 3). In order: copying.
// Source  ggml `src/ggml-quants.c` (TQ2_0, Q2_0); bitnet.cpp `src/ggml-bitnet-mad.cpp` (I2_S).

/** Nonzero where a byte has a code 3. */
// @ts-ignore: decorator
@inline
function threes(codes: v128): v128 {
  return v128.and(v128.and(codes, i16x8.shr_u(codes, 1)), i8x16.splat(0x55));
}

/** Byte i ← the four codes in bytes 4i … 4i + 3; codes in the low two bits of each byte. */
// @ts-ignore: decorator
@inline
function joinFours(codes: v128): v128 {
  const pairs = v128.or(codes, i16x8.shr_u(codes, 6));
  const fours = v128.or(pairs, i32x4.shr_u(pairs, 12));
  return i8x16.swizzle(fours, i8x16(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
}

/**
 * to ← the codes of blocks of planes.
 *
 * @param from first byte of planes; `stride` from a block to the next
 * @param groups of 128 columns in a block, 32 bytes each
 * @param first bits below the codes of the first plane: 0 (step 2) or 6 (step −2)
 */
export function unpackPlanesT2(
  from: usize, to: usize, blocks: usize, stride: usize, groups: usize, first: i32, step: i32,
): bool {
  const mask = i8x16.splat(3);
  let bad = i8x16.splat(0);
  for (let b: usize = 0; b < blocks; b++, from += stride) {
    for (let at = from; at < from + (groups << 5); at += 32, to += 32) {
      const low = v128.load(at), high = v128.load(at, 16);
      bad = v128.or(bad, v128.or(threes(low), threes(high)));
      for (let plane = 0; plane < 4; plane++) {
        const shift = first + step * plane, out = to + (plane << 3);
        v128.store32_lane(out, joinFours(v128.and(i16x8.shr_u(low, shift), mask)), 0);
        v128.store32_lane(out, joinFours(v128.and(i16x8.shr_u(high, shift), mask)), 0, 4);
      }
    }
  }
  return v128.any_true(bad);
}

/**
 * to ← the codes of blocks in order.
 *
 * @param from first byte of codes; `stride` from a block to the next
 * @param bytes of codes in a block, a multiple of 16
 */
export function unpackInOrderT2(from: usize, to: usize, blocks: usize, stride: usize, bytes: usize): bool {
  let bad = i8x16.splat(0);
  for (let b: usize = 0; b < blocks; b++, from += stride) {
    for (let i: usize = 0; i < bytes; i += 16, to += 16) {
      const codes = v128.load(from + i);
      bad = v128.or(bad, threes(codes));
      v128.store(to, codes);
    }
  }
  return v128.any_true(bad);
}

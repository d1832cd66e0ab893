// From the integers of a block of columns to real numbers, for weights with a scale per block.
//
//   y[n] (+)= d[n] · Σ_s γ_s/Q · t_s[n]        t_s the integer product of part s of the block
//
// A block of weights with one scale d is one or more parts, each with an activation scale of its own.
// Every step is one f32 operation, parts and blocks in order, so the bits are the same in every variant.

import { TILE_RESULT } from './tile';

/** Every bit of a f32 but the two that a f16's exponent does not reach. */
const HALF_MASK: i32 = 0x8fffffff;
/** 2^112: the distance of the biases of f32 and f16. */
const HALF_FACTOR: f32 = 5.192296858534828e33;

/** Four finite f16 at p as f32: exact, subnormals too. */
// @ts-ignore: decorator
@inline
function finiteHalves(p: usize): v128 {
  const bits = i32x4.shl(v128.load16x4_s(p), 13); // the sign is in the upper bits already
  return f32x4.mul(v128.and(bits, i32x4.splat(HALF_MASK)), f32x4.splat(HALF_FACTOR));
}

/** xScale · t for four rows, t = acc · 2^shift − offset. */
// @ts-ignore: decorator
@inline
function scaled(acc: v128, offset: v128, shift: i32, xScale: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(i32x4.shl(acc, shift), offset)), xScale);
}

/** Integers of rows 4i … 4i + 3: u16 or i32. */
// @ts-ignore: decorator
@inline
function integers(acc: usize, i: usize, wide: bool): v128 {
  return wide ? v128.load(acc + (i << 4)) : v128.load16x4_u(acc + (i << 3));
}

/** part ← xScale · t, or adds it, t = acc · 2^shift − offset; acc i32[16] if `wide`, else u16[16]. */
// @ts-ignore: decorator
@inline
export function scalePart(
  acc: usize, wide: bool, part: usize, offset: i32, shift: i32, xScale: f32, add: bool,
): void {
  const voffset = i32x4.splat(offset), vscale = f32x4.splat(xScale);
  for (let i: usize = 0; i < 4; i++) {
    const value = scaled(integers(acc, i, wide), voffset, shift, vscale), at = part + (i << 4);
    v128.store(at, add ? f32x4.add(v128.load(at), value) : value);
  }
}

/** y ← d · part, or adds it; d f16[16], part and y f32[16]. */
// @ts-ignore: decorator
@inline
export function addBlock(part: usize, d: usize, y: usize, add: bool): void {
  for (let i: usize = 0; i < TILE_RESULT; i += 16) {
    const value = f32x4.mul(finiteHalves(d + (i >> 1)), v128.load(part + i));
    v128.store(y + i, add ? f32x4.add(v128.load(y + i), value) : value);
  }
}

/** Four rows of `addOnePart`. */
// @ts-ignore: decorator
@inline
function addRows4(
  acc: usize, d: usize, y: usize, offset: v128, shift: i32, xScale: v128, add: bool,
): void {
  const part = scaled(v128.load16x4_u(acc), offset, shift, xScale);
  const value = f32x4.mul(finiteHalves(d), part);
  v128.store(y, add ? f32x4.add(v128.load(y), value) : value);
}

/**
 * `scalePart` and `addBlock` in one, for a block of one part; acc u16[16].
 *
 * Not a loop: engines would build the constants anew in each round.
 */
// @ts-ignore: decorator
@inline
export function addOnePart(
  acc: usize, d: usize, y: usize, offset: i32, shift: i32, xScale: f32, add: bool,
): void {
  const voffset = i32x4.splat(offset), vscale = f32x4.splat(xScale);
  addRows4(acc, d, y, voffset, shift, vscale, add);
  addRows4(acc + 8, d + 8, y + 16, voffset, shift, vscale, add);
  addRows4(acc + 16, d + 16, y + 32, voffset, shift, vscale, add);
  addRows4(acc + 24, d + 24, y + 48, voffset, shift, vscale, add);
}

// Elementary functions, one value at a time: the same bits on every engine.
//
// f64 functions are compiled from AssemblyScript's ports of musl (NativeMath), so no engine's own
// Math is asked. They serve tables, schedules and sampling, none of which is hot.
// The host calls neither `sin` and `cos`, which rotary tables are made of, nor `expF32`, which attention,
// gates and losses have inlined: they are exported (0.7 kB) because their bits are promised, and what
// is only seen through other kernels cannot be swept and held.
//
// Bound   Arithmetic: a polynomial of f64 a value; about 30 operations a vector of expF32.

import { expF32x4 } from '../lib/math';

export function exp(x: f64): f64 {
  return NativeMath.exp(x);
}

export function log(x: f64): f64 {
  return NativeMath.log(x);
}

export function sin(x: f64): f64 {
  return NativeMath.sin(x);
}

export function cos(x: f64): f64 {
  return NativeMath.cos(x);
}

export function pow(x: f64, y: f64): f64 {
  return NativeMath.pow(x, y);
}

/** y ← e^x, f32[n]. n may be any length; the last lanes are computed one by one. */
export function expF32(x: usize, y: usize, n: usize): void {
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) v128.store(y + (i << 2), expF32x4(v128.load(x + (i << 2))));
  for (; i < n; i++) {
    const lane = expF32x4(f32x4.splat(load<f32>(x + (i << 2))));
    store<f32>(y + (i << 2), f32x4.extract_lane(lane, 0));
  }
}

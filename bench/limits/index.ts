// The limits that the benchmarks compare with: what this machine gives to WebAssembly at best. Each in
// several forms, of which the fastest counts: engines differ in what they make of them.

/** Sum of the i32 at p … p + bytes by 16-byte loads, one stream. bytes a multiple of 64. */
export function readOneStream(p: usize, bytes: usize): i32 {
  return sumLanes(readTo(p, bytes, i32x4.splat(0)));
}

/** The same in two streams, first and second half, 2 KiB of each in turn. bytes a multiple of 4096. */
export function readTwoStreams(p: usize, bytes: usize): i32 {
  const half = bytes >> 1;
  let sum = i32x4.splat(0);
  for (const end = p + half; p < end; p += 2048) {
    sum = readTo(p, 2048, sum);
    sum = readTo(p + half, 2048, sum);
  }
  return sumLanes(sum);
}

// @ts-ignore: decorator
@inline
function readTo(p: usize, bytes: usize, start: v128): v128 {
  let sum0 = start, sum1 = i32x4.splat(0), sum2 = sum1, sum3 = sum1;
  for (const end = p + bytes; p < end; p += 64) {
    sum0 = i32x4.add(sum0, v128.load(p));
    sum1 = i32x4.add(sum1, v128.load(p, 16));
    sum2 = i32x4.add(sum2, v128.load(p, 32));
    sum3 = i32x4.add(sum3, v128.load(p, 48));
  }
  return i32x4.add(i32x4.add(sum0, sum1), i32x4.add(sum2, sum3));
}

// @ts-ignore: decorator
@inline
function sumLanes(v: v128): i32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) +
    i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}

// Multiply and add on vectors in registers, 8 operations on each of so many independent chains a step.
// A chain takes the latency of both, about 6 cycles, and two are begun a cycle: 12 chains hide it, more
// than 13 do not stay in registers. `factor` and `term` are arguments, so that engines keep them there.

export function multiplyAdd8(steps: usize, factor: f32, term: f32): f32 {
  const f = f32x4.splat(factor), t = f32x4.splat(term);
  let a = f, b = t, c = f, d = t, e = f, g = t, h = f, i = t;
  for (; steps > 0; steps--) {
    a = f32x4.add(f32x4.mul(a, f), t); b = f32x4.add(f32x4.mul(b, f), t);
    c = f32x4.add(f32x4.mul(c, f), t); d = f32x4.add(f32x4.mul(d, f), t);
    e = f32x4.add(f32x4.mul(e, f), t); g = f32x4.add(f32x4.mul(g, f), t);
    h = f32x4.add(f32x4.mul(h, f), t); i = f32x4.add(f32x4.mul(i, f), t);
  }
  return add8(a, b, c, d, e, g, h, i);
}

export function multiplyAdd12(steps: usize, factor: f32, term: f32): f32 {
  const f = f32x4.splat(factor), t = f32x4.splat(term);
  let a = f, b = t, c = f, d = t, e = f, g = t, h = f, i = t, j = f, k = t, l = f, m = t;
  for (; steps > 0; steps--) {
    a = f32x4.add(f32x4.mul(a, f), t); b = f32x4.add(f32x4.mul(b, f), t);
    c = f32x4.add(f32x4.mul(c, f), t); d = f32x4.add(f32x4.mul(d, f), t);
    e = f32x4.add(f32x4.mul(e, f), t); g = f32x4.add(f32x4.mul(g, f), t);
    h = f32x4.add(f32x4.mul(h, f), t); i = f32x4.add(f32x4.mul(i, f), t);
    j = f32x4.add(f32x4.mul(j, f), t); k = f32x4.add(f32x4.mul(k, f), t);
    l = f32x4.add(f32x4.mul(l, f), t); m = f32x4.add(f32x4.mul(m, f), t);
  }
  return add8(a, b, c, d, e, g, h, i) + add4(j, k, l, m);
}

export function multiplyAdd13(steps: usize, factor: f32, term: f32): f32 {
  const f = f32x4.splat(factor), t = f32x4.splat(term);
  let a = f, b = t, c = f, d = t, e = f, g = t, h = f, i = t, j = f, k = t, l = f, m = t, n = f;
  for (; steps > 0; steps--) {
    a = f32x4.add(f32x4.mul(a, f), t); b = f32x4.add(f32x4.mul(b, f), t);
    c = f32x4.add(f32x4.mul(c, f), t); d = f32x4.add(f32x4.mul(d, f), t);
    e = f32x4.add(f32x4.mul(e, f), t); g = f32x4.add(f32x4.mul(g, f), t);
    h = f32x4.add(f32x4.mul(h, f), t); i = f32x4.add(f32x4.mul(i, f), t);
    j = f32x4.add(f32x4.mul(j, f), t); k = f32x4.add(f32x4.mul(k, f), t);
    l = f32x4.add(f32x4.mul(l, f), t); m = f32x4.add(f32x4.mul(m, f), t);
    n = f32x4.add(f32x4.mul(n, f), t);
  }
  return add8(a, b, c, d, e, g, h, i) + add4(j, k, l, m) + f32x4.extract_lane(n, 0);
}

// @ts-ignore: decorator
@inline
function add4(a: v128, b: v128, c: v128, d: v128): f32 {
  const sum = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
  return f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 3);
}

// @ts-ignore: decorator
@inline
function add8(a: v128, b: v128, c: v128, d: v128, e: v128, f: v128, g: v128, h: v128): f32 {
  return add4(a, b, c, d) + add4(e, f, g, h);
}

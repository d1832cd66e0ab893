// The limits that the benchmarks compare with: what this machine gives to WebAssembly at best.

/** Sum of the i32 at p … p + bytes: a read of memory by 16-byte loads. bytes a multiple of 64. */
export function readMemory(p: usize, bytes: usize): i32 {
  let sum0 = i32x4.splat(0), sum1 = sum0, sum2 = sum0, sum3 = sum0;
  for (const end = p + bytes; p < end; p += 64) {
    sum0 = i32x4.add(sum0, v128.load(p));
    sum1 = i32x4.add(sum1, v128.load(p, 16));
    sum2 = i32x4.add(sum2, v128.load(p, 32));
    sum3 = i32x4.add(sum3, v128.load(p, 48));
  }
  const sum = i32x4.add(i32x4.add(sum0, sum1), i32x4.add(sum2, sum3));
  return i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1) +
    i32x4.extract_lane(sum, 2) + i32x4.extract_lane(sum, 3);
}

/**
 * `steps` rounds of 12 independent multiply-and-add on vectors in registers, 96 operations each.
 *
 * 12 chains hide the latency of both operations; more than 14 vectors would not stay in registers.
 */
export function multiplyAdd(steps: usize): f32 {
  const factor = f32x4.splat(0.999), term = f32x4.splat(0.001);
  let a = f32x4.splat(1), b = f32x4.splat(2), c = f32x4.splat(3), d = f32x4.splat(4);
  let e = f32x4.splat(5), f = f32x4.splat(6), g = f32x4.splat(7), h = f32x4.splat(8);
  let i4 = f32x4.splat(9), j = f32x4.splat(10), k = f32x4.splat(11), l = f32x4.splat(12);
  for (let i: usize = 0; i < steps; i++) {
    a = f32x4.add(f32x4.mul(a, factor), term); b = f32x4.add(f32x4.mul(b, factor), term);
    c = f32x4.add(f32x4.mul(c, factor), term); d = f32x4.add(f32x4.mul(d, factor), term);
    e = f32x4.add(f32x4.mul(e, factor), term); f = f32x4.add(f32x4.mul(f, factor), term);
    g = f32x4.add(f32x4.mul(g, factor), term); h = f32x4.add(f32x4.mul(h, factor), term);
    i4 = f32x4.add(f32x4.mul(i4, factor), term); j = f32x4.add(f32x4.mul(j, factor), term);
    k = f32x4.add(f32x4.mul(k, factor), term); l = f32x4.add(f32x4.mul(l, factor), term);
  }
  const low = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(e, f));
  const sum = f32x4.add(low, f32x4.add(f32x4.add(f32x4.add(g, h), f32x4.add(i4, j)), f32x4.add(k, l)));
  return f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 3);
}

// Rotary position embedding, in place, f32[M, H·D].
//
//   (a, b) ← (a·cos θ − b·sin θ, a·sin θ + b·cos θ)      θ = position · base^(−2i/D)
//
// The pair is (x[i], x[i + D/2]), "half" pairing as in GPT-NeoX and Hugging Face. Backward is the
// rotation by −θ. Cosines and sines come from a table, so that no position is ever computed twice.
//
// Bound   Reading and writing.
// Source  Su et al. 2021, RoFormer (arXiv 2104.09864).

/**
 * frequencies ← base^(−i/half), f64[half]: radians a position.
 *
 * @param base usually 10,000
 */
export function ropeFrequencies(frequencies: usize, half: usize, base: f64): void {
  for (let i: usize = 0; i < half; i++)
    store<f64>(frequencies + (i << 3), NativeMath.pow(base, -<f64>i / <f64>half));
}

/**
 * table ← scale · cos and sin for `positions` positions: f32[positions, 2, half].
 *
 * @param frequencies f64[half]
 * @param scale 1, or what long contexts are told by
 */
export function ropeTableF32(
  table: usize, positions: usize, half: usize, frequencies: usize, scale: f64,
): void {
  for (let p: usize = 0; p < positions; p++) {
    for (let i: usize = 0; i < half; i++, table += 4) {
      const angle = <f64>p * load<f64>(frequencies + (i << 3));
      store<f32>(table, <f32>(NativeMath.cos(angle) * scale));
      store<f32>(table + (half << 2), <f32>(NativeMath.sin(angle) * scale));
    }
    table += half << 2;
  }
}

/**
 * Rotates the heads of m rows in place.
 *
 * @param x f32[m, ·]: `heads` heads of 2·half values at the start of each row, rows `stride` floats
 * @param positions i32[m]: the position of each row, an index of the table
 * @param direction 1 forward, −1 backward
 */
export function ropeF32(
  x: usize, table: usize, positions: usize, m: usize, heads: usize, half: usize, stride: usize,
  direction: f32,
): void {
  for (let i: usize = 0; i < m; i++, x += stride << 2) {
    const cosines = table + ((<usize>load<i32>(positions + (i << 2)) * 2 * half) << 2);
    const sines = cosines + (half << 2);
    for (let h: usize = 0; h < heads; h++) {
      let a = x + ((h * 2 * half) << 2);
      let j: usize = 0;
      for (; j + 4 <= half; j += 4, a += 16) {
        const b = a + (half << 2);
        const cos = v128.load(cosines + (j << 2));
        const sin = f32x4.mul(v128.load(sines + (j << 2)), f32x4.splat(direction));
        const va = v128.load(a), vb = v128.load(b);
        v128.store(a, f32x4.sub(f32x4.mul(va, cos), f32x4.mul(vb, sin)));
        v128.store(b, f32x4.add(f32x4.mul(va, sin), f32x4.mul(vb, cos)));
      }
      for (; j < half; j++, a += 4) {
        const b = a + (half << 2);
        const cos = load<f32>(cosines + (j << 2)), sin = load<f32>(sines + (j << 2)) * direction;
        const va = load<f32>(a), vb = load<f32>(b);
        store<f32>(a, va * cos - vb * sin);
        store<f32>(b, va * sin + vb * cos);
      }
    }
  }
}

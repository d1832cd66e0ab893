// From the integers of a BitLinear product back to real numbers.
//
//   y[i, n] = acc[i, n] · (γ_i/Q · β_n)  +  η_i · (β_n · Σ_k W̃[n, k])
//
// β is given per output row, so one call serves a whole matrix, groups of rows with scales of
// their own, and several matrices laid one below the other. The second term exists only for
// shifted activations. With `accumulate` the result is added to y: groups along K add up so.
//
// Bound   Reading and writing: 8 bytes per value.
// Source  Wang et al. 2023, BitNet, Eq. 11, 15 (arXiv 2310.11453).

/**
 * @param acc i32[m, np], np a multiple of 4
 * @param xScale f32[m] γ/Q
 * @param shift f32[m] η, or 0 for none
 * @param wScale f32[n] β
 * @param wSums i32[n] Σ W̃ of each row; read only with `shift`
 * @param y f32[m, n]
 */
export function rescaleI32(
  acc: usize, xScale: usize, shift: usize, wScale: usize, wSums: usize, y: usize,
  m: usize, n: usize, np: usize, accumulate: bool,
): void {
  for (let i: usize = 0; i < m; i++) {
    const row = acc + ((i * np) << 2);
    const xs = load<f32>(xScale + (i << 2));
    const eta: f32 = shift ? load<f32>(shift + (i << 2)) : 0;
    const vxs = f32x4.splat(xs), veta = f32x4.splat(eta);
    let j: usize = 0;
    for (; j + 4 <= n; j += 4, y += 16) {
      const at = j << 2;
      const ws = v128.load(wScale + at);
      let value = f32x4.mul(f32x4.convert_i32x4_s(v128.load(row + at)), f32x4.mul(vxs, ws));
      if (shift) {
        const sums = f32x4.mul(ws, f32x4.convert_i32x4_s(v128.load(wSums + at)));
        value = f32x4.add(value, f32x4.mul(veta, sums));
      }
      if (accumulate) value = f32x4.add(value, v128.load(y));
      v128.store(y, value);
    }
    for (; j < n; j++, y += 4) {
      const at = j << 2;
      const ws = load<f32>(wScale + at);
      let value = <f32>load<i32>(row + at) * (xs * ws);
      if (shift) value += eta * (ws * <f32>load<i32>(wSums + at));
      if (accumulate) value += load<f32>(y);
      store<f32>(y, value);
    }
  }
}

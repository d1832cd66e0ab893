// Float products of one or a few tokens with a packed right side: Y = X · B, f32.
//
// Order   As `gemm-f32.ts`: every Y[i, j] is one running sum over k from 0, so the bits are those of
//         the product of many tokens.
// Layout  B in panels of 8 columns, f32[⌈N/8⌉, K, 8], from `packPanelsF32`.
// Tile    1 × 24: three panels at once, 6 accumulators. A sum can grow by one addition in the latency
//         of three or four cycles, so a single panel would leave the adders idle half of the time
//         and more. Four panels do not fit in 16 registers: V8 loads all vectors of a step first.
// Bound   Reading B: 4 bytes a multiply-add. B is read once, in three streams.
// Source  As `gemm-f32.ts`.

/** Columns of a panel. */
const PANEL: usize = 8;

/** Panels of a tile. */
const PANELS: usize = 3;

/** y[24] ← x · three panels, `panelBytes` apart. */
function tile1x24(x: usize, panel: usize, panelBytes: usize, y: usize): void {
  const panel1 = panel + panelBytes, panel2 = panel1 + panelBytes;
  let sum00 = f32x4.splat(0), sum01 = sum00, sum10 = sum00, sum11 = sum00;
  let sum20 = sum00, sum21 = sum00;
  for (let at: usize = 0; at < panelBytes; at += 32, x += 4) {
    const vx = v128.load32_splat(x);
    sum00 = f32x4.add(sum00, f32x4.mul(vx, v128.load(panel + at)));
    sum01 = f32x4.add(sum01, f32x4.mul(vx, v128.load(panel + at, 16)));
    sum10 = f32x4.add(sum10, f32x4.mul(vx, v128.load(panel1 + at)));
    sum11 = f32x4.add(sum11, f32x4.mul(vx, v128.load(panel1 + at, 16)));
    sum20 = f32x4.add(sum20, f32x4.mul(vx, v128.load(panel2 + at)));
    sum21 = f32x4.add(sum21, f32x4.mul(vx, v128.load(panel2 + at, 16)));
  }
  v128.store(y, sum00); v128.store(y, sum01, 16); v128.store(y, sum10, 32); v128.store(y, sum11, 48);
  v128.store(y, sum20, 64); v128.store(y, sum21, 80);
}

/** y[cols] ← x · one panel, cols ≤ 8. */
function tile1x8(x: usize, panel: usize, panelBytes: usize, y: usize, cols: usize): void {
  let sum0 = f32x4.splat(0), sum1 = sum0;
  for (const end = panel + panelBytes; panel < end; panel += 32, x += 4) {
    const vx = v128.load32_splat(x);
    sum0 = f32x4.add(sum0, f32x4.mul(vx, v128.load(panel)));
    sum1 = f32x4.add(sum1, f32x4.mul(vx, v128.load(panel, 16)));
  }
  if (cols >= 4) {
    v128.store(y, sum0);
    y += 16;
    cols -= 4;
    sum0 = sum1;
  }
  if (cols == 4) v128.store(y, sum0);
  else {
    if (cols > 0) v128.store32_lane(y, sum0, 0);
    if (cols > 1) v128.store32_lane(y, sum0, 1, 4);
    if (cols > 2) v128.store32_lane(y, sum0, 2, 8);
  }
}

/**
 * y ← x · B for n columns: all, or a run of them that begins at a panel.
 *
 * @param x f32[m, k]
 * @param panels of the first of the n columns
 * @param y f32[m, ·], rows `yStride` floats apart, at the first of the n columns
 */
export function gemvPanelsF32(
  x: usize, panels: usize, y: usize, m: usize, n: usize, k: usize, yStride: usize,
): void {
  const panelBytes = k << 5;
  for (let j: usize = 0; j < n; ) {
    const wide = j + PANELS * PANEL <= n, panel = panels + ((j * k) << 2);
    for (let i: usize = 0; i < m; i++) {
      const xi = x + ((i * k) << 2), yi = y + ((i * yStride + j) << 2);
      if (wide) tile1x24(xi, panel, panelBytes, yi);
      else tile1x8(xi, panel, panelBytes, yi, min(PANEL, n - j));
    }
    j += wide ? PANELS * PANEL : PANEL;
  }
}

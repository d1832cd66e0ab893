// Float products: C (+)= A · B with A and B in either orientation, f32.
//
// Order   Every C[i, j] is one running sum over k = 0, 1, …, K − 1, a product rounded and then an
//         addition rounded, starting from 0 or (with `accumulate`) from C. So the bits depend on
//         neither tile sizes nor M nor threads, and a row of a batch equals the row alone.
// Layout  An element of A is at a + i·rowStride + k·colStride, B's alike, strides in elements: so
//         A·B, A·Bᵀ and Aᵀ·B are one code. B is first packed into panels of 8 columns,
//         f32[⌈N/8⌉, K, 8], padded with 0; A goes through a packed block f32[rows/4, kBlock, 4].
// Tile    4 × 8: 8 accumulators, 2 vectors of B, 1 broadcast of A.
// Bound   16 multiplications and additions and 6 loads a step. A core that begins four vector operations a
//         cycle, loads among them (measured so on an EPYC, Zen 3), makes 64 / (22/4) = 11.6 of the 16 flops
//         a cycle that it makes without loads: 0.73 of the best loop in registers, which is what is
//         measured. Tried there: 5 × 8 gains 4 % alone and spills registers in its surroundings; 6 × 8,
//         4 × 12, two steps of k at once, and broadcasts by shuffle are slower.
// Source  Goto & van de Geijn 2008, Anatomy of High-Performance Matrix Multiplication.

/** Columns of a panel of B. */
const PANEL: usize = 8;

/** A block of a panel: 256 · 8 floats = 8 KiB, so it stays in L1 while rows of A pass. */
const K_BLOCK: usize = 256;

/** Rows of A packed at a time: 64 · 256 floats = 64 KiB, in L2. */
const M_BLOCK: usize = 64;

/** panels ← B f32[k, n] with the given strides, in panels of 8 columns. */
export function packPanelsF32(
  b: usize, rowStride: usize, colStride: usize, panels: usize, k: usize, n: usize,
): void {
  rowStride <<= 2;
  colStride <<= 2;
  for (let j: usize = 0; j < n; j += PANEL, b += colStride * PANEL) {
    const cols = min(PANEL, n - j);
    if (cols == PANEL && colStride == 4) panels = packAlongRows(b, rowStride, panels, k);
    else if (cols == PANEL && rowStride == 4) panels = packTransposed(b, colStride, panels, k);
    else {
      for (let p: usize = 0; p < k; p++, panels += PANEL << 2) {
        for (let c: usize = 0; c < PANEL; c++) {
          const value: f32 = c < cols ? load<f32>(b + p * rowStride + c * colStride) : 0;
          store<f32>(panels + (c << 2), value);
        }
      }
    }
  }
}

/** Eight neighbouring columns, k rows. */
function packAlongRows(b: usize, rowStride: usize, panels: usize, k: usize): usize {
  for (let p: usize = 0; p < k; p++, b += rowStride, panels += 32) {
    v128.store(panels, v128.load(b));
    v128.store(panels, v128.load(b, 16), 16);
  }
  return panels;
}

/** Eight columns whose k values are contiguous: two 4 × 4 transpositions a step. */
function packTransposed(b: usize, colStride: usize, panels: usize, k: usize): usize {
  let p: usize = 0;
  for (; p + 4 <= k; p += 4, b += 16, panels += 128) {
    transpose4(b, colStride, panels, 32);
    transpose4(b + (colStride << 2), colStride, panels + 16, 32);
  }
  for (; p < k; p++, b += 4) {
    for (let c: usize = 0; c < PANEL; c++, panels += 4) {
      store<f32>(panels, load<f32>(b + c * colStride));
    }
  }
  return panels;
}

/** Four rows of four floats, `from` bytes apart, written as columns `to` bytes apart. */
// @ts-ignore: decorator
@inline
function transpose4(src: usize, from: usize, dst: usize, to: usize): void {
  const r0 = v128.load(src), r1 = v128.load(src + from);
  const r2 = v128.load(src + from * 2), r3 = v128.load(src + from * 3);
  const a = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5), b = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5);
  const c = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7), d = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
  v128.store(dst, v128.shuffle<i64>(a, b, 0, 2));
  v128.store(dst + to, v128.shuffle<i64>(a, b, 1, 3));
  v128.store(dst + to * 2, v128.shuffle<i64>(c, d, 0, 2));
  v128.store(dst + to * 3, v128.shuffle<i64>(c, d, 1, 3));
}

/** packed ← A's rows in fours, f32[rows/4, k, 4]; rows a multiple of 4. */
function packBlockA(
  a: usize, rowStride: usize, colStride: usize, packed: usize, rows: usize, k: usize,
): void {
  let i: usize = 0;
  if (rowStride == 4) {
    // Neighbouring rows: all of a cache line at once, since its next rows would find it gone.
    for (const four = k << 4; i + 16 <= rows; i += 16, a += 64, packed += 3 * four) {
      for (let p: usize = 0, at = a; p < k; p++, at += colStride, packed += 16) {
        v128.store(packed, v128.load(at));
        v128.store(packed + four, v128.load(at, 16));
        v128.store(packed + 2 * four, v128.load(at, 32));
        v128.store(packed + 3 * four, v128.load(at, 48));
      }
    }
  }
  for (; i < rows; i += 4, a += rowStride << 2) {
    let at = a;
    let p: usize = 0;
    if (rowStride == 4) {
      for (; p < k; p++, at += colStride, packed += 16) v128.store(packed, v128.load(at));
      continue;
    }
    if (colStride == 4) {
      for (; p + 4 <= k; p += 4, at += 16, packed += 64) transpose4(at, rowStride, packed, 16);
    }
    for (; p < k; p++, at += colStride) {
      for (let r: usize = 0; r < 4; r++, packed += 4) store<f32>(packed, load<f32>(at + r * rowStride));
    }
  }
}

/** C[4, 8] ← (start ? C : 0) + A[4, k] · B[k, 8]; A packed in fours, rows of C `ldc` bytes apart. */
function tile4x8(a: usize, panel: usize, c0: usize, ldc: usize, k: usize, start: bool): void {
  const c1 = c0 + ldc, c2 = c1 + ldc, c3 = c2 + ldc;
  let sum00 = f32x4.splat(0), sum01 = sum00, sum10 = sum00, sum11 = sum00;
  let sum20 = sum00, sum21 = sum00, sum30 = sum00, sum31 = sum00;
  if (start) {
    sum00 = v128.load(c0); sum01 = v128.load(c0, 16);
    sum10 = v128.load(c1); sum11 = v128.load(c1, 16);
    sum20 = v128.load(c2); sum21 = v128.load(c2, 16);
    sum30 = v128.load(c3); sum31 = v128.load(c3, 16);
  }
  for (const end = a + (k << 4); a < end; a += 16, panel += 32) {
    const b0 = v128.load(panel), b1 = v128.load(panel, 16);
    let va = v128.load32_splat(a);
    sum00 = f32x4.add(sum00, f32x4.mul(va, b0)); sum01 = f32x4.add(sum01, f32x4.mul(va, b1));
    va = v128.load32_splat(a, 4);
    sum10 = f32x4.add(sum10, f32x4.mul(va, b0)); sum11 = f32x4.add(sum11, f32x4.mul(va, b1));
    va = v128.load32_splat(a, 8);
    sum20 = f32x4.add(sum20, f32x4.mul(va, b0)); sum21 = f32x4.add(sum21, f32x4.mul(va, b1));
    va = v128.load32_splat(a, 12);
    sum30 = f32x4.add(sum30, f32x4.mul(va, b0)); sum31 = f32x4.add(sum31, f32x4.mul(va, b1));
  }
  v128.store(c0, sum00); v128.store(c0, sum01, 16);
  v128.store(c1, sum10); v128.store(c1, sum11, 16);
  v128.store(c2, sum20); v128.store(c2, sum21, 16);
  v128.store(c3, sum30); v128.store(c3, sum31, 16);
}

/** C[1, 8], A not packed: k values `colStride` bytes apart. */
function tile1x8(
  a: usize, colStride: usize, panel: usize, c: usize, k: usize, start: bool,
): void {
  let sum0 = f32x4.splat(0), sum1 = sum0;
  if (start) {
    sum0 = v128.load(c);
    sum1 = v128.load(c, 16);
  }
  for (const end = panel + (k << 5); panel < end; panel += 32, a += colStride) {
    const va = v128.load32_splat(a);
    sum0 = f32x4.add(sum0, f32x4.mul(va, v128.load(panel)));
    sum1 = f32x4.add(sum1, f32x4.mul(va, v128.load(panel, 16)));
  }
  v128.store(c, sum0);
  v128.store(c, sum1, 16);
}

/** Copies a tile of `rows` × `cols` floats; row starts `from` and `to` bytes apart. */
function copyTile(
  src: usize, from: usize, dst: usize, to: usize, rows: usize, cols: usize,
): void {
  for (let r: usize = 0; r < rows; r++) memory.copy(dst + r * to, src + r * from, cols << 2);
}

/** One block of rows against all panels. `edge` is scratch for a tile at the ragged right edge. */
function rowBlock(
  a: usize, rowStride: usize, colStride: usize, panels: usize, c: usize, packed: usize, edge: usize,
  rows: usize, n: usize, k: usize, k0: usize, kBlock: usize, start: bool,
): void {
  const fours = rows & ~3, ldc = n << 2;
  packBlockA(a, rowStride, colStride, packed, fours, kBlock);
  for (let j: usize = 0; j < n; j += PANEL) {
    const panel = panels + ((j * k + k0 * PANEL) << 2);
    const cols = min(PANEL, n - j);
    for (let i: usize = 0; i < rows; ) {
      const tileRows: usize = i < fours ? 4 : 1;
      const out = c + i * ldc + (j << 2);
      const whole = cols == PANEL;
      if (!whole && start) copyTile(out, ldc, edge, 32, tileRows, cols);
      const to = whole ? out : edge;
      if (i < fours) tile4x8(packed + ((i * kBlock) << 2), panel, to, whole ? ldc : 32, kBlock, start);
      else tile1x8(a + i * rowStride, colStride, panel, to, kBlock, start);
      if (!whole) copyTile(edge, 32, out, ldc, tileRows, cols);
      i += tileRows;
    }
  }
}

/**
 * C ← A · B, or C + A · B with `accumulate`.
 *
 * @param a f32[m, k] with strides in elements
 * @param panels B, from `packPanelsF32`
 * @param c f32[m, n], row-major, disjoint from the others
 * @param scratch f32[M_BLOCK · K_BLOCK + 32], 16-byte aligned
 */
export function gemmPanelsF32(
  a: usize, rowStride: usize, colStride: usize, panels: usize, c: usize, scratch: usize,
  m: usize, n: usize, k: usize, accumulate: bool,
): void {
  rowStride <<= 2;
  colStride <<= 2;
  const edge = scratch + ((M_BLOCK * K_BLOCK) << 2);
  for (let k0: usize = 0; k0 < k; k0 += K_BLOCK) {
    const kBlock = min(K_BLOCK, k - k0);
    for (let i: usize = 0; i < m; i += M_BLOCK) {
      rowBlock(
        a + i * rowStride + k0 * colStride, rowStride, colStride, panels, c + ((i * n) << 2),
        scratch, edge, min(M_BLOCK, m - i), n, k, k0, kBlock, accumulate || k0 > 0);
    }
  }
}


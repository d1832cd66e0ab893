/**
 * A self-test of the kernels at start-up: engines have miscompiled SIMD shuffles, and a wrong product
 * would not crash but write nonsense.
 *
 * Each family of products computes a small case, which plain loops over the same codes compute too.
 * Integers must be equal, float products equal in bits. Takes well under 10 ms, once per engine. What
 * happens when a family fails is decided in `choose.ts`.
 * @module
 */
import { EngineError } from '../errors.ts';
import type { KernelExports } from './exports.ts';
import type { Heap } from './heap.ts';

/** Rows, columns and tokens of the case: more than one tile, more than one step of columns. */
const N = 48, K = 192, M = 3;
/** Bytes of a row of 1-bit and 2-bit weights, and of a row's plane. */
const B1_BYTES = 32, T2_BYTES = 48, PLANE_BYTES = K / 8;
/** Bytes of scratch that `tileB1` and `tileT2` need; products with a scale per block need less. */
const TILE_SCRATCH = 1024;
/** Columns of a block with scales of its own, and blocks. Activations' ½ and weights' 2 (f16) cancel. */
const PART = 48, PARTS = K / PART, X_SCALE = 0.5, W_SCALE = 0x4000;
/** The same in fixed point: all scales are 1, whose product rounds to 32,766, and what makes it 1 again. */
const ONE = 32_767, ONE_TIMES_ONE = 32_766, FIXED_FACTOR = Math.fround(32_768 / (ONE * ONE));

interface Bench {
  readonly kernels: KernelExports;
  readonly memory: WebAssembly.Memory;
  /** Room that is given back at the end. */
  alloc(bytes: number): number;
}

/** Kernels that are tested together. */
export type Family = 'lookup' | 'popcount' | 'float';

/** @throws {EngineError} SELFTEST_FAILED naming the kernel that gave a wrong result */
export function selfTest(
  kernels: KernelExports, memory: WebAssembly.Memory, heap: Heap,
  families: readonly Family[] = ['lookup', 'popcount', 'float'],
): void {
  const taken: number[] = [];
  const alloc = (bytes: number): number => {
    const ptr = heap.alloc(bytes);
    taken.push(ptr);
    return ptr;
  };
  const bench = { kernels, memory, alloc };
  try {
    const products = families.filter((family) => family !== 'float');
    if (products.length > 0) testBitProducts(bench, products);
    if (families.includes('float')) testFloatProduct(bench);
  } finally {
    for (const ptr of taken) heap.free(ptr);
  }
}

/** A fixed sequence of integers that look random, in 0 … 2^16 − 1. */
function* numbers(): Generator<number, never> {
  for (let state = 1; ; state = (Math.imul(state, 0x41c64e6d) + 12345) | 0)
    yield (state >>> 16) & 0xffff;
}

function check(kernel: string, found: ArrayLike<number>, expected: ArrayLike<number>): void {
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(found[i], expected[i])) continue;
    throw new EngineError('SELFTEST_FAILED',
      `self-test of ${kernel} failed: this runtime miscompiles WebAssembly SIMD; ` +
      'update it, or report it to its makers',
      { field: kernel, offset: i, expected: expected[i], actual: found[i] });
  }
}

/** A case: where its operands are, and what its products must be. */
interface Case {
  readonly codes: number;
  readonly sums: number;
  readonly y: number;
  /** f32[M, PARTS], i32[M, PARTS], f16[N, PARTS] */
  readonly xScales: number;
  readonly xSums: number;
  readonly scales: number;
  readonly scratch: number;
  /** i16[M, PARTS], f32[M], i16[N/16, PARTS/2, 16, 2], f32[N]: scales of 1 in fixed point. */
  readonly xi: number;
  readonly factors: number;
  readonly fixed: number;
  readonly ones: number;
  readonly b1: { readonly tiles: number; readonly expected: readonly number[] };
  readonly t2: { readonly tiles: number; readonly expected: readonly number[] };
}

/** ±1 and ternary products of i8 activations with extreme values. */
function testBitProducts(bench: Bench, families: readonly Family[]): void {
  const made = makeCase(bench);
  if (families.includes('lookup')) testLookup(bench, made);
  if (families.includes('popcount')) testPopcount(bench, made);
}

function makeCase({ kernels, memory, alloc }: Bench): Case {
  const source = numbers(), next = (below: number): number => source.next().value % below;
  const x = Int8Array.from({ length: M * K }, (_, i) => (i % 7 === 0 ? -128 : next(256) - 128));
  const b1 = Uint8Array.from({ length: N * K }, () => next(2));
  const t2 = Uint8Array.from({ length: N * K }, () => next(3));
  const [codes, sums, y, bits, scratch, tilesB1, tilesT2, xScales, xSums, scales] = [
    M * K, M * 4, M * N * 4, N * T2_BYTES, TILE_SCRATCH, N * K / 8, N * K / 4,
    M * PARTS * 4, M * PARTS * 4, N * PARTS * 2].map(alloc);
  const [xi, factors, fixed, ones] = [M * PARTS * 2, M * 4, N * PARTS * 2, N * 4].map(alloc);
  new Int16Array(memory.buffer, xi, M * PARTS).fill(ONE);
  new Float32Array(memory.buffer, factors, M).fill(1);
  new Int16Array(memory.buffer, fixed, N * PARTS).fill(ONE);
  new Float32Array(memory.buffer, ones, N).fill(1);
  new Int8Array(memory.buffer, codes, M * K).set(x);
  const sumsOf = (columns: number): number[] => Array.from({ length: M * K / columns }, (_, i) =>
    x.subarray(i * columns, (i + 1) * columns).reduce((sum, value) => sum + value, 0));
  new Int32Array(memory.buffer, sums, M).set(sumsOf(K));
  new Int32Array(memory.buffer, xSums, M * PARTS).set(sumsOf(PART));
  new Float32Array(memory.buffer, xScales, M * PARTS).fill(X_SCALE);
  new Uint16Array(memory.buffer, scales, N * PARTS).fill(W_SCALE);
  const expected = (weight: (index: number) => number): number[] =>
    Array.from({ length: M * N }, (_, i) => dot(x, Math.floor(i / N), i % N, weight));
  place(memory, bits, b1, 1, B1_BYTES);
  kernels.tileB1(bits, tilesB1, scratch, N, K, K, B1_BYTES, 16);
  place(memory, bits, t2, 2, T2_BYTES);
  kernels.tileT2(bits, tilesT2, scratch, N, K, K, T2_BYTES, 32);
  return {
    codes, sums, y, xScales, xSums, scales, scratch, xi, factors, fixed, ones,
    b1: { tiles: tilesB1, expected: expected((i) => 2 * b1[i] - 1) },
    t2: { tiles: tilesT2, expected: expected((i) => t2[i] - 1) },
  };
}

function testLookup({ kernels, memory, alloc }: Bench, made: Case): void {
  const { codes, sums, y, b1, t2 } = made, tables = alloc(M * K * 8);
  kernels.tablesI8(codes, tables, M, K);
  kernels.gemmLookupI8B1(tables, sums, b1.tiles, y, M, N, K);
  check('gemmLookupI8B1', new Int32Array(memory.buffer, y, M * N), b1.expected);
  kernels.gemmLookupI8T2(tables, sums, t2.tiles, y, M, N, K);
  check('gemmLookupI8T2', new Int32Array(memory.buffer, y, M * N), t2.expected);
  const { xScales, xSums, scales, scratch } = made;
  for (const [name, { tiles, expected }] of [
    ['gemmLookupBlockI8B1', b1], ['gemmLookupBlockI8T2', t2],
  ] as const) {
    kernels[name](tables, xScales, xSums, tiles, scales, y, scratch, M, N, K, PART, 1);
    check(name, new Float32Array(memory.buffer, y, M * N), expected);
  }
  const { xi, factors, fixed, ones } = made;
  for (const [name, { tiles, expected }] of [
    ['gemmLookupFixedI8B1', b1], ['gemmLookupFixedI8T2', t2],
  ] as const) {
    kernels[name](tables, xi, xSums, factors, tiles, fixed, ones, y, scratch, M, N, K, PART);
    check(name, new Float32Array(memory.buffer, y, M * N), inFixedPoint(expected));
  }
}

/** What products with scales of 1 in fixed point are. */
const inFixedPoint = (expected: readonly number[]): number[] =>
  expected.map((sum) => Math.fround(Math.fround(sum * ONE_TIMES_ONE) * FIXED_FACTOR));

function testPopcount({ kernels, memory, alloc }: Bench, made: Case): void {
  const { codes, sums, y, b1, t2 } = made, planes = alloc(M * 8 * PLANE_BYTES);
  kernels.planesI8(codes, planes, M, K, 8);
  kernels.gemmPopcountI8B1(planes, sums, b1.tiles, y, M, N, K, K, 8);
  check('gemmPopcountI8B1', new Int32Array(memory.buffer, y, M * N), b1.expected);
  kernels.gemmPopcountI8T2(planes, sums, t2.tiles, y, M, N, K, 8);
  check('gemmPopcountI8T2', new Int32Array(memory.buffer, y, M * N), t2.expected);
  const { xScales, xSums, scales, scratch } = made;
  for (const [{ tiles, expected }, width] of [[b1, 1], [t2, 2]] as const) {
    kernels.gemmPopcountBlockI8(
      planes, xScales, xSums, tiles, scales, y, scratch, M, N, K, PART, 1, 8, width);
    check('gemmPopcountBlockI8', new Float32Array(memory.buffer, y, M * N), expected);
    kernels.gemmPopcountFixedI8(
      planes, made.xi, xSums, made.factors, tiles, made.fixed, made.ones, y, scratch, M, N, K, PART, 8,
      width);
    check('gemmPopcountFixedI8', new Float32Array(memory.buffer, y, M * N), inFixedPoint(expected));
  }
}

/** Packs codes of `width` bits in rows of `rowBytes`, least significant bit first. */
function place(
  memory: WebAssembly.Memory, ptr: number, codes: Uint8Array, width: number, rowBytes: number,
): void {
  const bytes = new Uint8Array(memory.buffer, ptr, N * rowBytes).fill(0);
  codes.forEach((code, i) => {
    const bit = (i % K) * width;
    bytes[Math.floor(i / K) * rowBytes + (bit >> 3)] |= code << (bit & 7);
  });
}

function dot(
  x: Int8Array, token: number, row: number, weight: (index: number) => number,
): number {
  let sum = 0;
  for (let k = 0; k < K; k++) sum += x[token * K + k] * weight(row * K + k);
  return sum;
}

/** A float product with ragged edges: each element is one running sum, so bits are known. */
function testFloatProduct({ kernels, memory, alloc }: Bench): void {
  const source = numbers(), rows = 5, cols = 11, depth = 9;
  const random = (n: number): Float32Array =>
    Float32Array.from({ length: n }, () => source.next().value / 1000 - 30);
  const a = random(rows * depth), b = random(depth * cols);
  const [pa, pb, panels, c, scratch] =
    [a.byteLength, b.byteLength, 16 * depth * 4, rows * cols * 4, (64 * 256 + 32) * 4].map(alloc);
  new Float32Array(memory.buffer, pa, a.length).set(a);
  new Float32Array(memory.buffer, pb, b.length).set(b);
  kernels.packPanelsF32(pb, cols, 1, panels, depth, cols);
  kernels.gemmPanelsF32(pa, depth, 1, panels, c, scratch, rows, cols, depth, false);
  const expected = new Float32Array(rows * cols).map((_, i) => {
    let sum = 0;
    for (let k = 0; k < depth; k++) {
      const product = Math.fround(a[Math.floor(i / cols) * depth + k] * b[k * cols + (i % cols)]);
      sum = Math.fround(sum + product);
    }
    return sum;
  });
  check('gemmPanelsF32', new Float32Array(memory.buffer, c, expected.length), expected);
}

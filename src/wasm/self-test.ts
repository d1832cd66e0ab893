/**
 * A self-test of the kernels at start-up: engines have miscompiled SIMD shuffles, and a wrong product
 * would not crash but write nonsense.
 *
 * Each family of products computes a small case, which plain loops over the same codes compute too.
 * Integers must be equal, float products equal in bits. Takes well under 10 ms, once per engine.
 * @module
 */
import { EngineError } from '../errors.ts';
import type { KernelExports } from './exports.ts';
import type { Heap } from './heap.ts';

/** Rows, columns and tokens of the case: more than one tile, more than one step of columns. */
const N = 64, K = 48, M = 2;
const GROUPS = K / 4, VECTORS = 1, ROW_BYTES = 16;

interface Bench {
  readonly kernels: KernelExports;
  readonly memory: WebAssembly.Memory;
  /** Room that is given back at the end. */
  alloc(bytes: number): number;
}

/** @throws {EngineError} SELFTEST_FAILED naming the kernel that gave a wrong result */
export function selfTest(kernels: KernelExports, memory: WebAssembly.Memory, heap: Heap): void {
  const taken: number[] = [];
  const alloc = (bytes: number): number => {
    const ptr = heap.alloc(bytes);
    taken.push(ptr);
    return ptr;
  };
  const bench = { kernels, memory, alloc };
  try {
    testBitProducts(bench);
    testFloatProduct(bench);
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

/** ±1 and ternary products by lookup, ±1 by popcount, of i8 activations with extreme values. */
function testBitProducts({ kernels, memory, alloc }: Bench): void {
  const source = numbers(), next = (below: number): number => source.next().value % below;
  const x = Int8Array.from({ length: M * K }, (_, i) => (i % 7 === 0 ? -128 : next(256) - 128));
  const b1 = Uint8Array.from({ length: N * K }, () => next(2));
  const t2 = Uint8Array.from({ length: N * K }, () => next(3));
  const [codes, sums, tables, bits, tiles, y] =
    [M * K, M * 4, M * GROUPS * 32, N * ROW_BYTES, N * GROUPS * 2, M * N * 4].map(alloc);
  new Int8Array(memory.buffer, codes, M * K).set(x);
  new Int32Array(memory.buffer, sums, M).set(
    [0, 1].map((m) => x.subarray(m * K, (m + 1) * K).reduce((sum, value) => sum + value, 0)));
  const result = (): Int32Array => new Int32Array(memory.buffer, y, M * N);
  const expected = (weight: (index: number) => number): number[] =>
    Array.from({ length: M * N }, (_, i) => dot(x, Math.floor(i / N), i % N, weight));

  kernels.tablesI8(codes, tables, M, K);
  place(memory, bits, b1, 1);
  kernels.tileB1(bits, tiles, N, ROW_BYTES, GROUPS);
  kernels.gemmLookupI8B1(tables, sums, tiles, y, M, N, K);
  check('gemmLookupI8B1', result(), expected((i) => 2 * b1[i] - 1));

  const planes = alloc(M * 8 * ROW_BYTES);
  kernels.planesI8(codes, planes, M, K, K, VECTORS, 8);
  kernels.gemmPopcountI8B1(planes, sums, bits, y, M, N, K, VECTORS, 8);
  check('gemmPopcountI8B1', result(), expected((i) => 2 * b1[i] - 1));

  place(memory, bits, t2, 2);
  kernels.tileT2(bits, tiles, N, ROW_BYTES, GROUPS);
  kernels.gemmLookupI8T2(tables, sums, tiles, y, M, N, K);
  check('gemmLookupI8T2', result(), expected((i) => t2[i] - 1));
}

/** Packs codes of `width` bits, row by row, least significant bit first. */
function place(memory: WebAssembly.Memory, ptr: number, codes: Uint8Array, width: number): void {
  const bytes = new Uint8Array(memory.buffer, ptr, N * ROW_BYTES).fill(0);
  codes.forEach((code, i) => {
    const bit = (i % K) * width;
    bytes[Math.floor(i / K) * ROW_BYTES + (bit >> 3)] |= code << (bit & 7);
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

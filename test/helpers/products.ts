/**
 * The integer products from end to end: plain arrays in, what the kernels leave in memory out.
 *
 * Weights are packed, tiled and padded by the reference, so a failure is the product's own.
 * @module
 */
import type { BitKind } from '../../src/quant/layout.ts';
import { fileRowBytes, paddedCols, paddedRows, tileBytes } from '../../src/quant/layout.ts';
import type { BlockOperands } from '../../src/ref/bit-gemm.ts';
import { gemmI8 } from '../../src/ref/bit-gemm.ts';
import { packB1, packT2 } from '../../src/ref/pack.ts';
import { tileB1, tileT2 } from '../../src/ref/tile.ts';
import { isolated, place, readF32, readI32, room } from './kernels.ts';
import type { Build } from './kernels.ts';

/** A product x · Wᵀ of integers. */
export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** i8[m, k] */
  readonly x: Int8Array;
  /** i8[n, k] of −1, 0, +1. */
  readonly w: Int8Array;
}

/** i8[m, kp]: rows padded with 0. */
export function padCodes({ x, m, k }: Product, kp = paddedCols(k)): Int8Array {
  const codes = new Int8Array(m * kp);
  for (let i = 0; i < m; i++) codes.set(x.subarray(i * k, (i + 1) * k), i * kp);
  return codes;
}

/** i32[m]: Σ x of each row. */
const sumsOf = ({ x, m, k }: Product): Int32Array =>
  Int32Array.from({ length: m }, (_, i) =>
    x.subarray(i * k, (i + 1) * k).reduce((sum, code) => sum + code, 0));

/** Tiles of −1, 0, +1, `kp` columns wide. */
function tilesOf(kind: BitKind, { w, n, k }: Product, kp = paddedCols(k)): Uint8Array {
  const bytes = fileRowBytes(kind, k), floats = Float32Array.from(w);
  return kind === 'b1'
    ? tileB1(packB1(floats, 0, n, k, bytes), n, k, kp, bytes)
    : tileT2(packT2(floats, 1, n, k, bytes), n, k, kp, bytes);
}

/** i32[m, paddedRows(n)] by definition. A row with 0 bits is a row of weights −1. */
export function naive(product: Product): Int32Array {
  const { x, w, m, n, k } = product;
  const weights = new Int8Array(paddedRows(n) * k).fill(-1);
  weights.set(w);
  return gemmI8(x, weights, m, paddedRows(n), k, k);
}

/** i32[m, paddedRows(n)] by table lookup. */
export function lookup({ engine }: Build, kind: BitKind, product: Product): Int32Array {
  const { m, n, k } = product, { kernels } = engine;
  const kp = paddedCols(k), np = paddedRows(n), tiled = tilesOf(kind, product);
  if (tiled.length !== tileBytes(kind, n, k)) throw new Error('the tiles have the wrong size');
  return isolated(engine, () => {
    const q = place(engine, padCodes(product)), tables = room(engine, m * kp * 8);
    const sums = place(engine, sumsOf(product)), tiles = place(engine, tiled);
    const y = room(engine, m * np * 4);
    kernels.tablesI8(q, tables, m, kp);
    const run = kind === 'b1' ? kernels.gemmLookupI8B1 : kernels.gemmLookupI8T2;
    run(tables, sums, tiles, y, m, np, kp);
    return readI32(engine, y, m * np);
  });
}

/** i32[m, paddedRows(n)] by popcount; the codes must fit in `bits` bits, ±1 if it is 1. */
export function popcount(
  { engine }: Build, kind: BitKind, product: Product, bits: number,
): Int32Array {
  const { m, n, k } = product, { kernels } = engine;
  const kp = paddedCols(k), np = paddedRows(n);
  return isolated(engine, () => {
    const q = place(engine, padCodes(product)), planes = room(engine, (m * bits * kp) / 8);
    const sums = place(engine, sumsOf(product)), tiles = place(engine, tilesOf(kind, product));
    const y = room(engine, m * np * 4);
    kernels.planesI8(q, planes, m, kp, bits);
    if (kind === 'b1') kernels.gemmPopcountI8B1(planes, sums, tiles, y, m, np, k, kp, bits);
    else kernels.gemmPopcountI8T2(planes, sums, tiles, y, m, np, kp, bits);
    return readI32(engine, y, m * np);
  });
}

/** f16 bits of values that are f16 numbers: normal, or multiples of 2^−24 below 2^−14. */
const halves = (values: Float32Array): Uint16Array => Uint16Array.from(values, (value) => {
  const [bits] = new Uint32Array(Float32Array.of(value).buffer), sign = (bits >>> 16) & 0x8000;
  if (Math.abs(value) < 2 ** -14) return sign | (Math.abs(value) * 2 ** 24);
  return sign | ((((bits >>> 23) & 0xff) - 112) << 10) | ((bits >>> 13) & 0x3ff);
});

/** Scales f32[n, blocks] as f16[paddedRows(n)/16, blocks, 16]. */
export function tileScales(scales: Float32Array, n: number, blocks: number): Uint16Array {
  const tiled = new Uint16Array(paddedRows(n) * blocks), bits = halves(scales);
  for (let j = 0; j < n; j++)
    for (let b = 0; b < blocks; b++)
      tiled[((j >> 4) * blocks + b) * 16 + (j & 15)] = bits[j * blocks + b];
  return tiled;
}

/** How a product with a scale per block is computed: by lookup, or by popcount of so many bits. */
export type BlockVariant = 'lookup' | number;

/** f32[m, n] with a scale per block; all columns are whole blocks. */
export function blockProduct(
  { engine }: Build, kind: BitKind, variant: BlockVariant, operands: BlockOperands,
  m: number, n: number, kp: number,
): Float32Array {
  const { kernels } = engine, { q, weights, xScales, scales, part, parts } = operands;
  const np = paddedRows(n), product = { m, n, k: kp, x: q, w: weights };
  const xSums = Int32Array.from(xScales, (_, p) =>
    q.subarray(p * part, (p + 1) * part).reduce((sum, code) => sum + code, 0));
  const y = isolated(engine, () => {
    const [codes, sums, tiles] = [q, xSums, tilesOf(kind, product, kp)].map((a) => place(engine, a));
    const gammas = place(engine, xScales);
    const d = place(engine, tileScales(scales, n, kp / (part * parts)));
    const out = room(engine, m * np * 4), scratch = room(engine, 128);
    if (variant === 'lookup') {
      const tables = room(engine, m * kp * 8);
      kernels.tablesI8(codes, tables, m, kp);
      const run = kind === 'b1' ? kernels.gemmLookupBlockI8B1 : kernels.gemmLookupBlockI8T2;
      run(tables, gammas, sums, tiles, d, out, scratch, m, np, kp, part, parts);
    } else {
      const planes = room(engine, (m * variant * kp) / 8);
      kernels.planesI8(codes, planes, m, kp, variant);
      kernels.gemmPopcountBlockI8(
        planes, gammas, sums, tiles, d, out, scratch, m, np, kp, part, parts, variant,
        kind === 'b1' ? 1 : 2);
    }
    return readF32(engine, out, m * np);
  });
  return Float32Array.from({ length: m * n }, (_, i) => y[Math.floor(i / n) * np + (i % n)]);
}

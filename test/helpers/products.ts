/**
 * The integer products from end to end: plain arrays in, what the kernels leave in memory out.
 *
 * Weights are packed, tiled and padded by the reference, so a failure is the product's own.
 * @module
 */
import type { BitKind } from '../../src/quant/layout.ts';
import { paddedCols, paddedRows, rowBytes, tileBytes } from '../../src/quant/layout.ts';
import { gemmI8 } from '../../src/ref/bit-gemm.ts';
import { packB1, packT2 } from '../../src/ref/pack.ts';
import { tileB1, tileT2 } from '../../src/ref/tile.ts';
import { isolated, place, readI32, room } from './kernels.ts';
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

/** i8[m, paddedCols(k)]: rows padded with 0. */
export function padCodes({ x, m, k }: Product): Int8Array {
  const kp = paddedCols(k), codes = new Int8Array(m * kp);
  for (let i = 0; i < m; i++) codes.set(x.subarray(i * k, (i + 1) * k), i * kp);
  return codes;
}

/** i32[m]: Σ x of each row. */
const sumsOf = ({ x, m, k }: Product): Int32Array =>
  Int32Array.from({ length: m }, (_, i) =>
    x.subarray(i * k, (i + 1) * k).reduce((sum, code) => sum + code, 0));

/** Rows in memory of −1, 0, +1; rows up to whole tiles have 0 bits. */
function packRows(kind: BitKind, { w, n, k }: Product): Uint8Array {
  const bytes = rowBytes(kind, k), codes = new Uint8Array(paddedRows(n) * bytes);
  const floats = Float32Array.from(w);
  codes.set(kind === 'b1' ? packB1(floats, 0, n, k, bytes) : packT2(floats, 1, n, k, bytes));
  return codes;
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
  const kp = paddedCols(k), np = paddedRows(n), groups = kp / 4;
  const rows = packRows(kind, product);
  const tiled = kind === 'b1'
    ? tileB1(rows, n, rowBytes(kind, k), groups)
    : tileT2(rows, n, rowBytes(kind, k), groups);
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
export function popcount({ engine }: Build, product: Product, bits: number): Int32Array {
  const { m, n, k } = product, { kernels } = engine;
  const kp = paddedCols(k), np = paddedRows(n), kv = rowBytes('b1', k) / 16;
  return isolated(engine, () => {
    const q = place(engine, padCodes(product)), planes = room(engine, m * bits * kv * 16);
    const sums = place(engine, sumsOf(product)), rows = place(engine, packRows('b1', product));
    const y = room(engine, m * np * 4);
    kernels.planesI8(q, planes, m, k, kp, kv, bits);
    kernels.gemmPopcountI8B1(planes, sums, rows, y, m, np, k, kv, bits);
    return readI32(engine, y, m * np);
  });
}

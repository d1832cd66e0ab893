/**
 * Keys and values of earlier positions, as f32, f16 or i8, and attention over them.
 *
 *   f32   4 bytes a value; the bits of attention without a cache
 *   f16   2 bytes: rounded to the nearest half, relative error at most 2^−11 each; beyond 65,504 it
 *         is 65,536 of its sign
 *   i8    1 + 4/headDim bytes: codes −127 … 127 and one f32 scale, max |x| / 127, for a position and
 *         head; error at most half a scale each
 *
 * A position is rounded alone, when it is stored, so the bits of a sequence do not depend on how it
 * was cut into calls. Layout of a layer, heads first: T[kvHeads, capacity, headDim] and
 * f32[kvHeads, capacity] scales.
 * @module
 */
import type { Heads } from './attention-pieces.ts';
import { piecesOf } from './attention-pieces.ts';
import { scratchBytes } from './attention.ts';
import type { Compute, Matrix } from './matrix.ts';
import { checkShape, newMatrix } from './matrix.ts';

/** Element type of cached keys and values. */
export type KvCacheType = 'f32' | 'f16' | 'i8';

export const KV_CACHE_TYPES: readonly KvCacheType[] = ['f32', 'f16', 'i8'];

/** Bytes of a cached value, without scales. */
export const ELEMENT_BYTES: Readonly<Record<KvCacheType, number>> = { f32: 4, f16: 2, i8: 1 };

/** The keys and values of one layer. Addresses are byte offsets, 16-byte aligned. */
export interface KeyValues {
  readonly type: KvCacheType;
  /** Positions there is room for. */
  readonly capacity: number;
  readonly keys: number;
  readonly values: number;
  /** f32[kvHeads, capacity] for i8, else 0. */
  readonly keyScales: number;
  readonly valueScales: number;
}

/** Stores k and v f32[rows, kvHeads · headDim] at the positions from `position`. */
export function storeKeyValues(
  compute: Compute, cache: KeyValues, position: number, k: Matrix, v: Matrix, shape: Heads,
): void {
  checkShape('storeKeyValues', 'k', k, k.rows, shape.kvHeads * shape.headDim);
  checkShape('storeKeyValues', 'v', v, k.rows, k.cols);
  store(compute, cache, position, k, cache.keys, cache.keyScales, shape);
  store(compute, cache, position, v, cache.values, cache.valueScales, shape);
}

function store(
  { engine: { kernels }, workspace }: Compute, { type, capacity }: KeyValues, position: number,
  { ptr, rows, cols }: Matrix, to: number, toScales: number, { kvHeads, headDim }: Heads,
): void {
  const mark = workspace.mark(), bytes = ELEMENT_BYTES[type];
  const packed = type === 'f32' ? ptr : workspace.alloc(rows * cols * bytes);
  const scales = workspace.alloc(rows * kvHeads * 4), sums = workspace.alloc(rows * kvHeads * 4);
  if (type === 'f16') kernels.encodeF16(ptr, packed, rows * cols);
  if (type === 'i8')
    kernels.quantAbsmaxI8(ptr, packed, scales, sums, rows * kvHeads, headDim, headDim, 8);
  // Rows are copied as floats: headDim is a multiple of 4, so a row of codes is whole floats.
  const width = (headDim * bytes) / 4;
  for (let head = 0; head < kvHeads; head++) {
    const place = head * capacity + position;
    kernels.copyRowsF32(
      packed + head * width * 4, kvHeads * width, to + place * width * 4, width, rows, width);
    if (type === 'i8')
      kernels.copyRowsF32(scales + head * 4, kvHeads, toScales + place * 4, 1, rows, 1);
  }
  workspace.release(mark);
}

const KERNELS = { f32: 'attentionF32', f16: 'attentionF16', i8: 'attentionI8' } as const;

/** Attention of the queries of one sequence whose keys and values, old and new, are in a cache. */
export function attendCached(
  compute: Compute, q: Matrix, cache: KeyValues, offset: number, shape: Heads,
): Matrix {
  const { engine, workspace } = compute;
  const { type, capacity } = cache, { heads, headDim: d } = shape;
  checkShape('attendCached', 'q', q, q.rows, heads * d);
  const out = newMatrix(compute, q.rows, q.cols);
  const mark = workspace.mark();
  const work = { batch: 1, queries: q.rows, keys: offset + q.rows, splitQueries: true };
  const pieces = piecesOf(engine, work, shape);
  engine.each(KERNELS[type], pieces.length, (i) => {
    const { head, heads, kvHead, kvHeads, from, to } = pieces[i];
    const own = (from * q.cols + head * d) * 4, place = kvHead * capacity;
    const scales = [cache.keyScales + place * 4, cache.valueScales + place * 4];
    const bytes = place * d * ELEMENT_BYTES[type];
    const operands = [
      q.ptr + own, cache.keys + bytes, cache.values + bytes, ...(type === 'i8' ? scales : []),
      out.ptr + own, workspace.alloc(scratchBytes(to - from, offset + to, shape)), to - from,
      offset + from, heads, kvHeads, d, q.cols];
    return type === 'f32'
      ? [...operands, d, capacity * d, q.cols, 0] : [...operands, q.cols, capacity];
  });
  workspace.release(mark);
  return out;
}

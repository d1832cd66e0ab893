/**
 * Weights out of a file of a real model: beside floats, tables and bits, matrices with a scale per block of
 * columns, and matrices with one number beside them that their product is multiplied by.
 * @module
 */
import { RunWeights } from '../model/weights.ts';
import type { Stored } from '../model/weights.ts';
import type { BlockPart } from '../nn/block-linear.ts';
import { BlockLinear } from '../nn/block-linear.ts';
import type { Gathered } from '../nn/embedding.ts';
import type { Projection } from '../nn/projection.ts';
import { scaledProjection } from '../nn/scaled.ts';
import { freeBlockWeights, gatherBlocks, paddedTo } from '../ops/block-weights.ts';
import { paddedCols, paddedRows } from '../quant/layout.ts';

export class FileWeights extends RunWeights {
  readonly #blocks = new Map<string, BlockPart>();
  readonly #scales = new Map<string, number>();

  addBlocks(part: BlockPart): void {
    this.#blocks.set(part.name, part);
  }

  /** Products with the matrix `name` are multiplied by `scale`. */
  addScale(name: string, scale: number): void {
    this.#scales.set(name, scale);
  }

  /** Makes blocks that have one scale a matrix with one scale, in the same tiles; whether that could be. */
  unifyBlocks(name: string, scale: number): boolean {
    const { packed } = this.#blocks.get(name)!, { kind, rows, cols, block, tiles } = packed;
    if (paddedTo(cols, block) !== paddedCols(cols)) return false;
    for (const ptr of [packed.scales, packed.rowScales]) if (ptr) this.engine.heap.free(ptr);
    this.#blocks.delete(name);
    const np = paddedRows(rows), perRow = this.engine.heap.alloc(np * 4);
    this.engine.f32(perRow, np).fill(scale);
    this.addPart({ name, packed: { kind, rows, cols, codes: 0, tiles, scales: perRow, sums: 0 } });
    return true;
  }

  override stored(name: string): Stored {
    return this.#blocks.has(name) ? 'own' : super.stored(name);
  }

  projection(names: readonly string[]): Projection {
    return new BlockLinear(names.map((name) => this.#blocks.get(name)!));
  }

  gathered(name: string): Gathered | undefined {
    const packed = this.#blocks.get(name)?.packed;
    return packed && {
      cols: packed.cols, gather: (compute, ids, out) => gatherBlocks(compute, packed, ids, out) };
  }

  around(products: Projection, names: readonly string[]): Projection {
    const scales = names.map((name) => this.#scales.get(name) ?? 1);
    return scales.every((scale) => scale === 1) ? products : scaledProjection(products, scales);
  }

  override dispose(): void {
    super.dispose();
    for (const { packed } of this.#blocks.values()) freeBlockWeights(this.engine, packed);
    this.#blocks.clear();
  }
}

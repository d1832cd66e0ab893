/**
 * What the benchmarks have in common.
 * @module
 */
import type { Matrix } from '../src/ops/matrix.ts';
import type { Compute } from '../src/ops/matrix.ts';
import { Rng } from '../src/rng.ts';

export type Unit = 'Gmac/s' | 'GFLOPS' | 'tokens/s';

/** Something to time: `work` units of `unit` a run. */
export interface Case {
  /** Operand types, activations first: `i8 × b1`. */
  readonly kernel: string;
  readonly shape: string;
  /** Which of several ways to compute the same: `lookup`, `popcount`. */
  readonly variant: string;
  readonly unit: Unit;
  /** Multiply-adds, floating-point operations or tokens in one run. */
  readonly work: number;
  /** What the rate is compared with: multiply and add in registers, or a read of memory. */
  readonly limit?: 'mul+add' | 'read';
  /** Bytes of weights a run reads from memory, where `limit` is a read. */
  readonly bytes?: number;
  run(): void;
}

/** f32[rows, cols] on the heap, normal. */
export function randomMatrix({ engine }: Compute, rows: number, cols: number, seed: number): Matrix {
  const rng = new Rng(seed), ptr = engine.heap.alloc(rows * cols * 4);
  const view = engine.f32(ptr, rows * cols);
  for (let i = 0; i < view.length; i++) view[i] = rng.nextNormal();
  return { ptr, rows, cols };
}

export const emptyMatrix = ({ engine }: Compute, rows: number, cols: number): Matrix =>
  ({ ptr: engine.heap.alloc(rows * cols * 4), rows, cols });

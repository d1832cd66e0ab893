/**
 * What the benchmarks have in common.
 * @module
 */

/** Something to time: `work` units of `unit` a run. */
export interface Case {
  readonly name: string;
  readonly unit: 'Gmac/s' | 'GFLOPS' | 'tokens/s';
  /** Multiply-adds, floating-point operations or tokens in one run. */
  readonly work: number;
  run(): void;
}

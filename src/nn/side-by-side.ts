/**
 * Projections of one input that are stored in different ways, side by side: files keep some matrices in
 * more bits than others.
 * @module
 */
import type { Compute, Matrix } from '../ops/matrix.ts';
import type { Pass } from './pass.ts';
import type { Projection } from './projection.ts';

export class SideBySide implements Projection {
  readonly #projections: readonly Projection[];

  /** @param projections of one part each */
  constructor(projections: readonly Projection[]) {
    this.#projections = projections;
  }

  prepare(compute: Compute): void {
    for (const projection of this.#projections) projection.prepare(compute);
  }

  forward(x: Matrix, pass: Pass): Matrix[] {
    return this.#projections.flatMap((projection) => projection.forward(x, pass));
  }

  /** @throws {RangeError} Always: what is trained is stored in one way. */
  backward(): Matrix {
    throw new RangeError('backward: matrices stored in different ways are not trained');
  }

  dispose(): void {
    for (const projection of this.#projections) projection.dispose();
  }
}

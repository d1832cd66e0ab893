/**
 * A projection split along its input, as model parallelism splits it: every group normalizes and
 * quantizes its own columns with its own statistics, and the results are added.
 *
 *   y = Σ_g BitLinear_g(norm_g(x[:, columns of g]))
 *
 * So each group has its own α, β, γ and its own mean and variance, and nothing but the sum of the
 * results need travel between devices.
 * Source  Wang et al. 2023, BitNet, §2.2, Eq. 13–15 (arXiv 2310.11453).
 * @module
 */
import { add } from '../ops/activation.ts';
import { copyColumns, newMatrix } from '../ops/matrix.ts';
import type { Compute, Matrix } from '../ops/matrix.ts';
import type { Norm } from './norm.ts';
import type { Pass } from './pass.ts';
import type { Projection } from './projection.ts';

export interface Group {
  readonly norm: Norm;
  readonly projection: Projection;
}

export class GroupedProjection implements Projection {
  readonly groups: readonly Group[];

  constructor(groups: readonly Group[]) {
    this.groups = groups;
  }

  prepare(compute: Compute): void {
    for (const { projection } of this.groups) projection.prepare(compute);
  }

  forward(x: Matrix, pass: Pass): Matrix[] {
    const cols = x.cols / this.groups.length;
    let sum: Matrix | undefined;
    this.groups.forEach(({ norm, projection }, g) => {
      const own = newMatrix(pass, x.rows, cols);
      copyColumns(pass, x, g * cols, own, 0, cols);
      const [y] = projection.forward(norm.forward(own, pass), pass);
      sum = sum ? add(pass, sum, y, sum) : y;
    });
    return [sum!];
  }

  backward(dys: readonly Matrix[], pass: Pass): Matrix {
    const parts = this.groups.map(({ norm, projection }) =>
      norm.backward(projection.backward(dys, pass), pass));
    const cols = parts[0].cols;
    const dx = newMatrix(pass, dys[0].rows, cols * parts.length);
    parts.forEach((part, g) => copyColumns(pass, part, 0, dx, g * cols, cols));
    return dx;
  }

  dispose(): void {
    for (const { projection } of this.groups) projection.dispose();
  }
}

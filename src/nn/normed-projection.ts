/**
 * A projection with a norm behind each of its products, which brings the output, not the input, to
 * variance 1: an input that is quantized needs no particular size then.
 *
 *   y_p = norm_p(x · W_pᵀ)
 *
 * Source  Zhang et al. 2023, Binarized Neural Machine Translation (arXiv 2302.04907), and its code in
 *         init2winit. There the norms of query, key and value are by head, that of the up projection
 *         stands behind the non-linearity, and a shortcut goes around the output projection.
 * @module
 */
import type { Norm } from './norm.ts';
import type { Projection } from './projection.ts';

/**
 * @param projection is disposed with the result
 * @param norms one for each part
 */
export const normedProjection = (projection: Projection, norms: readonly Norm[]): Projection => ({
  prepare: (compute) => projection.prepare(compute),
  forward: (x, pass) => projection.forward(x, pass).map((y, p) => norms[p].forward(y, pass)),
  backward: (dys, pass) => projection.backward(dys.map((dy, p) => norms[p].backward(dy, pass)), pass),
  dispose: () => projection.dispose(),
});

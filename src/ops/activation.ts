/**
 * Non-linearities and element-wise sums and products.
 * @module
 */
import type { KernelExports } from '../wasm/exports.ts';
import type { Compute, Matrix } from './matrix.ts';
import { checkShape, newMatrix } from './matrix.ts';

/** Names as in a Hugging Face config: `gelu` is the tanh form, `relu2` is max(x, 0)². */
export type HiddenAct = 'gelu' | 'relu' | 'silu' | 'relu2';

type Forward = (kernels: KernelExports) => (x: number, y: number, n: number) => void;
type Backward = (kernels: KernelExports) => (dy: number, x: number, dx: number, n: number) => void;

const KERNELS: Readonly<Record<HiddenAct, { forward: Forward; backward: Backward }>> = {
  gelu: { forward: (k) => k.geluF32, backward: (k) => k.geluBackwardF32 },
  relu: { forward: (k) => k.reluF32, backward: (k) => k.reluBackwardF32 },
  silu: { forward: (k) => k.siluF32, backward: (k) => k.siluBackwardF32 },
  relu2: { forward: (k) => k.relu2F32, backward: (k) => k.relu2BackwardF32 },
};

/** act(x), in the workspace. */
export function activate(compute: Compute, act: HiddenAct, x: Matrix): Matrix {
  const y = newMatrix(compute, x.rows, x.cols);
  KERNELS[act].forward(compute.engine.kernels)(x.ptr, y.ptr, x.rows * x.cols);
  return y;
}

/** dy · act′(x), in the workspace. */
export function activateBackward(compute: Compute, act: HiddenAct, dy: Matrix, x: Matrix): Matrix {
  checkShape('activateBackward', 'dy', dy, x.rows, x.cols);
  const dx = newMatrix(compute, x.rows, x.cols);
  KERNELS[act].backward(compute.engine.kernels)(dy.ptr, x.ptr, dx.ptr, x.rows * x.cols);
  return dx;
}

/** a · b by element, into `out` or the workspace. */
export function multiply(compute: Compute, a: Matrix, b: Matrix, out?: Matrix): Matrix {
  checkShape('multiply', 'b', b, a.rows, a.cols);
  const y = out ?? newMatrix(compute, a.rows, a.cols);
  compute.engine.kernels.mulF32(a.ptr, b.ptr, y.ptr, a.rows * a.cols);
  return y;
}

/** a + b by element, into `out` or the workspace. */
export function add(compute: Compute, a: Matrix, b: Matrix, out?: Matrix): Matrix {
  checkShape('add', 'b', b, a.rows, a.cols);
  const y = out ?? newMatrix(compute, a.rows, a.cols);
  compute.engine.kernels.addF32(a.ptr, b.ptr, y.ptr, a.rows * a.cols);
  return y;
}

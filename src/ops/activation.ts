/**
 * Non-linearities and element-wise sums and products.
 * @module
 */
import type { Compute, Matrix } from './matrix.ts';
import { checkShape, newMatrix } from './matrix.ts';

/** Names as in a Hugging Face config: `gelu` is the tanh form, `relu2` is max(x, 0)². */
export type HiddenAct = 'gelu' | 'relu' | 'silu' | 'relu2';

/** Values that are worth a thread's while: about 10 µs of an exponential each. */
const GRAIN = 8192;

const KERNELS = {
  gelu: { forward: 'geluF32', backward: 'geluBackwardF32' },
  relu: { forward: 'reluF32', backward: 'reluBackwardF32' },
  silu: { forward: 'siluF32', backward: 'siluBackwardF32' },
  relu2: { forward: 'relu2F32', backward: 'relu2BackwardF32' },
} as const;

/** Gates in one pass. The others are made of two or three passes. */
const GATES = {
  silu: { forward: 'gateSiluF32', backward: 'gateSiluBackwardF32' },
  relu2: { forward: 'gateRelu2F32', backward: 'gateRelu2BackwardF32' },
} as const;

const isGate = (act: HiddenAct): act is keyof typeof GATES => act in GATES;

/** Runs an element-wise kernel over `n` values of each operand. */
function elementwise(
  { engine }: Compute, name: ElementwiseKernel, n: number, operands: readonly Matrix[],
): void {
  engine.split(name, n, 4, GRAIN, (from, to) =>
    [...operands.map(({ ptr }) => ptr + from * 4), to - from]);
}

type ElementwiseKernel = 'mulF32' | 'addF32' | (typeof KERNELS)[HiddenAct]['forward' | 'backward'] |
  (typeof GATES)[keyof typeof GATES]['forward' | 'backward'];

/** act(x), in the workspace. */
export function activate(compute: Compute, act: HiddenAct, x: Matrix): Matrix {
  const y = newMatrix(compute, x.rows, x.cols);
  elementwise(compute, KERNELS[act].forward, x.rows * x.cols, [x, y]);
  return y;
}

/** dy · act′(x), in the workspace. */
export function activateBackward(compute: Compute, act: HiddenAct, dy: Matrix, x: Matrix): Matrix {
  checkShape('activateBackward', 'dy', dy, x.rows, x.cols);
  const dx = newMatrix(compute, x.rows, x.cols);
  elementwise(compute, KERNELS[act].backward, x.rows * x.cols, [dy, x, dx]);
  return dx;
}

/** act(z) · u, in the workspace: SwiGLU with `silu`, ReLU²-GLU with `relu2`. */
export function gate(compute: Compute, act: HiddenAct, z: Matrix, u: Matrix): Matrix {
  checkShape('gate', 'u', u, z.rows, z.cols);
  if (!isGate(act)) {
    const a = activate(compute, act, z);
    return multiply(compute, a, u, a);
  }
  const h = newMatrix(compute, z.rows, z.cols);
  elementwise(compute, GATES[act].forward, z.rows * z.cols, [z, u, h]);
  return h;
}

/** dz = dh · u · act′(z) and du = dh · act(z), in the workspace. */
export function gateBackward(
  compute: Compute, act: HiddenAct, dh: Matrix, z: Matrix, u: Matrix,
): { dz: Matrix; du: Matrix } {
  checkShape('gateBackward', 'dh', dh, z.rows, z.cols);
  if (!isGate(act)) {
    const a = activate(compute, act, z), du = multiply(compute, dh, a, a);
    return { dz: activateBackward(compute, act, multiply(compute, dh, u), z), du };
  }
  const dz = newMatrix(compute, z.rows, z.cols), du = newMatrix(compute, z.rows, z.cols);
  elementwise(compute, GATES[act].backward, z.rows * z.cols, [dh, z, u, dz, du]);
  return { dz, du };
}

/** a · b by element, into `out` or the workspace. */
export function multiply(compute: Compute, a: Matrix, b: Matrix, out?: Matrix): Matrix {
  checkShape('multiply', 'b', b, a.rows, a.cols);
  const y = out ?? newMatrix(compute, a.rows, a.cols);
  elementwise(compute, 'mulF32', a.rows * a.cols, [a, b, y]);
  return y;
}

/** a + b by element, into `out` or the workspace. */
export function add(compute: Compute, a: Matrix, b: Matrix, out?: Matrix): Matrix {
  checkShape('add', 'b', b, a.rows, a.cols);
  const y = out ?? newMatrix(compute, a.rows, a.cols);
  elementwise(compute, 'addF32', a.rows * a.cols, [a, b, y]);
  return y;
}

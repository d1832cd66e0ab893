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

const KERNELS = { gelu: 'geluF32', relu: 'reluF32', silu: 'siluF32', relu2: 'relu2F32' } as const;

/** Value and slope in one pass. */
const SLOPES = {
  gelu: 'geluSlopeF32', relu: 'reluSlopeF32', silu: 'siluSlopeF32', relu2: 'relu2SlopeF32',
} as const;

/** Gates in one pass. The others are made of two. */
const GATES = { silu: 'gateSiluF32', relu2: 'gateRelu2F32' } as const;

const isGate = (act: HiddenAct): act is keyof typeof GATES => act in GATES;

/** Runs an element-wise kernel over `n` values of each operand. */
function elementwise(
  { engine }: Compute, name: ElementwiseKernel, n: number, operands: readonly Matrix[],
): void {
  engine.split(name, n, 4, GRAIN, (from, to) =>
    [...operands.map(({ ptr }) => ptr + from * 4), to - from]);
}

type ElementwiseKernel = 'mulF32' | 'addF32' | 'gateBackwardF32' | (typeof KERNELS)[HiddenAct] |
  (typeof SLOPES)[HiddenAct] | (typeof GATES)[keyof typeof GATES];

/** act(x), in the workspace. */
export function activate(compute: Compute, act: HiddenAct, x: Matrix): Matrix {
  const y = newMatrix(compute, x.rows, x.cols);
  elementwise(compute, KERNELS[act], x.rows * x.cols, [x, y]);
  return y;
}

/** act(x), in the workspace; x becomes act′(x), by which backward multiplies. */
export function activateWithSlope(compute: Compute, act: HiddenAct, x: Matrix): Matrix {
  const y = newMatrix(compute, x.rows, x.cols);
  elementwise(compute, SLOPES[act], x.rows * x.cols, [x, y]);
  return y;
}

/** act(z) · u, in the workspace: SwiGLU with `silu`, ReLU²-GLU with `relu2`. */
export function gate(compute: Compute, act: HiddenAct, z: Matrix, u: Matrix): Matrix {
  checkShape('gate', 'u', u, z.rows, z.cols);
  if (!isGate(act)) {
    const a = activate(compute, act, z);
    return multiply(compute, a, u, a);
  }
  const h = newMatrix(compute, z.rows, z.cols);
  elementwise(compute, GATES[act], z.rows * z.cols, [z, u, h]);
  return h;
}

/** Gradients of act(z) and u from that of their product: dz in place of `slope`, du in place of `a`. */
export function gateBackward(
  compute: Compute, dh: Matrix, u: Matrix, slope: Matrix, a: Matrix,
): { dz: Matrix; du: Matrix } {
  for (const matrix of [dh, slope, a]) checkShape('gateBackward', 'u', u, matrix.rows, matrix.cols);
  elementwise(compute, 'gateBackwardF32', u.rows * u.cols, [dh, u, slope, a]);
  return { dz: slope, du: a };
}

/** a · b by element, into `out` or the workspace. */
export function multiply(compute: Compute, a: Matrix, b: Matrix, out?: Matrix): Matrix {
  checkShape('multiply', 'b', b, a.rows, a.cols);
  const y = out ?? newMatrix(compute, a.rows, a.cols);
  elementwise(compute, 'mulF32', a.rows * a.cols, [a, b, y]);
  return y;
}

/** x ← factor · x, in place. */
export function scaleRows(compute: Compute, { ptr, rows, cols }: Matrix, factor: number): void {
  const { engine, workspace } = compute, mark = workspace.mark();
  const factors = workspace.alloc(cols * 4);
  engine.f32(factors, cols).fill(factor);
  for (let row = 0; row < rows; row++) {
    const at = ptr + row * cols * 4;
    engine.kernels.mulF32(at, factors, at, cols);
  }
  workspace.release(mark);
}

/** a + b by element, into `out` or the workspace. */
export function add(compute: Compute, a: Matrix, b: Matrix, out?: Matrix): Matrix {
  checkShape('add', 'b', b, a.rows, a.cols);
  const y = out ?? newMatrix(compute, a.rows, a.cols);
  elementwise(compute, 'addF32', a.rows * a.cols, [a, b, y]);
  return y;
}

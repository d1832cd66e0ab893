/**
 * What the layers of a float model see while it reads a text: the calibration of post-training
 * quantization. All through the model's own forward pass, so it runs on the kernels.
 *
 * A layer is what shares an input: query, key and value, or gate and up. The head stays as it is, as
 * the embeddings do, in every scheme: BitNet does not quantize them either.
 * @module
 */
import type { BitNet } from '../../model/bitnet.ts';
import { EMBEDDING, HEAD } from '../../model/tensors.ts';
import type { InputHook, Parameter } from '../../nn/pass.ts';
import { gemmTN } from '../../ops/gemm.ts';
import { viewOf } from '../../ops/matrix.ts';
import { columnMaxima } from './smooth.ts';
import type { Square } from './symmetric.ts';

/** Sequences of equal length, one after the other. */
export interface CalibrationText {
  /** u32[sequences · length] */
  readonly ids: Uint32Array;
  /** Tokens of a sequence, at most the model's context. */
  readonly length: number;
}

/** Matrices f32[·, cols] that share an input. */
export type FloatLayer = readonly Parameter[];

/** Sequences in a pass; speed only. */
const BATCH = 8;

/** Whether the hook was called by the output head. */
export const isHead = ([{ name }]: FloatLayer): boolean => name === HEAD || name === EMBEDDING;

/** Runs the model over the text; `hook` sees the inputs of every layer. The model's hook is replaced. */
function readText(model: BitNet, { ids, length }: CalibrationText, hook: InputHook): void {
  model.onInput((x, layer, pass) => (isHead(layer) ? x : hook(x, layer, pass)));
  try {
    for (let at = 0; at < ids.length; at += BATCH * length) {
      const part = ids.subarray(at, at + BATCH * length);
      model.losses(part, part, part.length / length);
    }
  } finally {
    model.onInput();
  }
}

/**
 * The layers of a model in the order of the forward pass, without the head.
 *
 * @throws {RangeError} If a layer of the model is packed: what has few bits is not quantized again.
 */
export function floatLayers(model: BitNet): FloatLayer[] {
  if (model.config.weights !== 'f32')
    throw new RangeError(
      `floatLayers: "model" expected float weights, got ${model.config.weights}`);
  const layers: FloatLayer[] = [];
  readText(model, { ids: Uint32Array.of(0), length: 1 }, (x, layer) => {
    layers.push(layer);
    return x;
  });
  return layers;
}

/** Largest |x_j| of every layer's inputs over the text, by the name of its first matrix. */
export function inputMaxima(model: BitNet, text: CalibrationText): Map<string, Float32Array> {
  const maxima = new Map<string, Float32Array>();
  readText(model, text, (x, [{ name }], pass) => {
    const seen = columnMaxima([viewOf(pass, x)], x.cols), before = maxima.get(name);
    maxima.set(name, before ? columnMaxima([before, seen], x.cols) : seen);
    return x;
  });
  return maxima;
}

/**
 * H = Σ x·xᵀ of one layer's inputs over the text. Summed in f32 by the kernels; what is added to its
 * diagonal later is far more than the rounding.
 */
export function inputHessian(model: BitNet, text: CalibrationText, layer: FloatLayer): Square {
  const { engine } = model, n = layer[0].value.cols;
  const sum = { ptr: engine.heap.alloc(n * n * 4), rows: n, cols: n };
  try {
    engine.f32(sum.ptr, n * n).fill(0);
    readText(model, text, (x, [{ name }], pass) => {
      if (name === layer[0].name) gemmTN(pass, x, x, sum, true);
      return x;
    });
    return symmetric(n, engine.f32(sum.ptr, n * n));
  } finally {
    engine.heap.free(sum.ptr);
  }
}

/** The lower triangle on both sides: x·xᵀ is symmetric, its sums in blocks need not be to the bit. */
function symmetric(n: number, sums: Float32Array): Square {
  const data = Float64Array.from(sums);
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) data[j * n + i] = data[i * n + j];
  return { n, data };
}

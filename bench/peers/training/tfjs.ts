/**
 * The lesson's network in TensorFlow.js on its WebAssembly backend, gradients by its tape, AdamW by its Adam
 * and a decay before it. In Node.js that backend has one thread: its workers are started from a Blob.
 *
 * It has no kernel for the gradient of a table look-up (UnsortedSegmentSum), so the embedding is a product
 * with one-hot rows: 13 of 1,900 million multiply-adds of a step.
 * @module
 */
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type { Lesson } from './lesson.ts';
import type { LessonFiles } from './serve.ts';
import { readLesson, serve } from './serve.ts';

interface Tensor {
  readonly shape: number[];
  dataSync(): Float32Array;
}

interface Variable extends Tensor {
  assign(value: Tensor): void;
}

type Operand = Tensor | number;

/** The part of its interface that is used here; the package is not installed with this repository. */
interface Library {
  readonly version_core: string;
  readonly train: { adam(rate: number, beta1: number, beta2: number, epsilon: number): {
    applyGradients(gradients: Record<string, Tensor>): void;
  } };
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tidy<R>(work: () => R): R;
  variable(initial: Tensor, trainable: boolean, name: string): Variable;
  variableGrads(loss: () => Tensor): { value: Tensor; grads: Record<string, Tensor> };
  customGrad(f: (x: Tensor, w: Tensor, save: (saved: Tensor[]) => void) => {
    value: Tensor; gradFunc: (dy: Tensor, saved: Tensor[]) => Tensor[];
  }): (x: Tensor, w: Tensor) => Tensor;
  tensor(values: Float32Array | Int32Array, shape: number[], type?: 'int32'): Tensor;
  oneHot(ids: Tensor, depth: number): Tensor;
  cast(x: Tensor, type: 'float32'): Tensor;
  matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
  add(a: Operand, b: Operand): Tensor;
  sub(a: Operand, b: Operand): Tensor;
  mul(a: Operand, b: Operand): Tensor;
  square(x: Tensor): Tensor;
  rsqrt(x: Tensor): Tensor;
  tanh(x: Tensor): Tensor;
  softmax(x: Tensor): Tensor;
  logSoftmax(x: Tensor): Tensor;
  mean(x: Tensor, axis: number, keepDims: boolean): Tensor;
  sum(x: Tensor): Tensor;
  reshape(x: Tensor, shape: number[]): Tensor;
  transpose(x: Tensor, order?: number[]): Tensor;
  concat(parts: Tensor[], axis: number): Tensor;
  split(x: Tensor, parts: number, axis: number): Tensor[];
}

const require = createRequire(resolve('bench/peers/package.json'));
const tf = require('@tensorflow/tfjs') as Library;
require('@tensorflow/tfjs-backend-wasm');

interface Block {
  readonly norm1: Tensor;
  readonly qkv: Tensor;
  readonly out: Tensor;
  readonly norm2: Tensor;
  readonly up: Tensor;
  readonly down: Tensor;
}

class Network {
  readonly matrices: Variable[] = [];
  readonly #lesson: Lesson;
  readonly #embedding: Tensor;
  readonly #positions: Tensor;
  readonly #head: Tensor;
  readonly #norm: Tensor;
  readonly #blocks: readonly Block[];
  readonly #future: Tensor;

  constructor(files: LessonFiles) {
    const { layers, context } = (this.#lesson = files.lesson);
    const of = (...names: string[]): Variable => this.#variable(files, names);
    this.#embedding = of('model.embed_tokens.weight');
    this.#positions = of('model.embed_positions.weight');
    this.#head = of('lm_head.weight');
    this.#norm = of('model.norm.weight');
    this.#blocks = Array.from({ length: layers }, (_, i) => {
      const name = (rest: string): string => `model.layers.${i}.${rest}.weight`;
      return {
        norm1: of(name('input_layernorm')),
        qkv: of(...['q', 'k', 'v'].map((part) => name(`self_attn.${part}_proj`))),
        out: of(name('self_attn.o_proj')), norm2: of(name('post_attention_layernorm')),
        up: of(name('mlp.up_proj')), down: of(name('mlp.down_proj')),
      };
    });
    const mask = Float32Array.from({ length: context * context }, (_, i) =>
      i % context > Math.floor(i / context) ? -1e9 : 0);
    this.#future = tf.tensor(mask, [context, context]);
  }

  /** Tensors one under the other, as one variable. */
  #variable(files: LessonFiles, names: readonly string[]): Variable {
    const parts = names.map((name) => files.tensor(name)), [{ rows, cols }] = parts;
    const tensors = parts.map(({ values }) => tf.tensor(values, rows === 1 ? [cols] : [rows, cols]));
    const own = tf.variable(tensors.length > 1 ? tf.concat(tensors, 0) : tensors[0], true, names[0]);
    if (rows > 1) this.matrices.push(own);
    return own;
  }

  loss(ids: Int32Array, targets: Int32Array): Tensor {
    const { batch, context, width, vocabSize } = this.#lesson, rows = batch * context;
    const hot = (list: Int32Array): Tensor =>
      tf.cast(tf.oneHot(tf.tensor(list, [rows], 'int32'), vocabSize), 'float32');
    const words = tf.reshape(tf.matMul(hot(ids), this.#embedding), [batch, context, width]);
    let x = tf.reshape(tf.add(words, this.#positions), [rows, width]);
    for (const block of this.#blocks) {
      x = tf.add(x, this.#attention(norm(x, block.norm1), block));
      const h = gelu(linear(norm(x, block.norm2), block.up));
      x = tf.add(x, linear(h, block.down));
    }
    const scores = tf.logSoftmax(linear(norm(x, this.#norm), this.#head));
    return tf.mul(tf.sum(tf.mul(scores, hot(targets))), -1 / rows);
  }

  #attention(x: Tensor, { qkv, out }: Block): Tensor {
    const { batch, context, width, heads } = this.#lesson, size = width / heads;
    const [q, k, v] = tf.split(linear(x, qkv), 3, 1).map((part) =>
      tf.transpose(tf.reshape(part, [batch, context, heads, size]), [0, 2, 1, 3]));
    const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(size));
    const o = tf.matMul(tf.softmax(tf.add(scores, this.#future)), v);
    return linear(tf.reshape(tf.transpose(o, [0, 2, 1, 3]), [batch * context, width]), out);
  }
}

/**
 * x · wᵀ with transposes of their own, in the gradient too: the backend has a fast product (XNNPACK) only
 * for two matrices as they are. Without this a step takes four times as long.
 */
const linear = tf.customGrad((x: Tensor, w: Tensor, save: (saved: Tensor[]) => void) => {
  save([x, w]);
  return {
    value: tf.matMul(x, tf.transpose(w)),
    gradFunc: (dy: Tensor, [ownX, ownW]: Tensor[]) =>
      [tf.matMul(dy, ownW), tf.matMul(tf.transpose(dy), ownX)],
  };
});

function norm(x: Tensor, gain: Tensor): Tensor {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-5));
  return tf.mul(tf.mul(centred, scale), gain);
}

function gelu(x: Tensor): Tensor {
  const cubic = tf.mul(tf.mul(tf.square(x), x), 0.044715);
  const t = tf.tanh(tf.mul(tf.add(x, cubic), Math.sqrt(2 / Math.PI)));
  return tf.mul(tf.mul(x, 0.5), tf.add(t, 1));
}

/** Gradients whose norm together is at most `limit`. */
function clipped(grads: Record<string, Tensor>, limit: number): Record<string, Tensor> {
  const squares = Object.values(grads).map((grad) => tf.sum(tf.square(grad)));
  const total = Math.sqrt(squares.reduce((sum, one) => sum + one.dataSync()[0], 0));
  if (total <= limit) return grads;
  return Object.fromEntries(
    Object.entries(grads).map(([name, grad]) => [name, tf.mul(grad, limit / total)]));
}

await serve(async ({ folder }) => {
  await tf.setBackend('wasm');
  await tf.ready();
  const files = readLesson(folder), network = new Network(files);
  const { learningRate, beta1, beta2, epsilon, weightDecay, clipNorm } = files.lesson;
  const adam = tf.train.adam(learningRate, beta1, beta2, epsilon);
  const step = (): number => tf.tidy(() => {
    const { ids, targets } = files.next();
    const { value, grads } = tf.variableGrads(() => network.loss(ids, targets));
    const keep = 1 - learningRate * weightDecay;
    for (const matrix of network.matrices) matrix.assign(tf.mul(matrix, keep));
    adam.applyGradients(clipped(grads, clipNorm));
    return value.dataSync()[0];
  });
  return { engine: `TensorFlow.js ${tf.version_core}, wasm backend`, step };
});

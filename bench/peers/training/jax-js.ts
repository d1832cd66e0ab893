/**
 * The lesson's network in jax-js on its WebAssembly backend: one compiled function (`jit`) of the whole step,
 * forward, gradients, clipping and AdamW. It needs Node.js 22 or later. More threads than one it has where
 * there is the web's `Worker`, so Node.js gets one here.
 *
 * The embedding is a product with one-hot rows: 13 of 1,900 million multiply-adds of a step.
 * @module
 */
import { resolveObjectURL } from 'node:buffer';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Lesson } from './lesson.ts';
import type { LessonFiles } from './serve.ts';
import { readLesson, serve } from './serve.ts';

/** Every use of an array takes it away; `ref` is one more use. */
interface Arr {
  readonly ref: Arr;
  readonly shape: number[];
  add(other: Arr | number): Arr;
  sub(other: Arr | number): Arr;
  mul(other: Arr | number): Arr;
  div(other: Arr | number): Arr;
  sum(): Arr;
  reshape(shape: number[]): Arr;
  data(): Promise<Float32Array>;
}

type Step = (
  state: State, ids: Arr, targets: Arr, correction1: Arr, correction2: Arr,
) => [State, Arr];

/** The part of its interface that is used here; the package is not installed with this repository. */
interface Library {
  init(device: string): Promise<string[]>;
  defaultDevice(device: string): void;
  jit<F>(f: F): F;
  valueAndGrad(f: (weights: Arr[], ids: Arr, targets: Arr) => Arr): (
    weights: Arr[], ids: Arr, targets: Arr) => [Arr, Arr[]];
  blockUntilReady(tree: unknown): Promise<unknown>;
  readonly numpy: {
    readonly int32: string;
    array(values: Float32Array | Int32Array, options?: { shape?: number[]; dtype?: string }): Arr;
    matmul(a: Arr, b: Arr): Arr;
    transpose(x: Arr): Arr;
    split(x: Arr, parts: number, axis: number): Arr[];
    zeros(shape: number[]): Arr;
    minimum(a: Arr | number, b: Arr | number): Arr;
    sqrt(x: Arr): Arr;
    square(x: Arr): Arr;
  };
  readonly nn: {
    oneHot(ids: Arr, classes: number): Arr;
    standardize(x: Arr): Arr;
    gelu(x: Arr): Arr;
    logSoftmax(x: Arr): Arr;
    dotProductAttention(q: Arr, k: Arr, v: Arr, options: { isCausal: boolean }): Arr;
  };
}

interface State {
  readonly weights: Arr[];
  readonly first: Arr[];
  readonly second: Arr[];
}

/**
 * The web's `Worker`, as much as jax-js needs: two of these make its pool, which in a page has as many as the
 * machine has cores.
 */
class WebWorker {
  onmessage?: (event: { data: unknown }) => void;
  readonly #worker: Promise<Worker>;

  constructor(url: string) {
    this.#worker = resolveObjectURL(url)!.text().then((source) => {
      const program = `const { parentPort } = require('node:worker_threads'), self = {};
        const postMessage = (message) => parentPort.postMessage(message);
        parentPort.on('message', (data) => self.onmessage({ data }));\n${source}`;
      const worker = new Worker(program, { eval: true });
      worker.on('message', (data: unknown) => this.onmessage?.({ data }));
      return worker;
    });
  }

  postMessage(message: unknown): void {
    void this.#worker.then((worker) => worker.postMessage(message));
  }
}

const ENTRY = resolve('bench/peers/node_modules/@jax-js/jax/dist/index.js');
let jax: Library, np: Library['numpy'], nn: Library['nn'];

/** Loads the library, with workers for more than one thread. */
async function load(threads: number): Promise<void> {
  if (threads > 1) Object.assign(globalThis, { Worker: WebWorker });
  jax = await import(pathToFileURL(ENTRY).href) as Library;
  ({ numpy: np, nn } = jax);
  await jax.init('wasm');
  jax.defaultDevice('wasm');
}

/** Tensors of a block, in order: norm, qkv, out, norm, up, down. */
const PER_BLOCK = 6;

const linear = (x: Arr, w: Arr): Arr => np.matmul(x, np.transpose(w));
const norm = (x: Arr, gain: Arr): Arr => nn.standardize(x).mul(gain);

/** Embedding, positions, head, last norm, then the blocks'. */
function weightsOf(files: LessonFiles): Arr[] {
  const of = (...names: string[]): Arr => {
    const parts = names.map((name) => files.tensor(name)), [{ rows, cols }] = parts;
    const values = Float32Array.from(parts.flatMap((part) => [...part.values]));
    return np.array(values, { shape: rows === 1 ? [cols] : [rows * parts.length, cols] });
  };
  const blocks = Array.from({ length: files.lesson.layers }, (_, i) => {
    const name = (rest: string): string => `model.layers.${i}.${rest}.weight`;
    return [
      of(name('input_layernorm')), of(...['q', 'k', 'v'].map((part) => name(`self_attn.${part}_proj`))),
      of(name('self_attn.o_proj')), of(name('post_attention_layernorm')),
      of(name('mlp.up_proj')), of(name('mlp.down_proj')),
    ];
  });
  return [
    of('model.embed_tokens.weight'), of('model.embed_positions.weight'), of('lm_head.weight'),
    of('model.norm.weight'), ...blocks.flat(),
  ];
}

function lossOf(
  { batch, context, width, heads, vocabSize }: Lesson, weights: Arr[], ids: Arr, targets: Arr,
): Arr {
  const rows = batch * context, shape = [batch, context, heads, width / heads];
  const [embedding, positions, head, lastNorm, ...rest] = weights;
  const words = np.matmul(nn.oneHot(ids, vocabSize), embedding);
  let x = words.reshape([batch, context, width]).add(positions).reshape([rows, width]);
  for (let i = 0; i < rest.length; i += PER_BLOCK) {
    const [norm1, qkv, out, norm2, up, down] = rest.slice(i, i + PER_BLOCK);
    const [q, k, v] = np.split(linear(norm(x.ref, norm1), qkv), 3, 1).map((part) => part.reshape(shape));
    const o = nn.dotProductAttention(q, k, v, { isCausal: true }).reshape([rows, width]);
    x = x.add(linear(o, out));
    x = x.ref.add(linear(nn.gelu(linear(norm(x, norm2), up)), down));
  }
  const scores = nn.logSoftmax(linear(norm(x, lastNorm), head));
  return scores.mul(nn.oneHot(targets, vocabSize)).sum().mul(-1 / rows);
}

/** The whole step. `correction1` and `2` are 1 − β^step. */
function stepOf(lesson: Lesson): Step {
  const { beta1, beta2, epsilon, learningRate, weightDecay, clipNorm } = lesson;
  const lossAndGradients = jax.valueAndGrad((weights, ids, targets) =>
    lossOf(lesson, weights, ids, targets));
  return ({ weights, first, second }, ids, targets, correction1, correction2) => {
    const [loss, grads] = lossAndGradients(weights.map((one) => one.ref), ids, targets);
    const squares = grads.map((grad) => np.square(grad.ref).sum());
    const total = np.sqrt(squares.reduce((a, b) => a.add(b)));
    const scale = np.minimum(np.array(Float32Array.of(clipNorm)).reshape([]).div(total), 1);
    const next: State = { weights: [], first: [], second: [] };
    weights.forEach((w, i) => {
      const g = grads[i].mul(scale.ref);
      const m = first[i].mul(beta1).add(g.ref.mul(1 - beta1));
      const v = second[i].mul(beta2).add(np.square(g).mul(1 - beta2));
      const root = np.sqrt(v.ref.div(correction2.ref)).add(epsilon);
      const change = m.ref.div(correction1.ref).div(root).mul(learningRate);
      const decay = w.shape.length > 1 ? weightDecay : 0;
      next.weights.push(w.mul(1 - learningRate * decay).sub(change));
      next.first.push(m);
      next.second.push(v);
    });
    return [next, loss];
  };
}

const zerosLike = (arrays: readonly Arr[]): Arr[] => arrays.map(({ shape }) => np.zeros(shape));

await serve(async ({ folder, threads }) => {
  await load(threads);
  const files = readLesson(folder), weights = weightsOf(files);
  const compiled = jax.jit(stepOf(files.lesson)), { beta1, beta2, batch, context } = files.lesson;
  let state: State = { weights, first: zerosLike(weights), second: zerosLike(weights) };
  let power1 = 1, power2 = 1;
  const step = async (): Promise<number> => {
    const { ids, targets } = files.next(), shape = [batch * context];
    const scalar = (value: number): Arr => np.array(Float32Array.of(value)).reshape([]);
    const place = (list: Int32Array): Arr => np.array(list, { shape, dtype: np.int32 });
    const [next, loss] = compiled(
      state, place(ids), place(targets),
      scalar(1 - (power1 *= beta1)), scalar(1 - (power2 *= beta2)));
    state = next;
    const [value] = await loss.data();
    await jax.blockUntilReady([...state.weights, ...state.first, ...state.second]);
    return value;
  };
  return { engine: 'jax-js 0.1.25, wasm backend', step };
});

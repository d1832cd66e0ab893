/**
 * The transformer, top to bottom: one forward for training, evaluation and generation.
 *
 *   ids ─▶ embedding ─▶ block × L ─▶ norm ─▶ head ─▶ logits f32[M, V]
 *
 * What is trained is, bit for bit, what is served: a token's logits depend on the tokens before it
 * and on the weights, not on the batch, the cache, or how the sequence was cut into calls.
 * @module
 */
import { checkInteger, checkOneOf } from '../check.ts';
import { EngineError, TokenizerError } from '../errors.ts';
import type { InputHook, Pass } from '../nn/pass.ts';
import type { KvCacheType } from '../ops/cached-attention.ts';
import { KV_CACHE_TYPES } from '../ops/cached-attention.ts';
import type { Compute, Matrix } from '../ops/matrix.ts';
import { rowsOf, viewOf } from '../ops/matrix.ts';
import { crossEntropy } from '../ops/loss.ts';
import type { Engine } from '../wasm/engine.ts';
import { Workspace } from '../wasm/workspace.ts';
import type { Layers } from './build.ts';
import { buildLayers } from './build.ts';
import type { BitNetConfig } from './config.ts';
import { KvCache } from './kv-cache.ts';
import type { ModelWeights } from './weights.ts';

/** How a sequence is read. */
export interface ReadOptions {
  /** Continues the sequence that is in it, and stores the new tokens. */
  cache?: KvCache;
  /** Only what is after the last token. */
  last?: boolean;
}

export class BitNet implements Compute {
  readonly config: BitNetConfig;
  readonly engine: Engine;
  readonly weights: ModelWeights;
  readonly workspace: Workspace;
  readonly #layers: Layers;
  #onInput?: InputHook;
  #stale = true;
  #open = true;

  constructor(config: BitNetConfig, weights: ModelWeights) {
    this.config = config;
    this.weights = weights;
    this.engine = weights.engine;
    this.workspace = new Workspace(weights.engine.heap);
    this.#layers = buildLayers(config, weights);
  }

  /** To be called after the float weights have changed: bits and panels are renewed before use. */
  invalidate(): void {
    this.#stale = true;
  }

  /**
   * From now on `hook` sees the input of every float projection, the head's too, and says what the
   * product reads in its place: how inputs are measured, or quantized as another scheme would.
   * Training passes do not call it. Without a hook all is as before.
   */
  onInput(hook?: InputHook): void {
    this.#onInput = hook;
  }

  /** Brings bits and panels up to date with the float weights, if they have changed. */
  prepare(): void {
    this.#run(() => undefined);
  }

  /**
   * A cache for one sequence of at most `capacity` tokens.
   *
   * @param type element type of keys and values. f32 gives the bits of a pass without a cache; f16
   *   takes half its memory, i8 a quarter and 4/headDim bytes a value. What they change, as root
   *   mean square of the differences of logits relative to the deviation of the logits (a small
   *   model after 60 steps): f16 0.1 % or less (0.002 % with float weights), i8 0.4 % or less
   *   (0.05 %). Where activations are quantized a small difference can flip a code: hence the gap.
   */
  createCache(
    capacity: number = this.config.maxPositionEmbeddings, type: KvCacheType = 'f32',
  ): KvCache {
    checkInteger('createCache', 'capacity', capacity, 1, this.config.maxPositionEmbeddings);
    checkOneOf('createCache', 'type', type, KV_CACHE_TYPES);
    return new KvCache(this.engine, this.config, capacity, type);
  }

  /**
   * Logits of a sequence.
   *
   * @param ids tokens, at least one
   * @param options.cache continues the sequence that is in it, and stores the new tokens
   * @param options.last only the logits of the last token
   * @returns f32[ids.length, V], or f32[V] with `last`: a copy
   * @throws {TokenizerError} BAD_TOKEN_ID
   * @throws {EngineError} CONTEXT_TOO_LARGE; CLOSED
   */
  logits(ids: ArrayLike<number>, options: ReadOptions = {}): Float32Array {
    return this.#read('logits', ids, options, (x, pass) => this.#layers.head.forward(x, pass)[0]);
  }

  /** What the head reads: hidden states after the last norm, f32[ids.length, C]; else as `logits`. */
  hidden(ids: ArrayLike<number>, options: ReadOptions = {}): Float32Array {
    return this.#read('hidden', ids, options, (x) => x);
  }

  /**
   * Cross-entropy in nats of each target.
   *
   * @param ids tokens of `batch` sequences of equal length, one after the other
   * @param targets the token that follows each; −1 is left out (loss 0)
   * @returns f32[ids.length]
   */
  losses(ids: ArrayLike<number>, targets: ArrayLike<number>, batch: number): Float32Array {
    return this.#run(() => {
      const { logits, at } = this.#forward(ids, targets, batch, false);
      return crossEntropy(this, logits, at);
    });
  }

  /**
   * Losses as `losses`, and gradScale · gradient added to the gradients of all parameters.
   *
   * @param gradScale 1 / (number of targets that are averaged)
   */
  lossesAndGradients(
    ids: ArrayLike<number>, targets: ArrayLike<number>, batch: number, gradScale: number,
  ): Float32Array {
    return this.#run(() => {
      const { logits, at, pass } = this.#forward(ids, targets, batch, true);
      const losses = crossEntropy(this, logits, at, gradScale);
      this.#backward(logits, pass);
      return losses;
    });
  }

  /** Gives the model's memory back to the engine, zeroed. A second call does nothing. */
  dispose(): void {
    if (!this.#open) return;
    this.#open = false;
    const { projections, ropeTable } = this.#layers;
    for (const projection of projections) projection.dispose();
    if (ropeTable) this.engine.heap.free(ropeTable);
    this.workspace.dispose();
    this.weights.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #run<R>(work: () => R): R {
    if (!this.#open) throw new EngineError('CLOSED', 'the model is closed');
    return this.engine.run(() => {
      this.workspace.reset();
      if (this.#stale) for (const projection of this.#layers.projections) projection.prepare(this);
      this.#stale = false;
      return work();
    });
  }

  /** A copy of what `output` makes of the hidden states. */
  #read(
    fn: string, ids: ArrayLike<number>, { cache, last = false }: ReadOptions,
    output: (x: Matrix, pass: Pass) => Matrix,
  ): Float32Array {
    checkInteger(fn, 'ids.length', ids.length, 1);
    if (cache && !cache.fits(this.engine, this.config))
      throw new RangeError(`${fn}: "cache" expected one that this model created`);
    return this.#run(() => {
      const room = cache?.capacity ?? this.config.maxPositionEmbeddings;
      checkContext((cache?.length ?? 0) + ids.length, room);
      const pass = this.#pass(ids.length, 1, false, cache);
      const x = this.#hidden(this.#place(ids), ids.length, pass);
      const out = output(this.#normed(last ? rowsOf(x, x.rows - 1, x.rows) : x, pass), pass);
      cache?.advance(ids.length);
      return viewOf(this, out).slice();
    });
  }

  #forward(
    ids: ArrayLike<number>, targets: ArrayLike<number>, batch: number, training: boolean,
  ): { logits: Matrix; at: number; pass: Pass } {
    checkBatch(ids, targets, batch);
    checkContext(ids.length / batch, this.config.maxPositionEmbeddings);
    const pass = this.#pass(ids.length, batch, training);
    const at = this.#place(targets, -1);
    const x = this.#normed(this.#hidden(this.#place(ids), ids.length, pass), pass);
    const logits = this.#layers.head.forward(x, pass)[0];
    return { logits, at, pass };
  }

  #pass(rows: number, batch: number, training: boolean, cache?: KvCache): Pass {
    const { engine, workspace } = this;
    const positions = workspace.alloc(rows * 4);
    const view = engine.i32(positions, rows), length = rows / batch, offset = cache?.length ?? 0;
    for (let i = 0; i < rows; i++) view[i] = offset + (i % length);
    const onInput = training ? undefined : this.#onInput;
    return { engine, workspace, batch, positions, training, cache, onInput };
  }

  /** Copies ids into linear memory, each checked. */
  #place(ids: ArrayLike<number>, min = 0): number {
    const { vocabSize } = this.config;
    const ptr = this.workspace.alloc(ids.length * 4);
    const view = this.engine.i32(ptr, ids.length);
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i];
      if (!(Number.isInteger(id) && id >= min && id < vocabSize))
        throw new TokenizerError('BAD_TOKEN_ID',
          `token ${i} expected an id from ${min} to ${vocabSize - 1}, got ${id}`,
          { offset: i, expected: vocabSize, actual: id });
      view[i] = id;
    }
    return ptr;
  }

  #hidden(ids: number, rows: number, pass: Pass): Matrix {
    let x = this.#layers.embedding.forward(ids, rows, pass);
    for (const block of this.#layers.blocks) x = block.forward(x, pass);
    return x;
  }

  #normed(x: Matrix, pass: Pass): Matrix {
    return this.#layers.finalNorm.forward(x, pass);
  }

  #backward(dLogits: Matrix, pass: Pass): void {
    const { embedding, blocks, finalNorm, head } = this.#layers;
    let dx = finalNorm.backward(head.backward([dLogits], pass), pass);
    for (const block of blocks.toReversed()) dx = block.backward(dx, pass);
    embedding.backward(dx, pass);
  }
}

function checkContext(tokens: number, limit: number): void {
  if (tokens > limit)
    throw new EngineError('CONTEXT_TOO_LARGE',
      `the sequence has ${tokens} tokens, the context has room for ${limit}`,
      { expected: limit, actual: tokens });
}

function checkBatch(ids: ArrayLike<number>, targets: ArrayLike<number>, batch: number): void {
  checkInteger('losses', 'batch', batch, 1);
  if (ids.length === 0 || ids.length % batch !== 0)
    throw new RangeError(`losses: "ids" expected a multiple of ${batch} tokens, got ${ids.length}`);
  if (targets.length !== ids.length)
    throw new RangeError(`losses: "targets" expected ${ids.length} tokens, got ${targets.length}`);
}

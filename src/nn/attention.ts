/**
 * Multi-head causal self-attention, with rotary positions and grouped queries where configured.
 *
 *   q, k, v = qkv(x)      o = softmax(q·kᵀ/√D, causal)·v      y = out(subNorm(o))
 *
 * Where the model has norms of query and key, q ← norm(q) and k ← norm(k), head by head, come first.
 *
 * With a cache, the new keys and values are stored behind the old ones first, and the same kernel
 * reads them there: a token's bits do not depend on how the sequence was cut into calls.
 * @module
 */
import type { Heads } from '../ops/attention-pieces.ts';
import { attend, attendBackward } from '../ops/attention.ts';
import { attendCached, storeKeyValues } from '../ops/cached-attention.ts';
import type { Matrix } from '../ops/matrix.ts';
import { rotate } from '../ops/rope.ts';
import type { Norm } from './norm.ts';
import type { Pass } from './pass.ts';
import { savedBy } from './pass.ts';
import type { Projection } from './projection.ts';

export interface AttentionParts {
  readonly qkv: Projection;
  readonly out: Projection;
  readonly subNorm?: Norm;
  /** Of every head's query and key, before the rotation. */
  readonly queryNorm?: Norm;
  readonly keyNorm?: Norm;
  /** Address of f32[positions, 2, headDim/2]: cosines and sines; absent without RoPE. */
  readonly ropeTable?: number;
}

interface Saved {
  readonly q: Matrix;
  readonly k: Matrix;
  readonly v: Matrix;
  readonly probabilities: number;
}

export class Attention {
  readonly parts: AttentionParts;
  readonly #layer: number;
  readonly #heads: Heads;
  #saved?: Saved;

  constructor(layer: number, heads: Heads, parts: AttentionParts) {
    this.#layer = layer;
    this.#heads = heads;
    this.parts = parts;
  }

  /** f32[M, C] → f32[M, C] */
  forward(x: Matrix, pass: Pass): Matrix {
    const { qkv, queryNorm, keyNorm } = this.parts;
    const [rawQ, rawK, v] = qkv.forward(x, pass);
    const q = this.#normHeads(queryNorm, rawQ, pass), k = this.#normHeads(keyNorm, rawK, pass);
    this.#rotate([q, k], pass, 1);
    const o = pass.cache ? this.#attendCached(q, k, v, pass) : this.#attend(q, k, v, pass);
    return this.parts.out.forward(this.parts.subNorm?.forward(o, pass) ?? o, pass)[0];
  }

  /** The norm of every head by itself. */
  #normHeads(norm: Norm | undefined, x: Matrix, pass: Pass): Matrix {
    if (!norm) return x;
    const { ptr } = norm.forward(byHead(x, this.#heads), pass);
    return { ...x, ptr };
  }

  #attend(q: Matrix, k: Matrix, v: Matrix, pass: Pass): Matrix {
    const { out, probabilities } = attend(pass, q, k, v, pass.batch, this.#heads, pass.training);
    if (pass.training) this.#saved = { q, k, v, probabilities };
    return out;
  }

  #attendCached(q: Matrix, k: Matrix, v: Matrix, pass: Pass): Matrix {
    const cache = pass.cache!, layer = cache.layer(this.#layer);
    storeKeyValues(pass, layer, cache.length, k, v, this.#heads);
    return attendCached(pass, q, layer, cache.length, this.#heads);
  }

  #rotate(matrices: Matrix[], pass: Pass, direction: 1 | -1): void {
    const { ropeTable } = this.parts;
    if (ropeTable === undefined) return;
    for (const x of matrices)
      rotate(pass, x, ropeTable, pass.positions, this.#heads.headDim, direction);
  }

  backward(dy: Matrix, pass: Pass): Matrix {
    const { q, k, v, probabilities } = savedBy('Attention', this.#saved);
    const { qkv, out, subNorm, queryNorm, keyNorm } = this.parts;
    const dOut = out.backward([dy], pass);
    const dO = subNorm?.backward(dOut, pass) ?? dOut;
    const { dq, dk, dv } = attendBackward(pass, dO, q, k, v, probabilities, pass.batch, this.#heads);
    this.#rotate([dq, dk], pass, -1);
    const through = (norm: Norm | undefined, d: Matrix): Matrix =>
      norm ? { ...d, ptr: norm.backward(byHead(d, this.#heads), pass).ptr } : d;
    return qkv.backward([through(queryNorm, dq), through(keyNorm, dk), dv], pass);
  }
}

/** A matrix of heads side by side as one of heads one under the other. */
const byHead = ({ ptr, rows, cols }: Matrix, { headDim }: Heads): Matrix =>
  ({ ptr, rows: (rows * cols) / headDim, cols: headDim });

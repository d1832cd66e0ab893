/**
 * What a part of the suite is: a name, and a computation whose raw results go into a digest.
 * @module
 */
import type { Compute } from '../../src/ops/matrix.ts';
import type { Matrix } from '../../src/ops/matrix.ts';
import { newMatrix } from '../../src/ops/matrix.ts';
import { Rng } from '../../src/rng.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import { Workspace } from '../../src/wasm/workspace.ts';
import type { Digest } from './digest.ts';

/** Where a part computes and what it writes to. */
export interface Bench extends Compute {
  readonly engine: Engine;
  readonly digest: Digest;
  /** Inputs. Its seed is the same for every part. */
  readonly rng: Rng;
}

export interface Part {
  readonly name: string;
  run(bench: Bench): void | Promise<void>;
}

const SEED = 20_231_017;

/** Runs a part with a workspace of its own; its digest. */
export async function runPart(part: Part, engine: Engine, digest: Digest): Promise<string> {
  const workspace = new Workspace(engine.heap);
  try {
    await part.run({ engine, workspace, digest, rng: new Rng(SEED) });
    return digest.hex;
  } finally {
    workspace.dispose();
  }
}

/** A matrix of about normal values. */
export function randomMatrix(bench: Bench, rows: number, cols: number, scale = 1): Matrix {
  const matrix = newMatrix(bench, rows, cols);
  const values = bench.engine.f32(matrix.ptr, rows * cols);
  for (let i = 0; i < values.length; i++) values[i] = bench.rng.nextNormal() * scale;
  return matrix;
}

/** Indices below `below`, i32[n]. */
export function randomIds({ engine, workspace, rng }: Bench, n: number, below: number): number {
  const ptr = workspace.alloc(n * 4);
  engine.i32(ptr, n).forEach((_, i, ids) => (ids[i] = rng.nextBelow(below)));
  return ptr;
}

/** Adds f32[n] at `ptr` to the digest. */
export const digestF32 = ({ engine, digest }: Bench, ptr: number, n: number): void =>
  void digest.floats(engine.f32(ptr, n));

/** Adds a matrix to the digest. */
export const digestMatrix = (bench: Bench, { ptr, rows, cols }: Matrix): void =>
  digestF32(bench, ptr, rows * cols);

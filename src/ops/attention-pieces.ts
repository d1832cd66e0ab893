/**
 * How attention is shared out among threads: over sequences, then key heads, then queries.
 *
 * A piece has outputs of its own and every sum whole, so the bits are the same however many there
 * are. Later queries see more keys; the pool takes the last pieces first, so the long ones start
 * early.
 * @module
 */
import type { Engine } from '../wasm/engine.ts';

/** Head counts and head size. */
export interface Heads {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Query heads `heads` from `head` on key heads `kvHeads` from `kvHead`, queries `from` … `to`. */
export interface Piece {
  readonly sequence: number;
  readonly head: number;
  readonly heads: number;
  readonly kvHead: number;
  readonly kvHeads: number;
  readonly from: number;
  readonly to: number;
}

/** Rows, a query of a head each, that a kernel takes at a time: `ROW_BLOCK` of the kernels. */
export const ROW_BLOCK = 16;
/** Pieces per thread: a late thread costs less. */
const PIECES_PER_THREAD = 2;
/** Multiply-adds that are worth a piece: about 20 µs. */
const GRAIN = 100_000;

/** What is to be shared out. */
export interface AttentionWork {
  readonly batch: number;
  /** Queries and keys of a sequence. */
  readonly queries: number;
  readonly keys: number;
  /** Whether the queries of a head may be in different pieces. */
  readonly splitQueries: boolean;
}

/** Pieces that together are all the work. */
export function piecesOf(
  { threads }: Engine, { batch, queries, keys, splitQueries }: AttentionWork,
  { heads, kvHeads, headDim }: Heads,
): Piece[] {
  const group = heads / kvHeads;
  const wished = threads === 1 ? 1 : Math.min(
    threads * PIECES_PER_THREAD, Math.floor((batch * heads * queries * keys * headDim) / GRAIN));
  const headStep = Math.ceil(kvHeads / Math.min(kvHeads, Math.ceil(Math.max(1, wished) / batch)));
  const parts = splitQueries ? wished / (batch * Math.ceil(kvHeads / headStep)) : 1;
  const queryStep = parts > 1
    ? Math.ceil(queries / Math.ceil(parts) / ROW_BLOCK) * ROW_BLOCK : queries;
  const pieces: Piece[] = [];
  for (let sequence = 0; sequence < batch; sequence++)
    for (let from = 0; from < queries; from += queryStep)
      for (let kvHead = 0; kvHead < kvHeads; kvHead += headStep) {
        const count = Math.min(headStep, kvHeads - kvHead);
        pieces.push({
          sequence, head: kvHead * group, heads: count * group, kvHead, kvHeads: count, from,
          to: Math.min(queries, from + queryStep),
        });
      }
  return pieces;
}

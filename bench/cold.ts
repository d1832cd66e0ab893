/**
 * Weights cold in memory, the real case of decoding: every weight is read once per token.
 * @module
 */
import { bitGemm, quantize } from '../src/ops/bit-gemm.ts';
import type { Compute } from '../src/ops/matrix.ts';
import { tileBytes } from '../src/quant/layout.ts';
import type { Case } from './case.ts';
import { emptyMatrix, randomMatrix } from './case.ts';
import type { Limit } from './limits.ts';
import { readLimits } from './limits.ts';
import { packed } from './products.ts';

/** Weights that are rotated over, in bytes: more than any cache holds. */
const COLD_BYTES = 640 * 2 ** 20;
const ROWS = 6144, COLS = 2048;

export interface Cold {
  readonly product: Case;
  /** Reads of the same bytes, cold too; the fastest is the limit. */
  readonly limits: readonly Limit[];
  dispose(): void;
}

/** One token against 6144 × 2048 ±1 weights, a different copy each time. */
export function coldCase(compute: Compute): Cold {
  const { engine, workspace } = compute;
  const one = packed(compute, 'b1', ROWS, COLS), bytes = tileBytes('b1', ROWS, COLS);
  const copies = Math.floor(COLD_BYTES / bytes), all = engine.heap.alloc(copies * bytes);
  const tiles = engine.u8(one.tiles, bytes);
  for (let i = 0; i < copies; i++) engine.u8(all + i * bytes, bytes).set(tiles);
  let next = 0;
  const turn = (): number => all + (next++ % copies) * bytes;
  const x = quantize(compute, randomMatrix(compute, 1, COLS, 1), { bits: 8, shifted: false });
  const out = emptyMatrix(compute, 1, ROWS);
  const run = (): void => {
    const mark = workspace.mark();
    bitGemm(compute, x, [{ ...one, tiles: turn() }], [out]);
    workspace.release(mark);
  };
  return {
    product: {
      kernel: 'i8 × b1, cold', shape: `[1, ${COLS}] · [${ROWS}, ${COLS}]ᵀ`, variant: 'lookup',
      unit: 'Gmac/s', work: ROWS * COLS, limit: 'read', bytes, run,
    },
    limits: readLimits(engine.memory, bytes, turn),
    dispose: () => engine.heap.free(all),
  };
}

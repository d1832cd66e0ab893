/**
 * Tables: the rows that an embedding gathers and a head multiplies, in f32 or packed.
 *
 *   f32   4 bytes a value (8 where it is also multiplied: once more in panels)
 *   f16   2 bytes: rounded to the nearest half; products in f32
 *   i8    1 byte and a scale a row: code = round(w · 127 / max |row|). Products are exact integers of
 *         these codes and of activations quantized by token to 8 bits, then rescaled
 *   b1    1 bit and a scale a row: sign(w) · mean |row|. Products as in a BitLinear
 *
 * A row is packed alone and gathered from its packed form. A tied embedding and head are one table.
 * @module
 */
import { paddedCols, rowBytes as bitRowBytes } from '../quant/layout.ts';
import type { Engine } from '../wasm/engine.ts';
import { bitGemm, quantize } from './bit-gemm.ts';
import type { BitWeights } from './bit-weights.ts';
import { allocBitWeights, freeBitWeights, layOut } from './bit-weights.ts';
import { gather } from './embedding.ts';
import { gemmPanels, packWeights, panelBytes } from './gemm.ts';
import type { Compute, Matrix } from './matrix.ts';
import { checkShape, rowsOf } from './matrix.ts';

/** Element types of a table. */
export type TableKind = 'f32' | 'f16' | 'i8' | 'b1';

/** A table of `rows` rows. Addresses are byte offsets; 0 is absent. */
export interface Table {
  readonly kind: TableKind;
  readonly rows: number;
  /** A multiple of 4. */
  readonly cols: number;
  /** Row-major, `rowBytes` bytes a row: floats, halves, codes padded with 0, or bits. */
  readonly ptr: number;
  readonly rowBytes: number;
  /** f32[rows], of i8 and b1. */
  readonly scales: number;
  /** f32 in panels, where it is multiplied. */
  readonly panels: number;
  /** The same bits as the product reads them, of b1. */
  readonly bits?: BitWeights;
}

/** Tokens multiplied at a time: bounds the integers that wait to be rescaled. */
const TOKEN_BLOCK = 64;
/** Multiply-adds that are worth a thread's while: about 10 µs. */
const GRAIN = 200_000;
/** Values gathered that are worth a thread's while. */
const GATHER_GRAIN = 16_384;
/** Rows of a table that a product takes at a time: 4 share the activations. */
const ROW_ALIGN = 4;
/** Activation bits of the i8 and b1 products. */
const ACTIVATION = { bits: 8, shifted: false } as const;

/** Bytes of a row in memory. */
export function tableRowBytes(kind: TableKind, cols: number): number {
  if (kind === 'b1') return bitRowBytes('b1', cols);
  return kind === 'i8' ? paddedCols(cols) : cols * (kind === 'f16' ? 2 : 4);
}

/**
 * Room on the heap for a table; the caller fills it.
 *
 * @param multiplied whether a head reads it: f32 needs panels then
 */
export function allocTable(
  engine: Engine, kind: TableKind, rows: number, cols: number, multiplied = true,
): Table {
  if (cols % 4 !== 0)
    throw new RangeError(`allocTable: "cols" expected a multiple of 4, got ${cols}`);
  const { heap } = engine, rowBytes = tableRowBytes(kind, cols);
  if (kind === 'b1') {
    const bits = allocBitWeights(engine, kind, rows, cols, true);
    return { kind, rows, cols, ptr: bits.codes, rowBytes, scales: bits.scales, panels: 0, bits };
  }
  return {
    kind, rows, cols, ptr: heap.alloc(rows * rowBytes), rowBytes,
    scales: kind === 'i8' ? heap.alloc(rows * 4) : 0,
    panels: kind === 'f32' && multiplied ? heap.alloc(panelBytes(cols, rows)) : 0,
  };
}

/** Rows `from` … `from + count` of an i8 table, as a table: where they are filled one after the other. */
export const rowsOfTable = (table: Table, from: number, count: number): Table => ({
  ...table, rows: count, ptr: table.ptr + from * table.rowBytes, scales: table.scales + from * 4 });

/** Gives the room back. */
export function freeTable(engine: Engine, { ptr, scales, panels, bits }: Table): void {
  if (bits) freeBitWeights(engine, bits);
  else for (const at of [ptr, scales, panels]) if (at) engine.heap.free(at);
}

/** Fills a table from f32[rows, cols]. */
export function quantizeTable(compute: Compute, from: Matrix, table: Table): void {
  const { engine, workspace } = compute, { kernels } = engine;
  const { kind, rows, cols, ptr, rowBytes, scales, panels } = table;
  checkShape('quantizeTable', 'from', from, rows, cols);
  const mark = workspace.mark();
  if (kind === 'f32') {
    kernels.copyRowsF32(from.ptr, cols, ptr, cols, rows, cols);
    if (panels) packWeights(compute, from, panels);
  }
  if (kind === 'f16') kernels.encodeF16(from.ptr, ptr, rows * cols);
  if (kind === 'i8')
    kernels.quantAbsmaxI8(
      from.ptr, ptr, scales, workspace.alloc(rows * 4), rows, cols, rowBytes, ACTIVATION.bits);
  if (kind === 'b1') {
    const stats = workspace.alloc(8);
    for (let r = 0; r < rows; r++) {
      kernels.meanAbsF32(from.ptr + r * cols * 4, cols, stats);
      engine.f32(scales, rows)[r] = engine.f32(stats, 2)[1];
    }
    kernels.packB1(from.ptr, 0, ptr, rows, cols, rowBytes);
    layOut(compute, table.bits!, ptr, rowBytes);
  }
  workspace.release(mark);
}

const GATHERS = { f16: 'gatherF16', i8: 'gatherI8', b1: 'gatherB1' } as const;

/** out[i] ← table[ids[i]] as f32. `ids` is the address of i32[out.rows], checked before. */
export function gatherTable(compute: Compute, table: Table, ids: number, out: Matrix): void {
  const { kind, rows, cols, ptr, rowBytes, scales } = table;
  checkShape('gatherTable', 'out', out, out.rows, cols);
  if (kind === 'f32') return gather(compute, { ptr, rows, cols }, ids, out);
  compute.engine.split(GATHERS[kind], out.rows, 1, Math.ceil(GATHER_GRAIN / cols), (from, to) => [
    ptr, ...(kind === 'f16' ? [] : [scales]), ids + from * 4, out.ptr + from * cols * 4, to - from,
    cols, ...(kind === 'f16' ? [] : [rowBytes]), ...(kind === 'b1' ? [cols] : [])]);
}

/** out[M, rows] ← x[M, cols] · tableᵀ. A token's bits do not depend on the other tokens. */
export function multiplyTable(compute: Compute, x: Matrix, table: Table, out: Matrix): void {
  const { kind, rows, cols, panels } = table;
  checkShape('multiplyTable', 'x', x, x.rows, cols);
  checkShape('multiplyTable', 'out', out, x.rows, rows);
  if (kind === 'f32') {
    if (!panels) throw new RangeError('multiplyTable: "table" expected one made to be multiplied');
    gemmPanels(compute, x, { ptr: panels, k: cols, n: rows }, out);
  } else if (kind === 'f16') {
    const grain = Math.ceil(GRAIN / (x.rows * cols));
    compute.engine.split('gemmF32F16', rows, ROW_ALIGN, grain, (from, to) => [
      x.ptr, table.ptr + from * table.rowBytes, out.ptr + from * 4, x.rows, to - from, cols, rows]);
  } else if (kind === 'i8') {
    for (let i = 0; i < x.rows; i += TOKEN_BLOCK) {
      const end = Math.min(x.rows, i + TOKEN_BLOCK);
      multiplyI8(compute, rowsOf(x, i, end), table, rowsOf(out, i, end));
    }
  } else {
    const mark = compute.workspace.mark();
    bitGemm(compute, quantize(compute, x, ACTIVATION), [table.bits!], [out]);
    compute.workspace.release(mark);
  }
}

/** Codes times codes, exactly; then the scales of the token and of the row. */
function multiplyI8(compute: Compute, x: Matrix, table: Table, out: Matrix): void {
  const { engine, workspace } = compute, { ptr, rows, rowBytes, scales } = table;
  const mark = workspace.mark();
  const q = quantize(compute, x, ACTIVATION);
  const acc = workspace.alloc(x.rows * rows * 4);
  const grain = Math.ceil(GRAIN / (x.rows * rowBytes));
  engine.split('gemmI8I8', rows, ROW_ALIGN, grain, (from, to) => [
    q.codes, ptr + from * rowBytes, acc + from * 4, x.rows, to - from, rowBytes, rows]);
  engine.kernels.rescaleI32(
    acc, q.scales, 0, scales, 0, out.ptr, x.rows, rows, rows, false);
  workspace.release(mark);
}

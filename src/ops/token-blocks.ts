/**
 * Tokens by the block: what the bit products read of the activations, and how several threads share it.
 *
 * A product's operands are tables of subset sums (lookup) or bit planes (popcount) of each token. They are
 * made for some tokens at a time, so that they stay in the cache while all weights pass.
 * @module
 */
import type { BitKind } from '../quant/layout.ts';
import type { Engine } from '../wasm/engine.ts';
import type { Product } from '../wasm/variants.ts';
import type { Compute } from './matrix.ts';

/** Tokens of one call of a kernel: 16 tables of 8 bytes a column, which stay in L2. */
const TOKENS = 16;
/** Calls that every thread gets of a block. */
const PIECES_PER_THREAD = 4;

/** Codes of quantized activations: i8[rows, kp], `bits` of each used. */
export interface Codes {
  readonly codes: number;
  readonly rows: number;
  readonly kp: number;
  readonly bits: number;
}

/** Tokens `from` … `from + rows`, ready for a product. */
export interface TokenBlock {
  readonly product: Product;
  readonly from: number;
  readonly rows: number;
  /** Address of the first token's tables or planes, and their bytes per token. */
  readonly ptr: number;
  readonly tokenBytes: number;
  /** Bit planes of an activation. */
  readonly planes: number;
}

/**
 * Bit planes that a popcount product reads. Activations of ±1 are one plane where XNOR takes them, else
 * two's complement of 2 bits.
 */
export const planesOf = (bits: number, xnor: boolean): number => (bits === 1 && !xnor ? 2 : bits);

/**
 * Makes the operands of tokens `from` …, at most as many as all threads take at once.
 *
 * @param xnor whether activations of ±1 may be one plane
 */
export function tokenBlock(
  { engine, workspace }: Compute, { codes, rows: all, kp, bits }: Codes, product: Product,
  xnor: boolean, from: number,
): TokenBlock {
  const calls = engine.threads > 1 ? engine.threads * PIECES_PER_THREAD : 1;
  const rows = Math.min(TOKENS * calls, all - from), planes = planesOf(bits, xnor);
  const tokenBytes = product === 'lookup' ? kp * 8 : (planes * kp) / 8;
  const ptr = workspace.alloc(rows * tokenBytes);
  const block = { product, from, rows, ptr, tokenBytes, planes };
  eachPiece(engine, product === 'lookup' ? 'tablesI8' : 'planesI8', block, (at, m) => [
    codes + at * kp, ptr + (at - from) * tokenBytes, m, kp, ...(product === 'lookup' ? [] : [planes])]);
  return block;
}

/** Calls a kernel for every TOKENS tokens of a block. */
export function eachPiece(
  engine: Engine, name: Parameters<Engine['each']>[0], { from, rows }: TokenBlock,
  call: (at: number, m: number) => number[],
): void {
  engine.each(name, Math.ceil(rows / TOKENS), (piece) => {
    const at = from + piece * TOKENS;
    return call(at, Math.min(TOKENS, from + rows - at));
  });
}

/** Name of the integer or block product of a family for a kind of weights. */
export type ProductName =
  | 'gemmLookupI8B1' | 'gemmLookupI8T2' | 'gemmPopcountI8B1' | 'gemmPopcountI8T2'
  | 'gemmLookupBlockI8B1' | 'gemmLookupBlockI8T2' | 'gemmPopcountBlockI8'
  | 'gemmLookupFixedI8B1' | 'gemmLookupFixedI8T2' | 'gemmPopcountFixedI8';

/** The lookup kernel for a kind of weights, and what scales they have. */
export const lookupName = (kind: BitKind, scales: '' | 'Block' | 'Fixed'): ProductName =>
  `gemmLookup${scales}I8${kind === 'b1' ? 'B1' : 'T2'}`;

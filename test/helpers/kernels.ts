/**
 * Running kernels on arrays: every build, operands in guarded blocks of linear memory.
 *
 *   for (const { name, engine } of builds) …          release, debug and, where it exists, relaxed
 *   isolated(engine, () => {
 *     const x = place(engine, Float32Array.of(1, 2)); // a copy of the array
 *     const y = room(engine, 8);                      // 8 bytes of rubbish to write to
 *     engine.kernels.expF32(x, y, 2);
 *     return readF32(engine, y, 2);                   // a copy of the result
 *   });                                               // guards checked, blocks freed
 *
 * Each block has guard words on both sides, right up to its first and last byte. Read as floats
 * they are NaN, so reading too far shows in the result as writing too far shows in the guards.
 * @module
 */
import debug from '../../build/kernels.debug.wasm';
import { embeddedModule, embeddedRelaxedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';

export interface Build {
  readonly name: string;
  readonly engine: Engine;
}

/** What can be placed in linear memory. */
export type Typed =
  Float32Array | Int32Array | Uint32Array | Int8Array | Uint8Array | Uint16Array;

interface Block {
  readonly ptr: number;
  readonly bytes: number;
  /** What was allocated: [start, end) with the guards. */
  readonly start: number;
  readonly end: number;
}

/** Bytes of a guard: more than one vector, so that a store one vector too far hits it. */
const GUARD = 64;
/** A guard word, little-endian 0x7fabcdef: NaN as f32. */
const GUARD_BYTES = [0xef, 0xcd, 0xab, 0x7f];
/** What `room` holds before it is written: −1.1e−8 as f32, so no kernel may rely on zeros. */
const RUBBISH = 0xb2;

const debugModule = new WebAssembly.Module(debug as Uint8Array<ArrayBuffer>);
const relaxed = embeddedRelaxedModule('own');

/** One engine per build. The debug build checks the asserts of the kernels. */
export const builds: readonly Build[] = [
  { name: 'release', engine: new Engine({ module: embeddedModule() }) },
  { name: 'debug', engine: new Engine({ module: debugModule }) },
  ...(relaxed ? [{ name: 'relaxed', engine: new Engine({ module: embeddedModule(), relaxed }) }] : []),
];

const blocks = new WeakMap<Engine, Block[]>();

/** How far the next blocks are from a multiple of 16, in bytes; see `unaligned`. */
let nextOffset = (): number => 0;

function guarded(engine: Engine, bytes: number): Block {
  const offset = nextOffset(), size = Math.ceil((offset + bytes + 2 * GUARD) / 16) * 16;
  const start = engine.heap.alloc(size), end = start + size;
  const block = { ptr: start + GUARD + offset, bytes, start, end };
  const memory = new Uint8Array(engine.memory.buffer);
  for (let at = start; at < end; at++)
    if (at < block.ptr || at >= block.ptr + bytes) memory[at] = GUARD_BYTES[at & 3];
  const own = blocks.get(engine);
  if (own) own.push(block);
  else blocks.set(engine, [block]);
  return block;
}

/** Copies an array to a guarded block; its address, 16-byte aligned unless in `unaligned`. */
export function place(engine: Engine, array: Typed): number {
  const { ptr } = guarded(engine, array.byteLength);
  engine.u8(ptr, array.byteLength)
    .set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return ptr;
}

/** A guarded block of `bytes` bytes of rubbish; its address, 16-byte aligned unless in `unaligned`. */
export function room(engine: Engine, bytes: number): number {
  const { ptr } = guarded(engine, bytes);
  engine.u8(ptr, bytes).fill(RUBBISH);
  return ptr;
}

/** A copy of f32[n] at `ptr`. */
export const readF32 = (engine: Engine, ptr: number, n: number): Float32Array =>
  new Float32Array(readU8(engine, ptr, n * 4).buffer);

/** A copy of i32[n] at `ptr`. */
export const readI32 = (engine: Engine, ptr: number, n: number): Int32Array =>
  new Int32Array(readU8(engine, ptr, n * 4).buffer);

/** A copy of i8[n] at `ptr`. */
export const readI8 = (engine: Engine, ptr: number, n: number): Int8Array =>
  new Int8Array(engine.memory.buffer, ptr, n).slice();

/** A copy of u8[n] at `ptr`. */
export const readU8 = (engine: Engine, ptr: number, n: number): Uint8Array =>
  engine.u8(ptr, n).slice();

/** Throws if a byte outside the blocks of `place` and `room`, but next to one, was written. */
export function checkGuards(engine: Engine): void {
  const memory = new Uint8Array(engine.memory.buffer);
  for (const { ptr, bytes, start, end } of blocks.get(engine) ?? []) {
    for (let at = start; at < end; at++) {
      if (at >= ptr && at < ptr + bytes) continue;
      if (memory[at] !== GUARD_BYTES[at & 3])
        throw new Error(`written at byte ${at - ptr} of a block of ${bytes}`);
    }
  }
}

/** Frees every block of `place` and `room`. */
export function freeAll(engine: Engine): void {
  for (const { start } of blocks.get(engine) ?? []) engine.heap.free(start);
  blocks.delete(engine);
}

/** Runs `work` with its blocks at any byte: `offset` gives the distance of each from a multiple of 16. */
export function unaligned<R>(offset: () => number, work: () => R): R {
  const before = nextOffset;
  nextOffset = offset;
  try {
    return work();
  } finally {
    nextOffset = before;
  }
}

/** Runs `work`, checks the guards, frees its blocks even if it throws; what `work` returned. */
export function isolated<R>(engine: Engine, work: () => R): R {
  try {
    const result = work();
    checkGuards(engine);
    return result;
  } finally {
    freeAll(engine);
  }
}

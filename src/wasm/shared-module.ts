/**
 * The same kernels for shared memory.
 *
 * Whether a module's memory is shared is one bit of its import: flag 1 is "has a maximum", flag 3
 * "has a maximum and is shared". The code is the same, so one binary serves both.
 * Source  WebAssembly core specification 3.0, 5.3 Types, "Limits".
 * @module
 */
import { EngineError } from '../errors.ts';

/** An import of memory "memory" from "env", up to its flags. */
const IMPORT = [3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2];
const HAS_MAXIMUM = 1;
const SHARED = 3;

/**
 * A copy of the kernel module `bytes` that imports a shared memory.
 *
 * @throws {EngineError} NO_WASM if the import is not where the kernels have it.
 */
export function sharedModuleBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice() as Uint8Array<ArrayBuffer>;
  const at = copy.findIndex((_, i) => IMPORT.every((byte, j) => copy[i + j] === byte));
  const flags = at + IMPORT.length;
  if (at < 0 || copy[flags] !== HAS_MAXIMUM)
    throw new EngineError('NO_WASM', 'the WebAssembly module is not the onebit kernels');
  copy[flags] = SHARED;
  return copy;
}

/**
 * Relaxed SIMD on Node.js 20, which has it behind a flag: a program may set flags of its process, a
 * library may not. The engine's self-test decides whether what comes of it is used.
 * @module
 */
import { setFlagsFromString } from 'node:v8';

/** A module whose one function is a relaxed swizzle of two zero vectors. */
const PROBE = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0,
  10, 15, 1, 13, 0, 0x41, 0, 0xfd, 15, 0x41, 0, 0xfd, 15, 0xfd, 0x80, 2, 0x0b);

const FLAG = '--experimental-wasm-relaxed-simd';

/** Whether this process can compile relaxed SIMD. */
export const hasRelaxedSimd = (): boolean => WebAssembly.validate(PROBE);

/** Asks for relaxed SIMD where it is missing and V8 knows the flag; before the first engine is made. */
export function allowRelaxedSimd(): void {
  if (!hasRelaxedSimd() && process.versions.v8?.startsWith('11.')) setFlagsFromString(FLAG);
}

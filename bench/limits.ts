/**
 * What this machine gives to WebAssembly at best, measured in the same run as what it is compared with.
 * @module
 */
import bytes from '../build/limits.wasm';

interface LimitExports {
  readMemory(p: number, bytes: number): number;
  multiplyAdd(steps: number): number;
}

/** The loops of `bench/limits/index.ts` over a memory. */
export function limitsOver(memory: WebAssembly.Memory): LimitExports {
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as LimitExports;
}

/** Floating-point operations of one step of `multiplyAdd`. */
export const MULTIPLY_ADD_OPERATIONS = 96;

/**
 * What this machine gives to WebAssembly at best, measured in the same run as what it is compared with.
 * @module
 */
import bytes from '../build/limits.wasm';
import { sharedModuleBytes } from '../src/wasm/shared-module.ts';

interface LimitExports {
  readOneStream(p: number, bytes: number): number;
  readTwoStreams(p: number, bytes: number): number;
  multiplyAdd8(steps: number, factor: number, term: number): number;
  multiplyAdd12(steps: number, factor: number, term: number): number;
  multiplyAdd13(steps: number, factor: number, term: number): number;
}

const STEPS = 20_000;

/** A way to reach a limit: `work` units a run. */
export interface Limit {
  readonly work: number;
  run(): void;
}

/** The loops of `bench/limits/index.ts` over a memory. */
function limitsOver(memory: WebAssembly.Memory): LimitExports {
  const shared = typeof SharedArrayBuffer === 'function' && memory.buffer instanceof SharedArrayBuffer;
  const own = shared ? sharedModuleBytes(bytes) : (bytes as Uint8Array<ArrayBuffer>);
  const module = new WebAssembly.Module(own);
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as LimitExports;
}

/** Multiply and add in registers; floating-point operations. The fastest is the limit. */
export function multiplyAddLimits(memory: WebAssembly.Memory): Limit[] {
  const { multiplyAdd8, multiplyAdd12, multiplyAdd13 } = limitsOver(memory);
  return ([[8, multiplyAdd8], [12, multiplyAdd12], [13, multiplyAdd13]] as const).map(([chains, loop]) => (
    { work: STEPS * chains * 8, run: () => void loop(STEPS, 0.999, 0.001) }));
}

/** Reads of `size` bytes at the address that `at` gives, anew each time; bytes. The fastest is the limit. */
export function readLimits(memory: WebAssembly.Memory, size: number, at: () => number): Limit[] {
  const { readOneStream, readTwoStreams } = limitsOver(memory);
  return [
    { work: size, run: () => void readOneStream(at(), size) },
    { work: size, run: () => void readTwoStreams(at(), size) },
  ];
}

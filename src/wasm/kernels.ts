/**
 * Instantiates a kernel module over a memory.
 *
 * Not by AssemblyScript's loader: that asks `instanceof WebAssembly.Module`, and in Next.js's edge
 * sandbox the module is of another realm; and it wraps every export in a function of its own.
 * @module
 */
import { EngineError } from '../errors.ts';
import type { KernelExports } from './exports.ts';

const isOurs = (module: WebAssembly.Module): boolean => {
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  return names.includes('gemmLookupI8B1') && names.includes('heapBase');
};

/**
 * @param module compiled from `assembly/index.ts`, any build
 * @throws {EngineError} NO_WASM if the module is not ours.
 */
export function instantiateKernels(
  module: WebAssembly.Module, memory: WebAssembly.Memory,
): KernelExports {
  if (!isOurs(module))
    throw new EngineError('NO_WASM', 'the WebAssembly module is not the onebit kernels', {
      expected: 'gemmLookupI8B1, heapBase, …',
      actual: WebAssembly.Module.exports(module).map(({ name }) => name).slice(0, 5).join(', '),
    });
  return exportsOf(module, memory);
}

/** The kernels with those of the relaxed build, `assembly/relaxed.ts`, in place of the same names. */
export const withRelaxed = (
  kernels: KernelExports, relaxed: WebAssembly.Module, memory: WebAssembly.Memory,
): KernelExports => ({ ...kernels, ...exportsOf(relaxed, memory) });

const exportsOf = (module: WebAssembly.Module, memory: WebAssembly.Memory): KernelExports =>
  ({ ...new WebAssembly.Instance(module, { env: { memory } }).exports }) as unknown as KernelExports;

/**
 * Instantiates a kernel module over a memory. The only file that uses the AssemblyScript loader.
 *
 * The loader is in maintenance upstream; one call is used, and replacing it by
 * `new WebAssembly.Instance` is a one-line change.
 * @module
 */
import { instantiateSync } from '@assemblyscript/loader';
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
  instantiateSync(module, { env: { memory } }).exports as unknown as KernelExports;

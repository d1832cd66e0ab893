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

/**
 * @param module compiled from `assembly/`, any build
 * @throws {EngineError} NO_WASM if the module is not ours.
 */
export function instantiateKernels(
  module: WebAssembly.Module, memory: WebAssembly.Memory,
): KernelExports {
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  if (!names.includes('gemmLookupI8B1') || !names.includes('heapBase'))
    throw new EngineError('NO_WASM', 'the WebAssembly module is not the onebit kernels', {
      expected: 'gemmLookupI8B1, heapBase, …', actual: names.slice(0, 5).join(', '),
    });
  return instantiateSync(module, { env: { memory } }).exports as unknown as KernelExports;
}

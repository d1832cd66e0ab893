/**
 * The kernel modules that are embedded in the bundle. The only file that imports them.
 * @module
 */
import bytes from '../../build/kernels.wasm';
import relaxedBytes from '../../build/relaxed.wasm';
import { EngineError } from '../errors.ts';
import { sharedModuleBytes } from './shared-module.ts';

let compiled: WebAssembly.Module | undefined;
let compiledShared: WebAssembly.Module | undefined;
const compiledRelaxed = new Map<'shared' | 'own', WebAssembly.Module | undefined>();

/**
 * Compiles the embedded kernels, once.
 *
 * @throws {EngineError} NO_WASM where the runtime forbids or lacks WebAssembly, NO_SIMD where it
 *   lacks 128-bit SIMD.
 */
export function embeddedModule(): WebAssembly.Module {
  if (compiled) return compiled;
  if (typeof WebAssembly === 'undefined')
    throw new EngineError('NO_WASM', 'this runtime has no WebAssembly; onebit needs it');
  try {
    return (compiled = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>));
  } catch (cause) {
    if (!WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>))
      throw new EngineError('NO_SIMD', 'this runtime has no 128-bit WebAssembly SIMD', { cause });
    throw new EngineError('NO_WASM',
      'this runtime forbids compiling WebAssembly from bytes; import "onebit/core" and pass a module',
      { cause });
  }
}

/** The same kernels for shared memory, compiled once. */
export const embeddedSharedModule = (): WebAssembly.Module =>
  (compiledShared ??= new WebAssembly.Module(sharedModuleBytes(bytes)));

/** The relaxed build, compiled once; undefined where the runtime has no relaxed SIMD. */
export function embeddedRelaxedModule(memory: 'shared' | 'own'): WebAssembly.Module | undefined {
  if (!compiledRelaxed.has(memory)) {
    const own = memory === 'shared' ? sharedModuleBytes(relaxedBytes) : relaxedBytes;
    const known = WebAssembly.validate(own as Uint8Array<ArrayBuffer>);
    compiledRelaxed.set(
      memory, known ? new WebAssembly.Module(own as Uint8Array<ArrayBuffer>) : undefined);
  }
  return compiledRelaxed.get(memory);
}

/**
 * The kernel modules that are embedded in the bundle. The only file that imports them.
 *
 * They are written in hexadecimal: every byte stays whole, so compressed they are a seventh smaller
 * than in base64. Nothing is decoded or compiled before an engine asks for it: importing the library
 * costs nothing, and a bundler can drop what is not used.
 * @module
 */
import hex from '../../build/kernels.hex';
import relaxedHex from '../../build/relaxed.hex';
import { EngineError } from '../errors.ts';
import { sharedModuleBytes } from './shared-module.ts';

let compiled: WebAssembly.Module | undefined;
let compiledShared: WebAssembly.Module | undefined;
const compiledRelaxed = new Map<'shared' | 'own', WebAssembly.Module | undefined>();

/** The value of a digit 0 … f, from its character code. */
const digit = (code: number): number => (code < 0x3a ? code - 0x30 : code - 0x57);

/** The bytes of a text of two digits each. */
function bytesOfHex(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = (digit(text.charCodeAt(2 * i)) << 4) | digit(text.charCodeAt(2 * i + 1));
  return bytes;
}

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
  const bytes = bytesOfHex(hex);
  try {
    return (compiled = new WebAssembly.Module(bytes));
  } catch (cause) {
    if (!WebAssembly.validate(bytes))
      throw new EngineError('NO_SIMD',
        'this runtime has WebAssembly without 128-bit SIMD; onebit needs it', { cause });
    throw new EngineError('NO_WASM',
      'this runtime or page forbids compiling WebAssembly from bytes: allow \'wasm-unsafe-eval\' in ' +
      'its content security policy, or import "onebit/core" and pass a compiled module', { cause });
  }
}

/** The same kernels for shared memory, compiled once. */
export const embeddedSharedModule = (): WebAssembly.Module =>
  (compiledShared ??= new WebAssembly.Module(sharedModuleBytes(bytesOfHex(hex))));

/** The relaxed build, compiled once; undefined where the runtime has no relaxed SIMD. */
export function embeddedRelaxedModule(memory: 'shared' | 'own'): WebAssembly.Module | undefined {
  if (!compiledRelaxed.has(memory)) {
    const bytes = bytesOfHex(relaxedHex);
    const own = memory === 'shared' ? sharedModuleBytes(bytes) : bytes;
    compiledRelaxed.set(memory, WebAssembly.validate(own) ? new WebAssembly.Module(own) : undefined);
  }
  return compiledRelaxed.get(memory);
}

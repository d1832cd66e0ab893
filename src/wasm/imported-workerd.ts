/**
 * The kernel modules where compiling from bytes is forbidden: the runtime compiles `kernels.wasm`,
 * which lies beside the bundle, and gives it to an import. Cloudflare's workerd and wrangler.
 * @module
 */
import module from './kernels.wasm';
import relaxed from './relaxed.wasm';
import { EngineError } from '../errors.ts';

/** The kernels as the runtime compiled them. */
export const embeddedModule = (): WebAssembly.Module => module as unknown as WebAssembly.Module;

/** @throws {EngineError} NO_WASM: there are no threads here that could use it. */
export function embeddedSharedModule(): WebAssembly.Module {
  throw new EngineError('NO_WASM', 'edge runtimes have no shared memory');
}

/** The relaxed build: these runtimes have relaxed SIMD; an engine tests it before it is used. */
export const embeddedRelaxedModule = (): WebAssembly.Module => relaxed as unknown as WebAssembly.Module;

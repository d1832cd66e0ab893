/**
 * The same for Vercel's and Next.js's bundlers, which want `?module` behind the name to give a
 * compiled module; see `imported-workerd.ts`.
 * @module
 */
import module from './kernels.wasm?module';
import { EngineError } from '../errors.ts';

/** The kernels as the runtime compiled them. */
export const embeddedModule = (): WebAssembly.Module => module;

/** @throws {EngineError} NO_WASM: there are no threads here that could use it. */
export function embeddedSharedModule(): WebAssembly.Module {
  throw new EngineError('NO_WASM', 'edge runtimes have no shared memory');
}

/** None: this sandbox compiles what is imported, and on Node.js 20 that would fail the whole route. */
export const embeddedRelaxedModule = (): WebAssembly.Module | undefined => undefined;

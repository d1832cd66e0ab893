/**
 * The one bundle that every runtime runs: the suite and the library.
 * @module
 */
export {
  embeddedModule, embeddedRelaxedModule, embeddedSharedModule,
} from '../../../src/wasm/embedded.ts';
export { Engine } from '../../../src/wasm/engine.ts';
export { runSuite } from '../suite.ts';

/**
 * Relaxed SIMD on Node.js 20, where it is behind a flag of V8. Imported first: modules are compiled once.
 * @module
 */
import { allowRelaxedSimd } from '../../src/cli/relaxed-simd.ts';

allowRelaxedSimd();

/**
 * Which variants an engine runs: those that its caller forces, else those that this runtime has and
 * computes right.
 * @module
 */
import { EngineError } from '../errors.ts';
import type { KernelExports } from './exports.ts';
import type { Heap } from './heap.ts';
import { withRelaxed } from './kernels.ts';
import { selfTest } from './self-test.ts';
import type { Build, ForcedVariants, Product } from './variants.ts';
import { Variants, checkVariants } from './variants.ts';

/** What was chosen. */
export interface Chosen {
  readonly kernels: KernelExports;
  readonly variants: Variants;
  /** Why something faster is not used, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Tests the kernels and chooses among them. A wrong relaxed build or popcount family is left out,
 * unless it is forced; everything else must be right.
 *
 * @param relaxed the relaxed build, where the runtime has it
 * @throws {EngineError} SELFTEST_FAILED if what is needed, or forced, computes wrongly; NO_SIMD if the
 *   relaxed build is forced where it does not exist.
 */
export function chooseVariants(
  kernels: KernelExports, memory: WebAssembly.Memory, heap: Heap,
  relaxed: WebAssembly.Module | undefined, forced: ForcedVariants,
): Chosen {
  checkVariants(forced);
  selfTest(kernels, memory, heap, ['lookup', 'float']);
  const notes: string[] = [];
  /** Whether `work` passes; a failure is noted, or thrown if the variant is forced. */
  const passes = (work: () => void, isForced: boolean, otherwise: string): boolean => {
    try {
      work();
      return true;
    } catch (error) {
      if (isForced || !(error instanceof EngineError)) throw error;
      notes.push(`${error.message}; ${otherwise}`);
      return false;
    }
  };
  const { build = relaxed ? 'relaxed' : 'baseline', product } = forced;
  const counts = passes(() => selfTest(kernels, memory, heap, ['popcount']),
    product === 'popcount', 'lookups are used instead of popcounts');
  const family: Product | undefined = counts ? product : 'lookup';
  const chosen = (own: KernelExports, name: Build): Chosen =>
    ({ kernels: own, variants: new Variants(name, family), notes });
  if (build === 'baseline') return chosen(kernels, 'baseline');
  const fast = relaxedKernels(kernels, relaxed, memory);
  const right = passes(() => selfTest(fast, memory, heap, ['lookup']),
    forced.build === 'relaxed', 'the baseline build is used');
  return right ? chosen(fast, 'relaxed') : chosen(kernels, 'baseline');
}

function relaxedKernels(
  kernels: KernelExports, relaxed: WebAssembly.Module | undefined, memory: WebAssembly.Memory,
): KernelExports {
  if (!relaxed)
    throw new EngineError('NO_SIMD',
      'createEngine: "build" expected baseline, got relaxed: this runtime has no relaxed SIMD');
  return withRelaxed(kernels, relaxed, memory);
}

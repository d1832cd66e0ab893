/**
 * Where nothing can be kept: edge runtimes.
 * @module
 */
import type { CacheStore } from './store.ts';

/** There is no store here. */
export const openStore = async (_folder?: string): Promise<CacheStore | undefined> => undefined;

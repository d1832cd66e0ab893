/**
 * Edge runtimes: no workers that share memory, so one thread computes.
 * @module
 */
import type { SpawnWorker } from './wasm/threads.ts';

const OBSTACLE = 'edge runtimes have no workers that share memory';

/** Why workers cannot share memory here. */
export const threadsObstacle = (): string | undefined => OBSTACLE;

/** Threads that an isolate runs at once. */
export const machineThreads = (): number => 1;

/** Never called, because of the obstacle. */
export const spawnWorker: SpawnWorker = () => {
  throw new Error(OBSTACLE);
};

/**
 * Engines with threads whose workers can be watched, waited for, and lost.
 *
 *   const { engine, pool } = threadedEngine(3);
 *   await pool.online();          // both workers wait for work
 *   …
 *   pool.commands();              // operations that were split
 *   pool.callsOfWorkers();        // calls of kernels that workers made, not the engine's own thread
 * @module
 */
import * as assert from 'uvu/assert';
import { spawnWorker } from '../../src/spawn-node.ts';
import { embeddedModule, embeddedRelaxedModule, embeddedSharedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';
import { ONLINE, WAKE } from '../../src/wasm/thread-protocol.ts';
import type { SpawnWorker, WorkerPort } from '../../src/wasm/threads.ts';
import type { ForcedVariants } from '../../src/wasm/variants.ts';

/** A word of the control block that the protocol does not use. */
const TALLY = 15;
/** Statements of a worker's script: it is ready, it makes calls. */
const READY = `Atomics.add(words, ${ONLINE}, 1);`;
const CLAIM = 'claimCalls(words, values, kernels, names, layout);';

/** A turn of the event loop, long enough for a message of a worker. */
export const tick = (milliseconds = 5): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The workers of one engine, seen through their control block. */
export class WatchedPool {
  #words?: Int32Array;
  readonly #workers: WorkerPort[] = [];
  #gone = 0;
  /** Spawns workers that count the calls they make. */
  readonly spawn: SpawnWorker;

  /** @param sabotage statements that a worker runs before it comes online; may change `kernels` */
  constructor(sabotage = '') {
    this.spawn = (source, onFailure) => {
      for (const statement of [READY, CLAIM])
        assert.is(source.split(statement).length, 2, `a worker has one ${statement}`);
      const watched = source
        .replace(READY, `${sabotage};\n${READY}`)
        .replace(CLAIM, `Atomics.add(words, ${TALLY}, ${CLAIM.slice(0, -1)});`);
      const worker = spawnWorker(watched, (reason) => {
        onFailure(reason);
        this.#gone++;
      });
      this.#workers.push(worker);
      return {
        ...worker,
        post: (message) => {
          this.#words = new Int32Array(message.control);
          worker.post(message);
        },
      };
    };
  }

  /** The control block; the pool starts with the first operation that is worth it. */
  get words(): Int32Array {
    return this.#words ?? assert.unreachable('the engine has not started its pool') as never;
  }

  /** Waits until every worker is there. */
  async online(): Promise<void> {
    for (const end = performance.now() + 20_000; this.words[ONLINE] < this.#workers.length; await tick())
      assert.ok(performance.now() < end, `only ${this.words[ONLINE]} workers came online`);
  }

  /** Ends every worker from outside, as a runtime that is short of memory does. */
  kill(): void {
    for (const worker of this.#workers) worker.terminate();
  }

  /** Waits until the runtime has told of `count` events of ended workers. */
  async gone(count = 1): Promise<void> {
    for (const end = performance.now() + 20_000; this.#gone < count; await tick())
      assert.ok(performance.now() < end, 'no worker ended');
  }

  /** Operations that were split so far; 0 if the pool never started. */
  commands(): number {
    return this.#words?.[WAKE] ?? 0;
  }

  /** Calls of kernels that workers made so far. */
  callsOfWorkers(): number {
    return this.#words?.[TALLY] ?? 0;
  }
}

/** An engine of `threads` threads and its pool. Its workers start with `startPool`, or with real work. */
export function threadedEngine(
  threads: number, forced: ForcedVariants = {}, sabotage?: string, maxMemory?: number,
): { engine: Engine; pool: WatchedPool } {
  const pool = new WatchedPool(sabotage);
  const engine = new Engine({
    module: embeddedModule(), relaxed: embeddedRelaxedModule('own'), maxMemory, ...forced,
    threading: {
      threads, module: embeddedSharedModule(), relaxed: embeddedRelaxedModule('shared'),
      spawn: pool.spawn,
    },
  });
  return { engine, pool };
}

/** Starts the workers of an engine and waits for them. */
export async function startPool(engine: Engine, pool: WatchedPool): Promise<void> {
  if (engine.threads === 1) return;
  const ptr = engine.heap.alloc(1024);
  engine.run(() => engine.split('addF32', 256, 4, 64, (from, to) =>
    [ptr + from * 4, ptr + from * 4, ptr + from * 4, to - from]));
  engine.heap.free(ptr);
  await pool.online();
}

/**
 * Engines at the other end of a pair of ports: everything about a worker but the thread.
 * @module
 */
import { createEngine } from '../../src/index.ts';
import type { RemoteEngine } from '../../src/worker/connect.ts';
import { connect } from '../../src/worker/connect.ts';
import type { MessageTarget } from '../../src/worker/endpoint.ts';
import { hostEngine } from '../../src/worker/host.ts';
import type { Engine } from '../../src/wasm/engine.ts';

export interface Pair {
  readonly remote: RemoteEngine;
  /** The engine that answers. */
  readonly engine: Engine;
  /** Messages that came to the page's side. */
  readonly received: () => number;
}

/** A connected pair, in one thread, with one thread. */
export async function connectedPair(): Promise<Pair> {
  const { port1, port2 } = new MessageChannel();
  let engine: Engine | undefined, received = 0;
  hostEngine(port2 as unknown as MessageTarget, ({ maxMemory }) =>
    (engine = createEngine({ threads: 1, maxMemory })));
  port1.addEventListener('message', () => received++);
  const remote = await connect({ worker: port1 as unknown as MessageTarget });
  return { remote, engine: engine!, received: () => received };
}

/** Runs `work` with a pair, and closes it whatever happens. */
export async function withPair(work: (pair: Pair) => Promise<void>): Promise<void> {
  const pair = await connectedPair();
  try {
    await work(pair);
  } finally {
    pair.remote.dispose();
  }
}

/** Long enough for messages that are under way to arrive. */
export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

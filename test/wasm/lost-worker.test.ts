/**
 * Workers that die with a call in their hands, and those that only seem to: real workers, real time.
 *
 * A pool of two threads makes two calls. The engine's thread waits in its first one until the worker
 * has taken a call too, so it is sure that there is one to be lost.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EngineError } from '../../src/errors.ts';
import { spawnWorker } from '../../src/spawn-node.ts';
import { embeddedModule, embeddedSharedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';
import type { KernelExports } from '../../src/wasm/exports.ts';
import { CALL_MASK, TICKET } from '../../src/wasm/thread-protocol.ts';
import { ThreadPool } from '../../src/wasm/threads.ts';
import { ended } from '../helpers/cli.ts';
import { failsWith, rejectsWith } from '../helpers/fails.ts';
import { WatchedPool, startPool, threadedEngine, tick } from '../helpers/workers.ts';

const CALLS = 2, VALUES = 64;

/** Statements of a worker's script that keep it busy for so many milliseconds. */
const busy = (milliseconds: number): string =>
  `for (const end = performance.now() + ${milliseconds}; performance.now() < end; );`;

/** A worker that does `work` before each of its calls. */
const before = (work: string): string =>
  `const add = kernels.addF32; kernels.addF32 = (...args) => { ${work}; return add(...args); }`;

/** Keeps this thread busy until `ready`, and for at least so many milliseconds. */
function wait(ready: () => boolean, milliseconds = 0): void {
  const start = performance.now();
  while (!ready() || performance.now() < start + milliseconds)
    assert.ok(performance.now() < start + 10_000, 'the worker takes a call within ten seconds');
}

/** A worker is given 0.8 s, or eight times what the engine's own calls took; and two looks at the clock. */
const limit = (own: number): number => Math.max(800, 8 * own) + 40;

interface Sums {
  readonly pool: ThreadPool;
  readonly watched: WatchedPool;
  /** Adds 1 to each of 128 values, which are 0 at first, in two calls. */
  add(): void;
  values(): Float32Array;
  /** Milliseconds of the call that the engine's own thread made. */
  own(): number;
}

/**
 * @param sabotage of the worker
 * @param during what the engine's thread does in a call of its own, after the worker has taken one
 */
async function sums(sabotage: string, during?: (watched: WatchedPool) => void): Promise<Sums> {
  const engine = new Engine({
    module: embeddedModule(),
    threading: { threads: 2, module: embeddedSharedModule(), spawn: () => assert.unreachable() as never },
  });
  const watched = new WatchedPool(sabotage);
  let own = 0;
  const ones = engine.heap.alloc(VALUES * 4), sum = engine.heap.alloc(CALLS * VALUES * 4);
  engine.f32(ones, VALUES).fill(1);
  const addF32: KernelExports['addF32'] = (a, b, y, n) => {
    const start = performance.now();
    wait(() => (watched.words[TICKET] & CALL_MASK) < CALLS - 1);
    during?.(watched);
    engine.kernels.addF32(a, b, y, n);
    own = performance.now() - start;
  };
  const pool = new ThreadPool(2, { module: embeddedSharedModule() }, engine.memory,
    { ...engine.kernels, addF32 }, watched.spawn);
  await watched.online();
  const calls = Array.from({ length: CALLS }, (_, i) => {
    const at = sum + i * VALUES * 4;
    return [at, ones, at, VALUES];
  });
  return {
    pool, watched, add: () => pool.run('addF32', calls),
    values: () => engine.f32(sum, CALLS * VALUES).slice(), own: () => own,
  };
}

const test = suite('a lost worker');

for (const [name, sabotage, reason, during] of [
  ['ends', 'process.exit(7)', 'silent for'],
  ['hangs', 'for (;;);', 'silent for'],
  ['traps', 'args = [2 ** 31, 0, 0, 1024]', 'it trapped'],
  ['is terminated', busy(5000), 'silent for', (watched: WatchedPool) => watched.kill()],
] as const) {
  test(`that ${name} with a call in its hands is reported within a second, and ended`, async () => {
    const { add, watched, own } = await sums(before(sabotage), during);
    const { message } = failsWith(add, EngineError, 'WORKER_LOST');
    const [, why, silence = 0] = /lost \((it trapped|silent for (\d+) ms)\)/.exec(message)!;
    assert.ok(why.startsWith(reason), message);
    assert.ok(Number(silence) <= limit(own()), `${message}; own ${own()} ms`);
    await watched.gone();
    failsWith(add, EngineError, 'WORKER_LOST');
  });
}

test('that was idle is reported by the next operation, at once', async () => {
  const { engine, pool } = threadedEngine(3);
  await startPool(engine, pool);
  pool.kill();
  await pool.gone(2);
  await rejectsWith(startPool(engine, pool), EngineError, 'WORKER_LOST');
  failsWith(() => engine.run(() => undefined), EngineError, 'INSTANCE_POISONED');
});

test('is none that takes 1.3 s for a call, where the engine\'s own takes 0.2 s', async () => {
  const { pool, add, values } = await sums(before(busy(1300)), () => wait(() => true, 200));
  add();
  assert.ok(values().every((value) => value === 1));
  pool.dispose();
});

test('is none that never started: the others do its work', async () => {
  const pool = new WatchedPool();
  let refused = 0;
  const engine = new Engine({
    module: embeddedModule(),
    threading: {
      threads: 3, module: embeddedSharedModule(),
      spawn: (source, onFailure) => refused++ === 0
        ? spawnWorker('throw new Error("no room for a stack")', onFailure) : pool.spawn(source, onFailure),
    },
  });
  await startPool(engine, pool);
  await tick(200); // the first worker's errors arrive
  for (let i = 0; i < 20; i++) await startPool(engine, pool);
  assert.is(engine.info.threads, 3);
  assert.is(pool.commands(), 20);
  engine.dispose();
});

/**
 * A program that computes a short product on the engine's thread and a long one on a worker, and tells
 * when. While its pool rests it has to try again: then the engine's thread computes both.
 */
const STOPPED = `
import { writeSync } from 'node:fs';
import { createEngine } from '${pathToFileURL(resolve('dist/node.js')).href}';
const engine = createEngine({ threads: 2, build: 'baseline' });
const [n, k, most] = [2048, 2048, 1 << 13];
const sizes = [most * k, most * 4, n * k / 8, most * n * 4];
const [planes, sums, tiles, y] = sizes.map((bytes) => engine.heap.alloc(bytes));
engine.u8(planes, most * k).fill(0x5a);
const kernel = engine.kernels.gemmPopcountI8B1;
let own = 0;
engine.kernels.gemmPopcountI8B1 = (...args) => (own++, kernel(...args));
const call = (m) => [planes, sums, tiles, y, m, n, k, k, 8];
const product = (m, other) => {
  own = 0;
  engine.run(() => engine.each('gemmPopcountI8B1', 2, (i) => call(i ? other : m)));
};
const start = performance.now();
kernel(...call(64));
const perToken = (performance.now() - start) / 64;
const tokens = (ms) => Math.max(1, Math.min(most, Math.round(ms / perToken)));
const ready = async () => {
  for (own = 2; own !== 1; product(8, 8)) await new Promise((done) => setTimeout(done, 20));
};
do {
  await ready();
  writeSync(1, 'stop me, ');
  product(tokens(40), tokens(350));
} while (own !== 1);
writeSync(1, 'done');
process.exit(0);
`;

test('is none that was stopped with its process for longer than that, and continued', async () => {
  if (process.platform === 'win32') return; // no such signals
  const child = spawn(process.execPath, ['--input-type=module', '-e', STOPPED]);
  child.stdout.on('data', (text: Buffer) => {
    if (!text.includes('stop me')) return;
    setTimeout(() => child.kill('SIGSTOP'), 120);
    setTimeout(() => child.kill('SIGCONT'), 1400);
  });
  const { code, stdout, stderr } = await ended(child);
  assert.match(stdout, /^(stop me, )+done$/, stderr);
  assert.is(code, 0);
});

test.run();

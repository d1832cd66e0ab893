/** Threads: the same bytes at any number, lost workers, modules for shared memory. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { crc32 } from '../../src/io/crc32.ts';
import { PRESETS } from '../../src/model/config.ts';
import { encodeModel } from '../../src/model/file.ts';
import { spawnWorker } from '../../src/spawn-node.ts';
import type { RunOptions } from '../../src/train/run.ts';
import { prepareRun } from '../../src/train/run.ts';
import { withStories } from '../../src/train/story-run.ts';
import { embeddedModule, embeddedSharedModule } from '../../src/wasm/embedded.ts';
import { Engine } from '../../src/wasm/engine.ts';
import { sharedModuleBytes } from '../../src/wasm/shared-module.ts';
import { ONLINE } from '../../src/wasm/thread-protocol.ts';
import type { SpawnWorker } from '../../src/wasm/threads.ts';
import { ThreadPool } from '../../src/wasm/threads.ts';

const engineOf = (threads: number, spawn: SpawnWorker = spawnWorker): Engine =>
  new Engine({
    module: embeddedModule(), threading: { threads, module: embeddedSharedModule(), spawn },
  });

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

/** Values that make several pieces of an element-wise operation. */
const COUNT = 100_000;

/** Adds two arrays with `split`; whether every sum is right. */
function addsRight(engine: Engine, ptr: number): boolean {
  engine.f32(ptr, COUNT).forEach((_, i, x) => (x[i] = i));
  engine.run(() => engine.split('addF32', COUNT, 4, 1000, (from, to) =>
    [ptr + from * 4, ptr + from * 4, ptr + from * 4, to - from]));
  return engine.f32(ptr, COUNT).every((value, i) => value === 2 * i);
}

const training = suite('training on threads');

const RUNS: readonly (readonly [string, RunOptions, readonly number[]])[] = [
  ...PRESETS.map((preset) => [preset, { preset }, [1, 2, 3, 8]] as const),
  ['elastic activations, norms behind products', { config: {
    activationQuantization: 'elastic', productNorms: true, subNorms: false } }, [1, 2, 3]],
];

for (const [name, options, counts] of RUNS) {
  training(`of ${name} gives the same model at ${counts} threads`, async () => {
    const digests: number[] = [];
    for (const threads of counts) {
      const engine = engineOf(threads);
      const { trainer, tokenizer } = prepareRun(engine, await withStories({
        ...options, tokenizer: 'bytes', layers: 2, heads: 4, width: 64, context: 48, batch: 7, steps: 12,
      }));
      while (!trainer.done) {
        trainer.step();
        await tick(); // the workers come online while the run goes on
      }
      digests.push(crc32(encodeModel(trainer.model, trainer.weights, tokenizer.toJson())));
      digests.push(crc32(new Uint8Array(trainer.model.logits([1, 2, 3]).buffer)));
      engine.dispose();
    }
    for (let i = 2; i < digests.length; i += 2)
      assert.equal(digests.slice(i, i + 2), digests.slice(0, 2));
  });
}

training.run();

const pool = suite('ThreadPool');

pool('makes every call once, on workers too', async () => {
  const engine = engineOf(3);
  const ptr = engine.heap.alloc(COUNT * 4);
  for (let i = 0; i < 200; i++) {
    assert.ok(addsRight(engine, ptr), `round ${i}`);
    if (i % 20 === 0) await tick();
  }
  engine.dispose();
});

pool('sees memory that has grown since the workers started', async () => {
  const engine = engineOf(2);
  assert.ok(addsRight(engine, engine.heap.alloc(COUNT * 4)));
  for (let i = 0; i < 20; i++) await tick();
  const ptr = engine.heap.alloc(COUNT * 4 + (64 << 20));
  for (let i = 0; i < 20; i++) assert.ok(addsRight(engine, ptr + (64 << 20)));
  engine.dispose();
});

pool('never starts for an engine of one thread', () => {
  const engine = new Engine({ module: embeddedModule() });
  assert.is(engine.info.threads, 1);
  assert.not.ok(engine.memory.buffer instanceof SharedArrayBuffer);
  assert.ok(addsRight(engine, engine.heap.alloc(COUNT * 4)));
});

pool('splits into no more calls than a command holds on a machine of 64 threads', () => {
  const idle: SpawnWorker = () => ({
    post: ({ control }) => void (new Int32Array(control)[ONLINE] = 1),
    terminate: () => undefined,
  });
  const engine = engineOf(64, idle);
  assert.ok(addsRight(engine, engine.heap.alloc(COUNT * 4)));
});

pool('refuses more arguments than a command holds', () => {
  const engine = engineOf(2);
  const own = new ThreadPool(
    1, { module: embeddedSharedModule() }, engine.memory, engine.kernels, spawnWorker);
  assert.throws(() => own.run('addF32', [new Array(21).fill(0)]), (error: unknown) =>
    error instanceof RangeError);
  engine.dispose();
});

pool.run();

const shared = suite('sharedModuleBytes');

shared('refuses what is not the kernels', () => {
  assert.throws(() => sharedModuleBytes(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)),
    (error: { code: string }) => error.code === 'NO_WASM');
});

shared.run();

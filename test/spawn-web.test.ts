/** What hinders threads in a page is said in words. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createEngine } from '../src/core.ts';
import * as none from '../src/spawn-none.ts';
import { machineThreads, spawnWorker, threadsObstacle } from '../src/spawn-web.ts';
import { embeddedModule, embeddedSharedModule } from '../src/wasm/embedded.ts';

const test = suite('spawn-web');

/** Runs `work` with other globals, as a page may have them. */
function withGlobals(globals: Record<string, unknown>, work: () => void): void {
  const before = Object.keys(globals).map((name) =>
    [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
  for (const [name, value] of Object.entries(globals))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  try {
    work();
  } finally {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else delete (globalThis as Record<string, unknown>)[name];
    }
  }
}

class NoWorker {
  constructor() {
    throw new Error('worker-src forbids it');
  }
}

test('says that there are no workers, no isolation, no shared memory', () => {
  withGlobals({ Worker: undefined }, () => assert.match(threadsObstacle()!, /no workers/));
  withGlobals({ Worker: NoWorker, crossOriginIsolated: false }, () => {
    assert.match(threadsObstacle()!, /not cross-origin isolated.*Cross-Origin-Opener-Policy/);
    assert.is(machineThreads(), 1);
  });
  withGlobals({ Worker: NoWorker, crossOriginIsolated: true, SharedArrayBuffer: undefined }, () =>
    assert.match(threadsObstacle()!, /no SharedArrayBuffer/));
});

test('finds no obstacle in an isolated page, and as many threads as it has cores', () => {
  const navigator = { hardwareConcurrency: 6 };
  withGlobals({ Worker: NoWorker, crossOriginIsolated: true, navigator }, () => {
    assert.is(threadsObstacle(), undefined);
    assert.is(machineThreads(), 6);
  });
});

test('an engine whose workers are refused computes alone and says why', () => {
  withGlobals({ Worker: NoWorker }, () => {
    const engine = createEngine({
      module: embeddedModule(),
      threading: { threads: 3, module: embeddedSharedModule(), spawn: spawnWorker },
    });
    assert.is(engine.info.threads, 3, 'nothing is known before there is work');
    const n = 100_000, x = engine.heap.alloc(n * 4);
    engine.f32(x, n).fill(2);
    engine.split('addF32', n, 4, 1000, (from, to) => [x + from * 4, x + from * 4, x + from * 4, to - from]);
    assert.ok(engine.f32(x, n).every((value) => value === 4));
    assert.is(engine.info.threads, 1);
    assert.match(engine.info.notes.join(), /worker-src forbids it/);
    engine.dispose();
  });
});

test('an engine passes on why it has no threads', () => {
  const engine = createEngine({ module: embeddedModule(), oneThreadReason: 'no cores' });
  assert.equal([engine.info.threads, engine.info.notes], [1, ['no cores']]);
  assert.equal(createEngine({ module: embeddedModule() }).info.notes, []);
});

test('edge runtimes have one thread', () => {
  assert.is(none.machineThreads(), 1);
  assert.match(none.threadsObstacle()!, /edge runtimes/);
  assert.throws(() => none.spawnWorker('', () => undefined), /edge runtimes/);
});

test.run();

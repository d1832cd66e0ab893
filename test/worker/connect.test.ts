// Connecting: real threads, workers that are lost, the files of the package.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { EngineError } from '../../src/errors.ts';
import { createEngine, load } from '../../src/index.ts';
import type { MessageTarget, RemoteEngine } from '../../src/worker/connect.ts';
import { connect } from '../../src/worker/connect.ts';
import { serve } from '../../src/worker/serve.ts';
import { rejection, rejectsWith } from '../helpers/fails.ts';
import { connectedPair } from '../helpers/remote.ts';
import { throwsA } from '../helpers/throws.ts';
import { tinyModel } from '../helpers/tiny-model.ts';

/** A thread that serves an engine of the built package. */
const newThread = (source = 'serve(parentPort)'): Worker => {
  const dist = pathToFileURL('dist/node-worker-serve.js').href;
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(
    `import { parentPort } from 'node:worker_threads'; import { serve } from '${dist}'; ${source}`)}`));
};

const asTarget = (worker: unknown): MessageTarget => worker as MessageTarget;

async function textOf(engine: RemoteEngine, bytes: Uint8Array): Promise<string> {
  let text = '';
  const model = await engine.load(bytes);
  for await (const piece of model.generate('One day', { seed: 4, maxTokens: 50 })) text += piece;
  return text;
}

const test = suite('connect');

test('reaches an engine in a thread, of one thread or more, that writes what this one writes',
  async () => {
    const bytes = tinyModel();
    let here = '';
    const local = await load(bytes, { engine: createEngine({ threads: 1 }) });
    for await (const piece of local.generate('One day', { seed: 4, maxTokens: 50 })) here += piece;
    for (const threads of [1, 2]) {
      const engine = await connect({ worker: asTarget(newThread()), threads });
      assert.is(engine.info.threads, threads);
      assert.is(await textOf(engine, bytes), here);
      assert.ok((await engine.currentInfo()).memoryBytes >= engine.info.memoryBytes);
      engine.dispose();
    }
  });

test('says WORKER_LOST of a worker that cannot start, dies at work, or died before', async () => {
  const broken = asTarget(newThread('throw new Error("no")'));
  await rejectsWith(connect({ worker: broken }), EngineError, 'WORKER_LOST');
  const thread = newThread(), engine = await connect({ worker: asTarget(thread), threads: 1 });
  const model = await engine.load(tinyModel());
  const pieces = model.generate('One day', { maxTokens: 1e6 });
  await pieces.next();
  const pending = model.evaluate('One day '.repeat(20_000));
  void thread.terminate();
  await rejectsWith(pending, EngineError, 'WORKER_LOST');
  const drained = (async () => {
    for await (const piece of pieces) if (piece === undefined) break;
  })();
  await rejectsWith(drained, EngineError, 'WORKER_LOST');
  await rejectsWith(engine.load(tinyModel()), EngineError, 'WORKER_LOST');
});

test('passes on why an engine cannot be made', async () => {
  const thread = newThread();
  const error = await rejection(connect({ worker: asTarget(thread), threads: 0 }));
  assert.instance(error, RangeError);
  await rejectsWith(connect({ worker: asTarget(newThread()), threads: 1, maxMemory: 65_536 }),
    EngineError, 'OUT_OF_MEMORY');
});

test('lets dispose end everything: what is pending and what is called later', async () => {
  const { remote } = await connectedPair();
  const pending = remote.currentInfo();
  remote.dispose();
  remote.dispose();
  await rejectsWith(pending, EngineError, 'CLOSED');
  await rejectsWith(remote.currentInfo(), EngineError, 'CLOSED');
});

test('needs a worker where there is no global one, and serve a port', async () => {
  assert.is((globalThis as { Worker?: unknown }).Worker, undefined);
  await rejectsWith(connect(), EngineError, 'WORKER_LOST');
  throwsA(() => serve(), TypeError, 'parentPort');
});

test('is a small file that starts the worker beside it, and imports no kernels', () => {
  const text = readFileSync('dist/worker.js', 'utf8');
  assert.ok(text.includes('new URL("./worker-main.js",import.meta.url)'));
  assert.ok(text.length < 10_000, `${text.length} characters`);
  for (const [, chunk] of text.matchAll(/from"\.\/(chunks\/[^"]+)"/g))
    assert.ok(readFileSync(`dist/${chunk}`).length < 5000, chunk);
});

test.run();

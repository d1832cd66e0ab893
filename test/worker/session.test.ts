// Sessions of a model in a worker: their bytes are those of sessions here, and load on either side.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CheckpointError, EngineError, ModelFileError } from '../../src/errors.ts';
import { createEngine, load } from '../../src/index.ts';
import { rejectsWith } from '../helpers/fails.ts';
import { settle, withPair } from '../helpers/remote.ts';
import { sameBytes, tinyModel } from '../helpers/tiny-model.ts';
import { sameBits } from '../helpers/close.ts';

const GOOD = tinyModel({ steps: 20 });
const local = load(GOOD, { engine: createEngine({ threads: 1 }) });
const OPTIONS = { maxTokens: 6, seed: 4 } as const;

const test = suite('a session in a worker');

for (const kvCacheType of ['f32', 'i8'] as const)
  test(`is saved to the bytes of a session here, and goes on in either place, ${kvCacheType}`, () =>
    withPair(async ({ remote }) => {
      const there = await remote.load(GOOD), here = await local, options = { ...OPTIONS, kvCacheType };
      const session = await there.session(), own = here.session();
      const text = await session.generate('One', options).text();
      assert.is(text, await own.generate('One', options).text());
      assert.equal(await session.ids(), own.ids);
      const saved = await session.save();
      sameBytes(saved, own.save(), 'session');
      const restoredHere = here.restore(saved), restoredThere = await there.restore(own.save());
      const next = await own.generate(' a', options).text();
      assert.is(await session.generate(' a', options).text(), next);
      assert.is(await restoredHere.generate(' a', options).text(), next);
      const stream = restoredThere.generate(' a', options);
      assert.is(await stream.text(), next);
      assert.ok(stream.usage.cachedTokens > 0, 'keys and values came with the bytes');
      for (const one of [own, restoredHere]) one.dispose();
    }));

test('fails as a session here would, and when it is closed', () => withPair(async ({ remote }) => {
  const model = await remote.load(GOOD), other = await remote.load(tinyModel({ steps: 2 }));
  const session = await model.session();
  await session.generate('One', OPTIONS).text();
  const saved = await session.save(), damaged = saved.slice();
  damaged[damaged.length - 1] ^= 1;
  await rejectsWith(other.restore(saved), CheckpointError, 'MISMATCH');
  await rejectsWith(model.restore(damaged), ModelFileError, 'CORRUPT');
  await session.dispose();
  for (const work of [session.save(), session.ids(), session.generate('a').next()])
    await rejectsWith(work, EngineError, 'CLOSED');
  await model.dispose();
  await rejectsWith(model.session(), EngineError, 'CLOSED');
}));

test('gives its memory back when it or its model ends', () => withPair(async ({ remote, engine }) => {
  const before = engine.heap.usedBytes, model = await remote.load(GOOD);
  await (await model.session()).generate('One', { ...OPTIONS, maxCachedTokens: 0 }).text();
  const withOne = engine.heap.usedBytes, second = await model.session();
  await second.generate('One', OPTIONS).text();
  assert.ok(engine.heap.usedBytes > withOne);
  await second.dispose();
  assert.is(engine.heap.usedBytes, withOne);
  await model.dispose();
  await settle();
  assert.is(engine.heap.usedBytes, before);
}));

test('has a prompt cache that can be cleared, and embeds as here', () => withPair(async ({ remote }) => {
  const model = await remote.load(GOOD), here = await local;
  await model.generate('One day', OPTIONS).text();
  assert.ok(await model.promptCache.capacity() > 0);
  await model.promptCache.clear();
  assert.is(await model.promptCache.capacity(), 0);
  sameBits(await model.embed('One day', { pooling: 'mean' }), here.embed('One day', { pooling: 'mean' }));
}));

test.run();

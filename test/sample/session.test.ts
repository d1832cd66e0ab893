// Sessions: a text in turns is the text in one piece, saved and restored or not.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CheckpointError, ModelFileError, OnebitError } from '../../src/errors.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import { openLanguageModel } from '../../src/sample/language-model.ts';
import { failsWith } from '../helpers/fails.ts';
import { newEngine, tinyModel } from '../helpers/tiny-model.ts';

const BYTES = tinyModel({ steps: 20, context: 64 });
const open = (bytes = BYTES) => openLanguageModel(newEngine(), bytes);
const greedy = { temperature: 0, maxTokens: 8 };

const test = suite('Session');

test('goes on where it was, in this runtime and in another, for every type of cache', async () => {
  for (const kvCacheType of ['f32', 'f16', 'i8'] as const) {
    const model = open(), options = { ...greedy, kvCacheType }, session = model.session();
    const first = await session.generate('One day', options).text();
    const saved = session.save(), other = open().restore(saved);
    assert.equal(other.ids, session.ids);
    const next = session.generate(' a', options), text = await next.text();
    assert.is(next.usage.cachedTokens, next.usage.promptTokens - 3,
      'all but the last token and the new ones');
    const there = other.generate(' a', options);
    assert.is(await there.text(), text);
    assert.equal(there.usage, next.usage);
    assert.is(await open().generate(`One day${first} a`, options).text(), text);
    assert.equal(other.save(), session.save());
  }
});

test('can be saved before anything is written', async () => {
  const again = open().restore(open().session().save());
  assert.equal(again.ids, []);
  assert.is((await again.generate('One', greedy).text()).length, 8);
});

test('refuses another model, another version, and bytes that are none', async () => {
  const model = open(), session = model.session();
  await session.generate('One day', greedy).text();
  const saved = session.save(), used = model.model.engine.heap.usedBytes;
  failsWith(() => open(tinyModel({ steps: 21, context: 64 })).restore(saved), CheckpointError, 'MISMATCH');
  const { tensors, metadata } = decodeSafetensors(saved);
  const changed = (field: string, value: string): Uint8Array => encodeSafetensors(
    tensors.values(), new Map([...metadata, [field, value]]), { checksum: true });
  failsWith(() => model.restore(changed('onebit.session', '2')), CheckpointError, 'UNSUPPORTED_VERSION');
  for (const [field, value] of [['kvCacheType', 'f8'], ['kvCacheType', 'i8'], ['cached', '3'], ['cached',
    '-1'], ['cached', '1e9']])
    failsWith(() => model.restore(changed(field, value)), CheckpointError, 'CORRUPT');
  failsWith(() => model.restore(BYTES), CheckpointError, 'CORRUPT');
  failsWith(() => model.restore(new Uint8Array(5)), ModelFileError, 'TRUNCATED');
  for (let at = 0; at < saved.length; at += 97) {
    const damaged = saved.slice();
    damaged[at] ^= 1;
    try {
      model.restore(damaged);
      assert.unreachable(`byte ${at}`);
    } catch (error) {
      assert.instance(error, OnebitError, `byte ${at}`);
    }
    assert.throws(() => model.restore(saved.subarray(0, at)));
  }
  assert.is(model.model.engine.heap.usedBytes, used);
});

test.run();

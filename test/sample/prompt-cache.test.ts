// The prompt cache: it saves work and changes no bit, in whatever order texts are written.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { GenerateOptions, Generation } from '../../src/sample/generate.ts';
import { openLanguageModel } from '../../src/sample/language-model.ts';
import type { LanguageModel } from '../../src/sample/language-model.ts';
import { generate } from '../../src/sample/generate.ts';
import { PromptCache } from '../../src/sample/prompt-cache.ts';
import type { TextStream } from '../../src/sample/text-stream.ts';
import { rejection } from '../helpers/fails.ts';
import { TINY_TEXT, equalBits, newEngine, tinyModel } from '../helpers/tiny-model.ts';

const BYTES = tinyModel({ steps: 20, context: 64 });
const open = (): LanguageModel => openLanguageModel(newEngine(), BYTES);
const MODEL = open();
const PROMPT = TINY_TEXT.slice(0, 40);

async function whole(stream: TextStream): Promise<Generation> {
  await stream.text();
  return stream.generation!;
}

/** Without any cache. */
const plain = (prompt: string, options: GenerateOptions): Promise<Generation> =>
  whole(generate(MODEL.model, MODEL.tokenizer, prompt, options));

const test = suite('prompt cache');

test('gives the same logits, bit for bit, however a sequence is cut into calls and cached', () => {
  const ids = MODEL.tokenizer.encode(TINY_TEXT.slice(0, 60)), V = MODEL.model.config.vocabSize;
  for (const type of ['f32', 'f16', 'i8'] as const) {
    const all = MODEL.model.createCache(64, type), expected = MODEL.model.logits(ids, { cache: all });
    for (const cut of [1, 7, 40, 59]) {
      const first = MODEL.model.createCache(48 + 12, type), cache = MODEL.model.createCache(64, type);
      MODEL.model.logits(ids.subarray(0, cut), { cache: first });
      cache.copyFrom(first, cut);
      first.dispose();
      for (let i = cut; i < ids.length; i++) {
        const row = MODEL.model.logits([ids[i]], { cache });
        assert.ok(equalBits(row, expected.subarray(i * V, (i + 1) * V)), `${type}, ${i} after ${cut}`);
      }
      cache.dispose();
    }
    all.dispose();
  }
});

test('reads of the same prompt only the last token, and of a longer one only what is new', async () => {
  const model = open(), options = { seed: 3, maxTokens: 10 };
  assert.is((await whole(model.generate(PROMPT, options))).usage.cachedTokens, 0);
  assert.is((await whole(model.generate(PROMPT, options))).usage.cachedTokens, 39);
  const longer = TINY_TEXT.slice(0, 50);
  assert.is((await whole(model.generate(longer, options))).usage.cachedTokens, 40);
  assert.is((await whole(model.generate(TINY_TEXT.slice(0, 20), options))).usage.cachedTokens, 19);
});

test('writes the same text with it and without, for every type, mixed and beyond the context', async () => {
  const model = open();
  for (let i = 0; i < 40; i++) {
    const start = [0, 0, 0, 300][i % 4], length = [5, 40, 41, 63, 64, 65, 100][i % 7];
    const prompt = TINY_TEXT.slice(start, start + length);
    const options: GenerateOptions = {
      seed: i, maxTokens: [3, 30, 90][i % 3], kvCacheType: (['f32', 'i8', 'f16'] as const)[(i >> 2) % 3],
      speculation: i % 2 ? 'prompt-lookup' : 'none', maxCachedTokens: [64, 500][i % 2],
    };
    const cached = await whole(model.generate(prompt, options)), expected = await plain(prompt, options);
    assert.equal(cached.ids, expected.ids, `text ${i}`);
    assert.ok(model.promptCache.capacity <= options.maxCachedTokens!);
  }
});

test('is never shared by texts that are written side by side', async () => {
  const model = open(), options = { maxTokens: 40, maxCachedTokens: 300 };
  await whole(model.generate(PROMPT, options));
  const streams = [1, 2, 3].map((seed) => model.generate(PROMPT, { ...options, seed }));
  for (let open = true; open;) {
    open = false;
    for (const stream of streams) open = !(await stream.next()).done || open;
  }
  for (const [i, { generation }] of streams.entries())
    assert.equal(generation!.ids, (await plain(PROMPT, { ...options, seed: i + 1 })).ids);
});

test('is right after an abort in the middle and a reader that left', async () => {
  const model = open(), stop = new AbortController();
  const stream = model.generate(PROMPT, { signal: stop.signal, speculation: 'prompt-lookup', seed: 1 });
  for (let i = 0; i < 7; i++) await stream.next();
  stop.abort();
  await rejection(stream.next());
  assert.is(stream.finishReason, 'abort');
  const left = model.generate(PROMPT, { seed: 1, speculation: 'prompt-lookup' });
  for (let i = 0; i < 5; i++) await left.next();
  await left.return();
  assert.is(left.finishReason, 'abort');
  const again = await whole(model.generate(PROMPT, { seed: 2 }));
  assert.is(again.usage.cachedTokens, 39);
  assert.equal(again.ids, (await plain(PROMPT, { seed: 2 })).ids);
});

test('keeps what others begin with when a text goes on differently early', async () => {
  const model = open(), options = { maxTokens: 1, maxCachedTokens: 300 };
  await whole(model.generate(TINY_TEXT.slice(0, 60), options));
  const other = `${TINY_TEXT.slice(0, 12)}\n\n`;
  assert.is((await whole(model.generate(other, options))).usage.cachedTokens, 12);
  assert.is((await whole(model.generate(TINY_TEXT.slice(0, 60), options))).usage.cachedTokens, 59);
});

test('lets the oldest go, keeps nothing for 0, and gives all memory back', async () => {
  const model = open(), options = { maxTokens: 1, maxCachedTokens: 128 };
  await whole(model.generate(TINY_TEXT.slice(0, 64), options));
  model.promptCache.clear();
  const used = model.model.engine.heap.usedBytes; // with the workspace of a long pass
  for (const at of [0, 100, 200, 300]) await whole(model.generate(TINY_TEXT.slice(at, at + 30), options));
  assert.is(model.promptCache.capacity, 128);
  const cached = async (at: number): Promise<number> =>
    (await whole(model.generate(TINY_TEXT.slice(at, at + 30), options))).usage.cachedTokens;
  assert.is(await cached(300), 29);
  assert.ok(await cached(0) < 10);
  await whole(model.generate('One', { maxTokens: 1, maxCachedTokens: 0 }));
  model.promptCache.clear();
  assert.is(model.promptCache.capacity, 0);
  assert.is(model.model.engine.heap.usedBytes, used);
  const stream = model.generate(PROMPT);
  await stream.next();
  model.dispose();
  await stream.return();
  assert.is(model.model.engine.heap.usedBytes, 0);
});

test('gives way when memory is short', () => {
  const { model } = open(), cache = model.createCache(64), { bytes } = cache;
  const caches = new PromptCache(model);
  model.logits([1, 2, 3], { cache });
  caches.give([1, 2, 3], cache);
  const limit = model.engine.heap;
  const alloc = limit.alloc.bind(limit);
  let refused = 0;
  limit.alloc = (size) => {
    if (size === bytes && refused++ === 0) return newEngine(2 ** 20).heap.alloc(2 ** 30);
    return alloc(size);
  };
  caches.create(64).dispose();
  limit.alloc = alloc;
  assert.is(caches.capacity, 0);
});

test.run();

// What a stream of text says of itself, while it is written and after.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConstraintError, EngineError } from '../../src/errors.ts';
import { presetConfig } from '../../src/model/config.ts';
import type { GenerateOptions } from '../../src/sample/generate.ts';
import { generate } from '../../src/sample/generate.ts';
import { openLanguageModel } from '../../src/sample/language-model.ts';
import { rejection, rejectsWith } from '../helpers/fails.ts';
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts';
import { newEngine, randomModel, tinyModel } from '../helpers/tiny-model.ts';

const MODEL = openLanguageModel(newEngine(), tinyModel({ steps: 20 }));

const test = suite('TextStream');

test('counts tokens as they are written, and says why it ended', async () => {
  const stream = MODEL.generate('One day', { maxTokens: 5 });
  assert.is(stream.usage.promptTokens, 0);
  assert.is(stream.finishReason, undefined);
  let seen = 0;
  for await (const piece of stream) {
    assert.ok(piece);
    assert.is(stream.usage.completionTokens, ++seen);
    assert.is(stream.finishReason, undefined);
  }
  const { usage, finishReason, generation } = stream;
  assert.equal([usage.promptTokens, usage.completionTokens, usage.totalTokens], [7, 5, 12]);
  assert.is(finishReason, 'length');
  assert.equal(generation!.usage, usage);
});

test('has the whole text at once for who wants that', async () => {
  const text = await MODEL.generate('One day', { maxTokens: 5 }).text();
  assert.is(text.length, 5);
});

test('ends by abort when its reader leaves or its signal says so, by error otherwise', async () => {
  const left = MODEL.generate('One');
  for await (const piece of left) if (piece) break;
  assert.is(left.finishReason, 'abort');
  assert.equal(await left.next(), { done: true, value: undefined });
  const stop = MODEL.generate('One', { signal: AbortSignal.abort() });
  await rejection(stop.next());
  assert.is(stop.finishReason, 'abort');
  const wrong = MODEL.generate('One', { temperature: -1 });
  await rejection(wrong.next());
  assert.is(wrong.finishReason, 'error');
  const closed = openLanguageModel(newEngine(), tinyModel({ steps: 1 }));
  closed.dispose();
  await rejectsWith(closed.generate('One').text(), EngineError, 'CLOSED');
});

test('follows token ids as it follows their text', async () => {
  const ids = MODEL.tokenizer.encode('One day'), options = { seed: 2, maxTokens: 20 };
  const text = await MODEL.generate('One day', options).text();
  assert.is(await MODEL.generate(ids, options).text(), text);
  assert.is(await MODEL.generate([...ids], options).text(), text);
  assert.instance(await rejection(MODEL.generate({} as never).next()), TypeError);
  await rejection(MODEL.generate([1e6]).next());
});

test('ends at a stop token, which has no text', async () => {
  const options = { seed: 2, maxTokens: 40 }, free = MODEL.generate('One day', options);
  const text = await free.text(), { ids } = free.generation!;
  const stream = MODEL.generate('One day', { ...options, stopTokens: [ids[9]] });
  const at = ids.indexOf(ids[9]);
  assert.is(await stream.text(), text.slice(0, at));
  assert.is(stream.finishReason, 'stop');
  assert.equal(stream.generation!.ids, ids.slice(0, at + 1));
});

test('reports the probability of each token and of as many others as asked', async () => {
  const stream = MODEL.generate('One day', { maxTokens: 6, temperature: 0, logprobs: 2 });
  await stream.text();
  const { ids, logprobs } = stream.generation!;
  assert.equal(logprobs!.map(({ id }) => id), ids);
  for (const { id, logprob, text, top } of logprobs!) {
    assert.is(top[0].id, id, 'greedy takes the most probable');
    assert.ok(logprob === top[0].logprob && logprob < 0 && top[1].logprob <= logprob);
    assert.is(text, MODEL.tokenizer.decode([id]));
  }
  assert.is((MODEL.generate('One')).generation, undefined);
});

test('holds a text to a format at any temperature, and ends when it is whole', async () => {
  const tokenizer = createTokenizer('bytes', ''), schema = {
    type: 'object', required: ['a', 'b'], additionalProperties: false,
    properties: { a: { type: 'integer' }, b: { enum: ['x', 'y'] } },
  };
  const { model } = randomModel(presetConfig('bitnet', {
    vocabSize: 256, width: 32, layers: 1, heads: 2, context: 64 }));
  for (let seed = 0; seed < 20; seed++) {
    const options: GenerateOptions = {
      seed, temperature: 3, responseFormat: { type: 'json_schema', schema },
      speculation: seed % 2 ? 'prompt-lookup' : 'none',
    };
    const stream = generate(model, tokenizer, 'One', options), value = JSON.parse(await stream.text());
    assert.is(stream.finishReason, 'stop');
    assert.ok(Number.isInteger(value.a) && 'xy'.includes(value.b));
    const cut = generate(model, tokenizer, 'One', { ...options, maxTokens: 4 });
    assert.is((await cut.text()).length, 4);
    assert.is(cut.finishReason, 'length');
  }
  await rejectsWith(generate(model, tokenizer, 'One',
    { responseFormat: { type: 'json_schema', schema: { not: {} } } }).text(), ConstraintError, 'UNSUPPORTED');
});

test.run();

// A conversation with a small real model: what is kept of it, ended answers, saving.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import type { OnebitError } from '../../src/errors.ts';
import type { ChatModel } from '../../src/models.ts';
import { ChatSession, load } from '../../src/models.ts';
import type { Generation } from '../../src/sample/text-stream.ts';

interface Context {
  model: ChatModel;
}

const test = suite<Context>('ChatSession');
const BYTES = new Uint8Array(readFileSync('test/goldens/qwen3-tiny-q1_0.gguf'));
const OPTIONS = { maxTokens: 8, seed: 3 };

test.before(async (context) => {
  context.model = await load(BYTES, { threads: 1 });
});
test.after(({ model }) => model.dispose());

/** The whole answer. */
async function answered(
  session: ChatSession, content: string,
): Promise<{ text: string; generation: Generation }> {
  const pieces = session.answer(content);
  let text = '';
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) return { text, generation: value };
    text += value;
  }
}

test('an answer is that of the model to all messages, and is kept', async ({ model }) => {
  const session = new ChatSession(model, OPTIONS, 'Be brief.');
  const { text, generation } = await answered(session, 'Hi');
  const asked = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Hi' }];
  assert.is(text, await model.generate(asked, OPTIONS).text());
  assert.equal(session.messages, [...asked, { role: 'assistant', content: text }]);
  assert.is(generation.usage.promptTokens, model.chatFormat.encode(asked).length);
  assert.ok(['stop', 'length'].includes(generation.finishReason));
});

test('a second question costs only what is new', async ({ model }) => {
  const session = new ChatSession(model, OPTIONS);
  const first = await answered(session, 'One question of many words, to be read once');
  const second = await answered(session, 'More?');
  assert.ok(second.generation.usage.cachedTokens >= first.generation.promptTokens - 8,
    `${second.generation.usage.cachedTokens} of ${first.generation.promptTokens}`);
});

test('what was written of an ended answer is kept; a failure leaves no trace', async ({ model }) => {
  const session = new ChatSession(model, { ...OPTIONS, maxTokens: 200 });
  const interrupt = new AbortController();
  let text = '';
  try {
    for await (const piece of session.answer('Hi', { signal: interrupt.signal })) {
      text += piece;
      interrupt.abort();
    }
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).name, 'AbortError');
  }
  assert.equal(session.messages.at(-1), { role: 'assistant', content: text });
  const before = session.messages;
  try {
    await session.answer('Hi', { temperature: -1 }).next();
    assert.unreachable();
  } catch (error) {
    assert.instance(error, RangeError);
  }
  assert.equal(session.messages, before);
});

test('a conversation that was saved goes on elsewhere; anything else is refused', async ({ model }) => {
  const session = new ChatSession(model, OPTIONS, 'Be brief.');
  await answered(session, 'Hi');
  const other = new ChatSession(model, OPTIONS);
  other.restore(session.save());
  assert.equal(other.messages, session.messages);
  assert.is((await answered(other, 'More?')).text, (await answered(session, 'More?')).text);
  for (const json of ['', '{}', '[]', 'null', '{"type":"onebit/conversation","messages":[{"role":"user"}]}'])
    assert.throws(() => other.restore(json), (error: OnebitError) => error.code === 'BAD_JSON');
  other.reset();
  assert.equal(other.messages, [{ role: 'system', content: 'Be brief.' }]);
});

test('the caller\'s template takes the place of the file\'s; a broken one leaves texts', async () => {
  using own = await load(BYTES, { threads: 1, chatTemplate: '{{ messages[0].content }}!' });
  assert.is(own.chatFormat.render([{ role: 'user', content: 'Hi' }]), 'Hi!');
  using broken = await load(BYTES, { threads: 1, chatTemplate: '{% for %}' });
  assert.throws(() => broken.generate([{ role: 'user', content: 'Hi' }]),
    (error: OnebitError) => error.code === 'SYNTAX');
  assert.ok((await broken.generate('Hi', OPTIONS).text()).length > 0);
});

test.run();

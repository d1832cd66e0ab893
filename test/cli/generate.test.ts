// `onebit generate` as a process: text, JSON, seeds, and quiet ends.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { load } from '../../src/models.ts';
import { openLanguageModel } from '../../src/sample/language-model.ts';
import {
  ended, printsJson, refuses, runCli, shellCommand, startCli, startShell, succeeds,
} from '../helpers/cli.ts';
import { newEngine, tinyModel } from '../helpers/tiny-model.ts';

interface Context {
  root: string;
  model: string;
}

const test = suite<Context>('onebit generate');

const BYTES = tinyModel({ steps: 40 });
const GOLDEN = 'test/goldens/qwen3-tiny-q1_0.gguf';

test.before((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'onebit-generate-'));
  context.model = join(context.root, 'model');
  writeFileSync(context.model, BYTES);
});
test.after((context) => rmSync(context.root, { recursive: true, force: true }));

/** The text of the library. */
async function expected(prompt: string, options: object): Promise<string> {
  let text = '';
  for await (const piece of openLanguageModel(newEngine(), BYTES).generate(prompt, options))
    text += piece;
  return text;
}

test('writes prompt and text of the library, and nothing else', async ({ model }) => {
  const args = ['generate', model, '--prompt', 'One day', '--max-tokens', '40'];
  assert.is(await succeeds(args), `One day${await expected('One day', { maxTokens: 40 })}\n`);
  const greedy = await succeeds([...args, '--temperature', '0']);
  assert.is(greedy, `One day${await expected('One day', { maxTokens: 40, temperature: 0 })}\n`);
  assert.is(await succeeds(['generate', model]), `${await expected('', {})}\n`);
});

test('prints one JSON object', async ({ model }) => {
  const options = [
    '--seed', '9', '--top-k', '9', '--top-p', '0.9', '--min-p', '0.01',
    '--repetition-penalty', '1.1', '--max-tokens', '30', '--temperature', '0.9',
  ];
  const report = await printsJson(['generate', model, '--prompt', 'The', ...options]);
  assert.equal(Object.keys(report), [
    'prompt', 'text', 'ids', 'finishReason', 'promptTokens', 'generatedTokens', 'loadSeconds',
    'seconds', 'promptTokensPerSecond', 'tokensPerSecond', 'peakBytes',
  ]);
  assert.is(report.text, await expected('The', {
    seed: 9, topK: 9, topP: 0.9, minP: 0.01, repetitionPenalty: 1.1, maxTokens: 30,
    temperature: 0.9,
  }));
  assert.equal([report.prompt, report.promptTokens, report.generatedTokens], ['The', 3, 30]);
  assert.is(report.finishReason, 'length');
});

test('--embeddings i8 keeps the head in 8 bits, and nothing else can be asked for', async ({ model }) => {
  const args = ['generate', model, '--prompt', 'The', '--temperature', '0'];
  const { text } = await printsJson([...args, '--embeddings', 'i8']);
  const coded = openLanguageModel(newEngine(), BYTES, undefined, false, { embeddings: 'i8' });
  assert.is(text, await coded.generate('The', { temperature: 0 }).text());
  await refuses([...args, '--embeddings', 'i4'], 2, /--embeddings expected i8, got "i4"/);
});

test('writes the same for the same seed, and something else for another', async ({ model }) => {
  const of = (seed: string): Promise<string> => succeeds(['generate', model, '--seed', seed]);
  const [a, b, c] = [await of('1'), await of('1'), await of('2')];
  assert.is(a, b);
  assert.is.not(a, c);
});

test('ends before a stop string', async ({ model }) => {
  const stop = (await expected('', {})).slice(20, 23);
  const report = await printsJson(['generate', model, '--stop', stop]);
  assert.is(report.finishReason, 'stop');
  assert.not(report.text.includes(stop));
});

test('refuses bad options with 2, and a prompt that the model cannot read with 1', async (
  { model },
) => {
  for (const [flag, value, text] of [
    ['--max-tokens', '1.5', '--max-tokens expected'], ['--seed=-1', undefined, '--seed expected'],
    ['--stop', '', '--stop expected strings'], ['--repetition-penalty', '0', '--repetition-penalty expected'],
  ] as const)
    await refuses(['generate', model, flag, ...(value === undefined ? [] : [value])], 2, text);
  await refuses(['generate', model, '--prompt', 'π', '--json'], 1, /character "π" \(U\+03C0\)/);
});

test('a session is a text that goes on, in other processes and in the library', async ({ model, root }) => {
  const file = join(root, 'session'), flags = ['--session', file, '--max-tokens', '20', '--temperature', '0'];
  const first = await succeeds(['generate', model, '--prompt', 'One day', ...flags]);
  const second = await printsJson(['generate', model, ...flags]);
  const options = { maxTokens: 20, temperature: 0 };
  const session = openLanguageModel(newEngine(), BYTES).session();
  assert.is(first, `One day${await session.generate('One day', options).text()}\n`);
  assert.is(second.text, await session.generate('', options).text());
  const restored = openLanguageModel(newEngine(), BYTES).restore(new Uint8Array(readFileSync(file)));
  assert.equal(restored.ids, session.ids);
  await refuses(['generate', model, '--session', model], 1, /session|seal/);
  await refuses(['generate', model, '--session', file, '--system', 'a'], 2, 'exclude each other');
  await refuses(['generate', model, '--system', 'a'], 2, '--system expected a GGUF file');
});

test('a message of the system makes a question of the prompt', async () => {
  const path = GOLDEN, options = { maxTokens: 8, temperature: 0, logprobs: 1 };
  using real = await load(path, { threads: 1 });
  const messages = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'Hello' }];
  const stream = real.generate(messages, options), text = await stream.text();
  const report = await printsJson(['generate', path, '--system', 'Be brief.', '--prompt', 'Hello',
    '--max-tokens', '8', '--temperature', '0', '--logprobs', '1']);
  assert.is(report.text, text);
  assert.equal(report.logprobs, JSON.parse(JSON.stringify(stream.generation!.logprobs)));
});

test('is held to a schema in a file', async ({ root }) => {
  const model = GOLDEN, file = join(root, 'schema.json');
  const flags = ['--json-schema', file, '--max-tokens', '60'];
  writeFileSync(file, JSON.stringify({ type: 'object', required: ['a'], additionalProperties: false,
    properties: { a: { enum: ['once', 'upon'] } } }));
  const { text, finishReason } = await printsJson(['generate', model, ...flags]);
  assert.is(finishReason, 'stop');
  assert.ok(['once', 'upon'].includes(JSON.parse(text).a), text);
  writeFileSync(file, '{"type": "nothing"}');
  await refuses(['generate', model, ...flags, '--json'], 1, /--json-schema: schema at/);
});

test('refuses a damaged model', async ({ model, root }) => {
  const damaged = join(root, 'damaged'), flipped = BYTES.slice();
  flipped[flipped.length - 100] ^= 8;
  for (const bytes of [BYTES.subarray(0, 9000), flipped, new Uint8Array(0)]) {
    writeFileSync(damaged, bytes);
    for (const args of [['generate'], ['inspect'], ['eval', '--data', model]])
      await refuses([...args, damaged], 1, /damaged|bytes/);
  }
});

test('writes control characters raw into a pipe', async ({ root }) => {
  const path = join(root, 'control');
  writeFileSync(path, tinyModel({ text: '\u001b[2J\u0007a'.repeat(300), steps: 20 }));
  assert.match(await succeeds(['generate', path]), '\u001b');
});

test('ends quietly when the reader of its output has gone', async ({ model }) => {
  const child = startCli(['generate', model, '--max-tokens', '100000']), end = ended(child);
  child.stdout.once('data', () => child.stdout.destroy());
  const { code, stderr } = await end;
  assert.equal([code, stderr], [0, '']);
  if (process.platform === 'win32') return;
  const long = ['generate', model, '--max-tokens', '100000'];
  for (const command of [['inspect', model], long, ['--help']]) {
    const result = await ended(startShell(`${shellCommand(command)} | head -1`));
    assert.equal([result.code, result.stderr], [0, '']);
    assert.is(result.stdout.split('\n').length, 2);
  }
});

test('ends with 130 when interrupted', async ({ model }) => {
  if (process.platform === 'win32') return;
  const child = startCli(['generate', model, '--max-tokens', '10000000']), end = ended(child);
  child.stdout.once('data', () => child.kill('SIGINT'));
  const { code, stderr, stdout } = await end;
  assert.equal([code, stderr], [130, '']);
  assert.ok(stdout.endsWith('\n'));
  assert.is((await runCli(['generate', model, '--max-tokens', '1'])).code, 0);
});

test.run();

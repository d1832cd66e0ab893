// `onebit chat` as a process: a message from a pipe, a conversation on a terminal.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { load } from '../../src/models.ts';
import { ended, refuses, shellCommand, startShell, succeeds } from '../helpers/cli.ts';

const test = suite<{ root: string }>('onebit chat');

const MODEL = 'test/goldens/qwen3-tiny-q1_0.gguf';
const FLAGS = ['--max-tokens', '6', '--threads', '1', '--seed', '5'];
const hasTerminal = process.platform === 'linux' &&
  String(spawnSync('script', ['--version']).stdout ?? '').includes('util-linux');

test.before((context) => {
  context.root = mkdtempSync(join(tmpdir(), 'onebit-chat-'));
});
test.after(({ root }) => rmSync(root, { recursive: true, force: true }));

test('a message from a pipe gets the answer of the library', async () => {
  using model = await load(MODEL, { threads: 1 });
  const text = await model.generate([{ role: 'user', content: 'Hello' }],
    { maxTokens: 6, seed: 5, temperature: 0.7, topK: 20, topP: 0.95 }).text();
  const shown = await succeeds(['chat', MODEL, ...FLAGS], 'Hello\n');
  assert.is(shown.replace(/\n$/, '').length > 0, text.length > 0);
  assert.ok(shown.includes(text.match(/^[ -~]*/)![0]), shown);
});

test('a conversation in a file goes on in another process', async ({ root }) => {
  const file = join(root, 'kept.json'), flags = [...FLAGS, '--session', file, '--system', 'Be brief.'];
  await succeeds(['chat', MODEL, ...flags], 'Hello\n');
  await succeeds(['chat', MODEL, ...flags, '--temperature', '0'], 'More?\n');
  const { messages } = JSON.parse(readFileSync(file, 'utf8')) as { messages: { role: string }[] };
  assert.equal(messages.map(({ role }) => role), ['system', 'user', 'assistant', 'user', 'assistant']);
  await refuses(['chat', MODEL, ...FLAGS, '--session', 'package.json'], 1, 'a conversation that was saved',
    'Hello\n');
  await refuses(['chat', MODEL, ...FLAGS, '--top-p', '0'], 2, '--top-p expected', 'Hello\n');
});

test('an empty pipe is wrong usage, and a model without GGUF fails', async () => {
  await refuses(['chat', MODEL, ...FLAGS], 2, 'no message');
  await refuses(['chat', 'package.json', ...FLAGS], 1, 'not a GGUF file');
});

/** Types the lines into a terminal, each when the prompt has come. */
async function typed(lines: readonly string[]): Promise<{ code: number | null; shown: string }> {
  const child = startShell(`script -qec '${shellCommand(['chat', MODEL, ...FLAGS])}' /dev/null`);
  const left = [...lines];
  let seen = '';
  child.stdout.on('data', (part: Buffer) => {
    seen += part.toString();
    if (!/> (\u001b\[\d+G)?$/.test(seen)) return;
    seen = '';
    child.stdin.write(left.shift() ?? '\u0004');
  });
  const { code, stdout } = await ended(child);
  return { code, shown: stdout };
}

test('a conversation on a terminal is kept, goes on, and ends with Ctrl+D', async ({ root }) => {
  if (!hasTerminal) return;
  const file = join(root, 'talk.json');
  const { code, shown } = await typed([
    '/system Be brief.\r', 'Hi\\\rthere\r', `/save ${file}\r`, '/reset\r', `/load ${file}\r`, '/help\r',
    '/load none\r',
  ]);
  assert.is(code, 0, shown);
  assert.match(shown, 'qwen3, loaded in');
  assert.match(shown, /\/save FILE/);
  assert.match(shown, /none/);
  assert.ok(existsSync(file));
  const { messages } = JSON.parse(readFileSync(file, 'utf8')) as {
    messages: { role: string; content: string }[];
  };
  assert.is(messages[1].content, 'Hi\nthere');
  assert.equal(messages.map(({ role }) => role), ['system', 'user', 'assistant']);
});

test.run();

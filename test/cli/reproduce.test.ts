/** `onebit reproduce` and `onebit eval --task`, as processes. */
import * as assert from 'uvu/assert';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { storyTask } from '../../src/study/story-tasks.ts';
import { printsJson, read, refuses, suiteWithDirectory, succeeds } from '../helpers/cli.ts';
import { tinyModel } from '../helpers/tiny-model.ts';

const test = suiteWithDirectory('onebit reproduce');

test('writes reports; a second time gives the same files from the store', async ({ directory }) => {
  const command = ['reproduce', 'all', '--tiny', '--threads', '1', '--out', directory];
  const out = await succeeds(command);
  assert.match(out, /index\.html shows everything/);
  const files = readdirSync(directory).filter((name) => name !== 'runs');
  for (const name of ['README.md', 'index.html', 'scaling.md', 'accuracy.json', 'stability-sweep.svg'])
    assert.ok(files.includes(name), name);
  const before = files.map((name) => readFileSync(join(directory, name), 'utf8'));
  assert.is(await succeeds(command), out);
  assert.equal(files.map((name) => readFileSync(join(directory, name), 'utf8')), before);
  assert.not.ok(readdirSync(join(directory, 'runs')).some((name) => /checkpoint|tmp/.test(name)));
});

test('--json prints one object with seed, command and tables', async () => {
  const { studies, command, machine } =
    await printsJson(['reproduce', 'stability', '--tiny', '--threads', '1']);
  assert.is(command, 'onebit reproduce stability --tiny');
  assert.match(machine, /1 thread/);
  assert.is(studies[0].seed, 1);
  assert.ok(studies[0].tables[0].rows.length > 0);
});

test('--dry-run prints the plan and does nothing', async ({ directory }) => {
  const out = await succeeds(['reproduce', 'all', '--quick', '--dry-run', '--out', directory]);
  assert.match(out, /scaling: \d+ pieces, about/);
  assert.throws(() => readdirSync(directory));
});

test('refuses an unknown study and two scales', async () => {
  await refuses(['reproduce', 'none'], 2, /STUDY expected .*"none"/);
  await refuses(['reproduce', 'all', '--quick', '--tiny'], 2, /exclude each other/);
});

test('eval --task counts right answers; --shots shows the first ones', async ({ data }) => {
  const model = `${data}.model`, task = `${data}.jsonl`;
  writeFileSync(model, tinyModel());
  const items = storyTask('who', 8, 1)
    .map((item) => ({ ...item, context: item.context.slice(-8), choices: [' he', ' she'] }));
  writeFileSync(task, items.map((item) => JSON.stringify(item)).join('\n'));
  const result = await printsJson(['eval', model, '--task', task, '--shots', '2']);
  assert.is(result.items, 6);
  assert.is(result.answers.length, 6);
  const right = result.answers.filter((a: number, i: number) => a === items[i + 2].answer);
  assert.is(result.correct, right.length);
  const shown = await succeeds(['eval', model, '--task', task]);
  assert.match(shown, /^accuracy .*of 8\)\n95 % interval .*\nchance +50\.0 %\n$/);
  await refuses(['eval', model, '--task', task, '--shots', '8'], 2, /--shots expected/);
  await refuses(['eval', model, '--task', task, '--data', task], 2, /exclude each other/);
  writeFileSync(task, '{}\n');
  await refuses(['eval', model, '--task', task], 1, /line 1: expected "context"/);
  assert.ok(read(model).length > 0);
});

test.run();

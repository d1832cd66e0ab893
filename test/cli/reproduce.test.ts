/** `onebit reproduce` and `onebit eval --task`, as processes. */
import * as assert from 'uvu/assert';
import { readdirSync, writeFileSync } from 'node:fs';
import { storyTask } from '../../src/study/story-tasks.ts';
import { printsJson, read, refuses, suiteWithDirectory, succeeds } from '../helpers/cli.ts';
import { tinyModel } from '../helpers/tiny-model.ts';

const test = suiteWithDirectory('onebit reproduce');

test('energy --json prints one object with command, machine and the 36 cells of Table 1', async () => {
  const { studies: [energy], command, machine } =
    await printsJson(['reproduce', 'energy', '--tiny', '--threads', '1']);
  assert.is(command, 'onebit reproduce energy --tiny');
  assert.match(machine, /1 thread/);
  assert.is(energy.seed, 1);
  const [cells, work, time] = energy.tables;
  assert.is(cells.rows.length, 36);
  assert.is(cells.rows.filter((row: unknown[]) => row.at(-1) === 'yes').length, 34);
  assert.ok(work.rows.length > 0);
  assert.ok(time.rows.every((row: number[]) => row[3] > 0), 'times of a token');
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

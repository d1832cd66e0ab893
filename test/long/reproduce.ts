/** All studies at the smallest scale, as a process: two runs of some twenty seconds. */
import * as assert from 'uvu/assert';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suiteWithDirectory, succeeds } from '../helpers/cli.ts';

const test = suiteWithDirectory('onebit reproduce all');

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

test.run();

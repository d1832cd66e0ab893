/** Real processes, killed at 60 moments, most of them inside the write of a checkpoint. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateStories } from '../../src/corpus/stories.ts';

const KILLS = 60;
const FLAGS = [
  '--layers', '1', '--heads', '2', '--width', '32', '--context', '16', '--batch', '4', '--steps', '400',
  '--tokenizer', 'chars', '--save-every', '1', '--threads', '1',
];

/** Runs `onebit train`, kills it after `milliseconds`; its exit code, null if it was killed. */
function run(data: string, out: string, milliseconds?: number): Promise<number | null> {
  const child = spawn(process.execPath,
    ['dist/cli.js', 'train', '--data', data, '--out', out, '--resume', ...FLAGS], { stdio: 'ignore' });
  const timer = milliseconds === undefined
    ? undefined : setTimeout(() => child.kill('SIGKILL'), milliseconds);
  return new Promise((resolve) => child.on('exit', (code) => {
    clearTimeout(timer);
    resolve(code);
  }));
}

const kills = suite('kill -9');

kills(`at ${KILLS} moments changes no byte of the model`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'onebit-kills-'));
  const data = join(folder, 'text.txt');
  writeFileSync(data, generateStories({ seed: 5, characters: 20_000 }));
  assert.is(await run(data, join(folder, 'whole')), 0);
  const model = (name: string): Buffer =>
    readFileSync(join(folder, name, 'model.onebit.safetensors'));
  let killed = 0;
  for (let i = 0; i < KILLS; i++)
    if ((await run(data, join(folder, 'killed'), 150 + ((i * 37) % 200))) === null) killed++;
  assert.is(await run(data, join(folder, 'killed')), 0);
  assert.ok(killed > KILLS / 4, `only ${killed} runs were killed`);
  assert.ok(model('killed').equals(model('whole')));
  assert.equal(readdirSync(join(folder, 'killed')).filter((name) => name.endsWith('.tmp')), []);
  rmSync(folder, { recursive: true });
});

kills.run();

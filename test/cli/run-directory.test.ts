// The directory of a run: whatever is damaged, the newest whole checkpoint is found and never lost.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { RunDirectory } from '../../src/cli/run-directory.ts';
import { UsageError } from '../../src/cli/usage.ts';
import { CheckpointError } from '../../src/errors.ts';
import { Rng } from '../../src/rng.ts';
import { encodeCheckpoint } from '../../src/train/checkpoint.ts';
import type { Run } from '../../src/train/run.ts';
import { MODEL, NEWEST, PREVIOUS, read, suiteWithDirectory } from '../helpers/cli.ts';
import { rejectsWith } from '../helpers/fails.ts';
import { throwsA } from '../helpers/throws.ts';
import { modelBytes, sameBytes, tinyRun, trainTo } from '../helpers/tiny-model.ts';

const save = ({ trainer, tokenizer }: Run): Uint8Array =>
  encodeCheckpoint(trainer, tokenizer.toJson());

/** Checkpoints after 0, 1, 2, … steps, and the model at the end. */
const { states, model } = ((): { states: Uint8Array[]; model: Uint8Array } => {
  const run = tinyRun({ steps: 5 }), made = [save(run)];
  while (!run.trainer.done) {
    run.trainer.step();
    made.push(save(run));
  }
  return { states: made, model: modelBytes(run) };
})();

const start = (): Run => tinyRun({ steps: 5 });

/** A directory with two checkpoints, the newest after 3 steps. */
async function filled(path: string): Promise<RunDirectory> {
  const directory = new RunDirectory(path);
  await directory.open('refuse');
  await directory.save(states[2]);
  await directory.save(states[3]);
  return directory;
}

/** Cuts and flips that damage a file. */
function damages(bytes: Uint8Array, count: number): Uint8Array[] {
  const rng = new Rng(1);
  return Array.from({ length: count }, (_, i) => {
    if (i === 0) return new Uint8Array(0);
    const at = rng.nextBelow(bytes.length), copy = bytes.slice();
    copy[at] ^= 1 << rng.nextBelow(8);
    return i % 2 ? bytes.slice(0, at) : copy;
  });
}

const test = suiteWithDirectory('RunDirectory');

test('keeps the newest checkpoint and the one before', async ({ directory: path }) => {
  const directory = new RunDirectory(join(path, 'made', 'as', 'needed'));
  await directory.open('refuse');
  for (const [i, bytes] of states.entries()) {
    await directory.save(bytes);
    sameBytes(read(directory.path, NEWEST), bytes);
    if (i > 0) sameBytes(read(directory.path, PREVIOUS), states[i - 1]);
    assert.is(readdirSync(directory.path).length, Math.min(i + 1, 2));
  }
});

test('restores the newest', async ({ directory: path }) => {
  const directory = await filled(path), run = start();
  const resumed = await directory.resume(run);
  assert.is(run.trainer.stepsDone, 3);
  assert.match(resumed!.note, /continuing from step 3 of ".*checkpoint\.safetensors"/);
  assert.is(resumed!.warning, undefined);
});

test('has nothing to restore where there is nothing', async ({ directory: path }) => {
  const directory = new RunDirectory(path), run = start();
  await directory.open('keep');
  assert.is(await directory.resume(run), undefined);
  assert.is(run.trainer.stepsDone, 0);
});

test('falls back to the one before if the newest is damaged or gone, and says so', async (
  { directory: path },
) => {
  await filled(path);
  for (const bytes of damages(states[3], 40)) {
    writeFileSync(join(path, NEWEST), bytes);
    const run = start(), resumed = await new RunDirectory(path).resume(run);
    assert.is(run.trainer.stepsDone, 2);
    assert.match(resumed!.note, /from step 2 of ".*checkpoint\.previous\.safetensors"/);
    assert.match(resumed!.warning!, /checkpoint\.safetensors.* unusable \((TRUNC|CORRUPT|NOT_A_C)/);
    trainTo(run);
    sameBytes(modelBytes(run), model);
  }
});

test('falls back when a killed run has moved the newest and written no other', async (
  { directory: path },
) => {
  await filled(path);
  rmSync(join(path, NEWEST));
  const run = start();
  assert.is((await new RunDirectory(path).resume(run))!.warning, undefined);
  assert.is(run.trainer.stepsDone, 2);
});

test('never puts a damaged checkpoint in the place of a whole one', async (
  { directory: path },
) => {
  await filled(path);
  writeFileSync(join(path, NEWEST), states[3].subarray(0, 1000));
  const directory = new RunDirectory(path), run = start();
  await directory.resume(run);
  run.trainer.step();
  // The write fails, as on a full disk: a directory of that name cannot be replaced by a file.
  rmSync(join(path, NEWEST));
  mkdirSync(join(path, NEWEST, 'full'), { recursive: true });
  await rejectsWith(directory.save(save(run)), CheckpointError, 'WRITE_FAILED');
  sameBytes(read(path, PREVIOUS), states[2]);
  rmSync(join(path, NEWEST), { recursive: true });
  writeFileSync(join(path, NEWEST), 'still damaged');
  await directory.save(save(run));
  sameBytes(read(path, NEWEST), states[3]);
  sameBytes(read(path, PREVIOUS), states[2]);
});

test('refuses if none is whole, and touches neither', async ({ directory: path }) => {
  await filled(path);
  const newest = states[3].subarray(0, 5000), previous = states[2].slice();
  previous[previous.length - 9] ^= 4;
  writeFileSync(join(path, NEWEST), newest);
  writeFileSync(join(path, PREVIOUS), previous);
  const run = start();
  const error = await rejectsWith(new RunDirectory(path).resume(run), CheckpointError, 'CORRUPT');
  assert.is(error.file, join(path, NEWEST));
  sameBytes(save(run), states[0]);
  sameBytes(read(path, NEWEST), newest);
  sameBytes(read(path, PREVIOUS), previous);
});

test('refuses another run at once, and does not fall back', async ({ directory: path }) => {
  await filled(path);
  const run = tinyRun({ steps: 5, batch: 5 });
  const error = await rejectsWith(new RunDirectory(path).resume(run), CheckpointError, 'MISMATCH');
  assert.is(error.field, 'options');
  assert.is(run.trainer.stepsDone, 0);
});

test('refuses, keeps or removes what is there, and only what is its own', async (
  { directory: path },
) => {
  const names = [NEWEST, PREVIOUS, MODEL];
  for (const name of names) {
    const directory = new RunDirectory(path);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, name), 'old');
    writeFileSync(join(path, 'other'), 'other');
    const error = await rejectsWith(directory.open('refuse'), CheckpointError, 'EXISTS');
    assert.is(error.file, join(path, name));
    await directory.open('keep');
    assert.equal(readdirSync(path).sort(), [name, 'other'].sort());
    await directory.open('remove');
    assert.equal(readdirSync(path), ['other']);
  }
});

test('sweeps what killed runs left, and no file of anyone else', async ({ directory: path }) => {
  mkdirSync(path, { recursive: true });
  const left = `${NEWEST}.${process.pid}.tmp`, others = ['a.tmp', `b.${process.pid}.tmp`];
  for (const name of [left, ...others]) writeFileSync(join(path, name), 'half');
  await new RunDirectory(path).open('keep');
  assert.equal(readdirSync(path).sort(), others.sort());
});

test('takes no name for the model that is not a file of its own', ({ directory: path }) => {
  for (const name of ['', '.', '..', 'a/b', '../a', 'a\\b', 'a\0b', NEWEST, PREVIOUS])
    throwsA(() => new RunDirectory(path, name), UsageError, '--name');
  assert.is(new RunDirectory(path, 'm').modelPath, join(path, 'm'));
  assert.not(existsSync(path));
});

test.run();

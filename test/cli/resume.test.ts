// Runs that are killed, interrupted or damaged, as processes: what is resumed ends in the same
// bytes as what was never stopped.
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import { decodeSafetensors } from '../../src/io/safetensors.ts';
import { Rng } from '../../src/rng.ts';
import {
  MODEL, NEWEST, PREVIOUS, checkFailure, ended, read, refuses, runCli, startCli, succeeds,
  suiteWithDirectory, tinyFlags,
} from '../helpers/cli.ts';
import { sameBytes } from '../helpers/tiny-model.ts';

/** The final files of a run that nothing stopped. */
async function uninterrupted(data: string, out: string, flags: string[]): Promise<Uint8Array[]> {
  await succeeds(tinyFlags(data, out, ...flags));
  return [read(out, MODEL), read(out, NEWEST)];
}

function sameEnd(directory: string, [model, checkpoint]: Uint8Array[]): void {
  sameBytes(read(directory, MODEL), model, 'models');
  sameBytes(read(directory, NEWEST), checkpoint, 'checkpoints');
  assert.equal(readdirSync(directory).filter((name) => name.endsWith('.tmp')), []);
}

/** A number that changes when the newest checkpoint is replaced. */
const version = (directory: string): number => {
  const stat = statSync(join(directory, NEWEST), { throwIfNoEntry: false });
  return stat ? stat.ino + stat.mtimeMs : 0;
};

/** Waits until a checkpoint has appeared that was not there, or the process has ended. */
async function newCheckpoint(directory: string, child: { exitCode: number | null }): Promise<void> {
  const before = version(directory);
  while (child.exitCode === null && (version(directory) === before || version(directory) === 0))
    await sleep(1);
}

/** The step of the newest whole checkpoint; every file that is there in full must be whole. */
function wholeStep(directory: string): number {
  for (const name of [NEWEST, PREVIOUS])
    if (readdirSync(directory).includes(name))
      return Number(decodeSafetensors(read(directory, name), name, { requireSeal: true })
        .metadata.get('step'));
  return assert.unreachable('no checkpoint is left') as never;
}

const killed = suiteWithDirectory('a killed run');

killed('ends in the same bytes after ten kills at random moments, writes among them', async (
  { directory, data },
) => {
  const flags = ['--width', '64', '--steps', '80'], rng = new Rng(1);
  const expected = await uninterrupted(data, `${directory}2`, flags);
  const args = tinyFlags(data, directory, ...flags, '--save-every', '1', '--resume');
  let kills = 0, step = 0;
  for (let i = 0; i < 10; i++) {
    const child = startCli(args), end = ended(child);
    await newCheckpoint(directory, child);
    await sleep(rng.nextBelow(12));
    child.kill('SIGKILL');
    const { code, stderr } = await end;
    assert.is(stderr, '');
    if (code !== null) break; // it was faster
    kills++;
    const reached = wholeStep(directory);
    assert.ok(reached >= step, `back from step ${step} to ${reached}`);
    step = reached;
  }
  assert.ok(kills >= 3, `${kills} kills`);
  await succeeds(args);
  sameEnd(directory, expected);
});

killed('leaves temporary files that the next run sweeps', async ({ directory, data }) => {
  const flags = ['--steps', '3'];
  const expected = await uninterrupted(data, directory, flags);
  const { pid } = await (async () => {
    const child = startCli(['--version']);
    await ended(child);
    return child;
  })();
  for (const name of [NEWEST, MODEL]) writeFileSync(join(directory, `${name}.${pid}.tmp`), 'half');
  await succeeds(tinyFlags(data, directory, ...flags, '--resume'));
  sameEnd(directory, expected);
});

killed.run();

const interrupted = suiteWithDirectory('an interrupted run');

for (const [signal, exit] of [['SIGINT', 130], ['SIGTERM', 143]] as const)
  interrupted(`writes a checkpoint, ends with ${exit}, and goes on from there: ${signal}`, async (
    { directory, data },
  ) => {
    if (process.platform === 'win32') return;
    const flags = [
      '--steps', '1500', '--save-every', '400', '--layers', '1', '--heads', '1', '--width', '8',
      '--context', '8', '--batch', '1', '--accumulation', '2',
    ];
    const expected = await uninterrupted(data, `${directory}2`, flags);
    const child = startCli(tinyFlags(data, directory, ...flags)), end = ended(child);
    await newCheckpoint(directory, child);
    await sleep(10); // past the step that was saved
    child.kill(signal);
    const { code, stdout, stderr } = await end;
    assert.equal([code, stdout, stderr], [exit, '', '']);
    assert.not(readdirSync(directory).includes(MODEL));
    const step = wholeStep(directory);
    assert.ok(step > 400 && step < 1500 && step % 400 !== 0, `step ${step}`);
    await succeeds(tinyFlags(data, directory, ...flags, '--resume'));
    sameEnd(directory, expected);
  });

interrupted.run();

const resume = suiteWithDirectory('onebit train --resume');

resume('starts anew in an empty directory, and does nothing to a run that has ended', async (
  { directory, data },
) => {
  const expected = await uninterrupted(data, `${directory}2`, []);
  for (let i = 0; i < 2; i++) {
    await succeeds(tinyFlags(data, directory, '--resume'));
    sameEnd(directory, expected);
  }
});

resume('uses the checkpoint before a damaged one, and says so in one line', async (
  { directory, data },
) => {
  const expected = await uninterrupted(data, directory, ['--save-every', '3']);
  const whole = read(directory, NEWEST), flipped = whole.slice();
  flipped[whole.length >> 1] ^= 1;
  for (const bytes of [whole.subarray(0, 1000), flipped, new Uint8Array(0)]) {
    writeFileSync(join(directory, NEWEST), bytes);
    const result = await runCli(tinyFlags(data, directory, '--save-every', '3', '--resume'));
    checkFailure(result, 0, /checkpoint\.safetensors.* is unusable \(\w+\); using the one before/);
    sameEnd(directory, expected);
    assert.is(wholeStep(directory), 8);
  }
});

resume('is refused in one line if no checkpoint is whole, and changes no file', async (
  { directory, data },
) => {
  await succeeds(tinyFlags(data, directory, '--save-every', '3'));
  const half = read(directory, NEWEST).subarray(0, 20_000);
  for (const name of [NEWEST, PREVIOUS]) writeFileSync(join(directory, name), half);
  await refuses(tinyFlags(data, directory, '--resume'), 1, /checkpoint unusable/);
  for (const name of [NEWEST, PREVIOUS]) sameBytes(read(directory, name), half);
  writeFileSync(join(directory, NEWEST), 'no checkpoint at all');
  await refuses(tinyFlags(data, directory, '--resume'), 1, /checkpoint/);
});

resume('is refused with other settings or data, naming them, and changes no file', async (
  { directory, data },
) => {
  await succeeds(tinyFlags(data, directory, '--steps', '2'));
  const files = readdirSync(directory), before = files.map((name) => read(directory, name));
  const other = `${data}-other`;
  writeFileSync(other, String(Buffer.from(read(data))).replace('a', 'e'));
  for (const [args, text] of [
    [[data, '--steps', '3'], /another options: steps 2 there, steps 3 now/],
    [[data, '--steps', '2', '--preset', 'transformer'], /another config: weights b1 there/],
    [[data, '--steps', '2', '--lr', '0.1'], /another options: learningRate/],
    [[other, '--steps', '2'], /another data: [0-9a-f]{8}/],
  ] as [string[], RegExp][])
    await refuses(tinyFlags(args[0], directory, ...args.slice(1), '--resume'), 1, text);
  files.forEach((name, i) => sameBytes(read(directory, name), before[i], name));
});

resume.run();

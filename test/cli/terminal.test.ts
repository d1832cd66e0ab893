// The command on a real terminal, lent by util-linux script(1); skipped where there is none.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import {
  ended, shellCommand, startShell, succeeds, suiteWithDirectory, tinyFlags,
} from '../helpers/cli.ts';
import { tinyModel } from '../helpers/tiny-model.ts';

const hasTerminal = process.platform === 'linux' &&
  String(spawnSync('script', ['--version']).stdout ?? '').includes('util-linux');

/** What a terminal is sent, line ends as `\n`. */
async function onTerminal(args: string[]): Promise<{ code: number | null; shown: string }> {
  const command = shellCommand(args).replaceAll('\'', '\'\\\'\'');
  const { code, stdout } = await ended(startShell(`script -qec '${command}' /dev/null`));
  return { code, shown: stdout.replaceAll('\r\n', '\n') };
}

/** What is left on the screen: each line after its last erasure. */
const screen = (shown: string): string[] =>
  shown.split('\n').map((line) => line.split('\u001b[K').at(-1)!);

const test = suiteWithDirectory('a terminal');

test('shows progress that is gone, or a line of its own, when the summary comes', async (
  { directory, data },
) => {
  if (!hasTerminal) return;
  const { code, shown } = await onTerminal(tinyFlags(data, directory, '--steps', '500'));
  assert.is(code, 0);
  assert.match(shown, /step \d+\/500 {2}loss \d\.\d{3} {2}[\d,]+ tokens\/s {2}\S+ left/);
  assert.ok(screen(shown).some((line) => line.startsWith('trained ')), shown);
});

test('shows an error on a line of its own', async ({ directory, data }) => {
  if (!hasTerminal) return;
  const { code, shown } = await onTerminal(tinyFlags(
    data, directory, '--preset', 'transformer', '--lr', '1e3', '--warmup', '20000',
    '--steps', '30000', '--save-every', '0'));
  assert.is(code, 1);
  assert.match(shown, /\d+s left/);
  assert.ok(screen(shown).some((line) => line.startsWith('onebit: step ')), shown);
});

test('shows validations, and where a run continues', async ({ directory, data }) => {
  if (!hasTerminal) return;
  const { shown } = await onTerminal(tinyFlags(data, directory, '--eval-every', '4'));
  for (const step of [4, 8]) assert.match(shown, `step ${step}  validation loss `);
  assert.match(shown, '\u001b[K');
  const again = await onTerminal(tinyFlags(data, directory, '--resume'));
  assert.match(again.shown, /continuing from step 8 of ".*checkpoint\.safetensors"\n/);
});

test('is shown control characters, and does not obey them', async ({ data }) => {
  if (!hasTerminal) return;
  const model = `${data}-model`;
  writeFileSync(model, tinyModel({ text: '\u001b[2J\u0007\u009ba'.repeat(300), steps: 30 }));
  const args = ['generate', model, '--max-tokens', '50', '--prompt', 'a\u001b'];
  const { code, shown } = await onTerminal(args);
  assert.is(code, 0);
  assert.not.match(shown, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  assert.ok(shown.startsWith('a\\u001b'));
  const raw = await succeeds(args);
  assert.is(shown, raw.replace(/[\u001b\u0007\u009b]/g, (c) =>
    `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`));
});

test.run();

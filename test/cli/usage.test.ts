// Flags, help, and every wrong use of the command: one line, the right exit code, no stack.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chatCommand } from '../../src/cli/chat.ts';
import { embedCommand } from '../../src/cli/embed.ts';
import { evalCommand } from '../../src/cli/eval.ts';
import { generateCommand } from '../../src/cli/generate.ts';
import { inspectCommand } from '../../src/cli/inspect.ts';
import { trainCommand } from '../../src/cli/train.ts';
import { UsageError, commandHelp, parse } from '../../src/cli/usage.ts';
import {
  checkFailure, ended, refuses, runCli, shellCommand, startShell, succeeds, suiteWithDirectory,
  tinyFlags,
} from '../helpers/cli.ts';
import { throwsA } from '../helpers/throws.ts';

const COMMANDS = [
  trainCommand, generateCommand, chatCommand, embedCommand, evalCommand, inspectCommand,
];

const flags = suite('parse');

flags('reads flags by type, in any order, and knows what was not given', () => {
  const args = parse(generateCommand, ['--seed', '3', 'a model', '--json', '--top-p=0.5']);
  assert.equal(args.positionals, ['a model']);
  assert.is(args.number('seed'), 3);
  assert.is(args.number('top-p'), 0.5);
  assert.is(args.flag('json'), true);
  assert.is(args.string('prompt'), undefined);
  assert.is(args.flag('help'), false);
  assert.is(parse(trainCommand, ['--lr', '1e-3']).number('lr'), 0.001);
  assert.is(parse(generateCommand, ['m', '--prompt', '']).string('prompt'), '');
});

flags('takes what begins with a dash after an equals sign or two dashes', () => {
  assert.is(parse(generateCommand, ['m', '--prompt=-x']).string('prompt'), '-x');
  assert.is(parse(generateCommand, ['m', '--seed=-1']).number('seed'), -1);
  assert.equal(parse(inspectCommand, ['--', '--json']).positionals, ['--json']);
});

flags('refuses everything else, in one line', () => {
  for (const argv of [
    ['--frob'], ['-x'], ['--steps'], ['--steps', '--json'], ['--steps', ''], ['--steps', ' '],
    ['--steps', '1x'], ['--steps', 'NaN'], ['--steps', '1e999'], ['--preset', 'x'],
    ['--preset', 'toString'], ['--json=1'], ['--no-json'], ['extra'], ['--steps', '-1'],
  ]) {
    const { message } = throwsA(() => parse(trainCommand, argv), UsageError);
    assert.not.match(message, /\n/, argv.join(' '));
  }
  throwsA(() => parse(inspectCommand, []), UsageError, 'FILE is missing');
  throwsA(() => parse(inspectCommand, ['a', 'b']), UsageError, 'unexpected argument "b"');
});

flags('asks for no file where help is wanted', () => {
  assert.ok(parse(inspectCommand, ['--help']).flag('help'));
});

flags.run();

const help = suite('help');

for (const command of COMMANDS)
  help(`of ${command.name} lists every flag, fits the screen, and ends with 0`, async () => {
    const text = await succeeds([command.name, '--help']);
    assert.is(text, commandHelp(command));
    for (const [name, { help: about, value }] of Object.entries(command.flags)) {
      assert.ok(text.includes(`  --${name}${value ? ` ${value}` : ''}`), name);
      assert.ok(text.includes(about), name);
    }
    assert.ok(text.includes('--help') && text.includes(`onebit ${command.synopsis}`));
    for (const line of text.split('\n').slice(2)) assert.ok(line.length <= 120, line);
  });

help('of the whole command names the commands, with 2 if nothing was asked', async () => {
  for (const args of [['--help'], ['-h'], ['help']]) {
    const text = await succeeds(args);
    for (const { name, summary } of COMMANDS) {
      assert.ok(text.includes(`onebit ${name}`));
      assert.ok(text.includes(summary));
    }
  }
  const { code, stdout, stderr } = await runCli([]);
  assert.equal([code, stdout], [2, '']);
  assert.match(stderr, 'onebit train');
});

help('has a version', async () => {
  assert.match(await succeeds(['--version']), /^\d+\.\d+\.\d+\S*\n$/);
});

help.run();

const wrong = suiteWithDirectory('wrong use');

wrong('of command and flags ends with 2', async () => {
  await refuses(['frob'], 2, /unknown command "frob"; expected train, generate, chat, embed, eval/);
  await refuses(['toString'], 2, /unknown command/);
  await refuses(['train'], 2, /--out DIR is missing/);
  await refuses(['train', '--out'], 2, /--out.*missing/);
  await refuses(['train', '--frob', '1'], 2, /Unknown option '--frob'.*train --help/);
  await refuses(['train', '--lr', 'fast'], 2, /--lr expected a number, got "fast"/);
  await refuses(['train', '--preset', 'gpt'], 2, /--preset expected bitnet, .* got "gpt"/);
  await refuses(['generate'], 2, /MODEL is missing/);
  await refuses(['eval', 'm'], 2, /--data FILE or --task FILE is missing/);
  await refuses(['inspect', 'a', 'b'], 2, /unexpected argument "b"/);
  await refuses(['frob\u001b[2J\nx'], 2, /"frob\\u001b\[2J\\u000ax"/);
});

wrong('of options ends with 2 before anything is written', async ({ directory, data }) => {
  for (const [more, text] of [
    [['--steps', '0'], /"steps"/], [['--batch', '1.5'], /"batch"/],
    [['--lr=-1'], /learningRate/], [['--seed', '0.5'], /"seed"/],
    [['--heads', '3'], /hiddenSize.*multiple of 12/],
    [['--groups', '2', '--preset', 'transformer'], /quantizationGroups/],
    [['--activation-bits', '9'], /activationBits/], [['--save-every', '1.5'], /save-every/],
    [['--eval-every=-1'], /eval-every/], [['--name', 'checkpoint.safetensors'], /--name/],
    [['--name', '../x'], /--name/], [['--name', ''], /--name/],
    [['--resume', '--overwrite'], /--resume/], [['--tokenizer', 'bpe', '--vocab', '5'], /vocab/],
  ] as [string[], RegExp][]) {
    await refuses(tinyFlags(data, directory, ...more), 2, text);
    throwsA(() => readdirSync(directory), Error, 'ENOENT');
  }
});

wrong('of data ends with 1, and names the file', async ({ directory, data }) => {
  const bad = async (path: string, text: RegExp, ...more: string[]): Promise<void> => {
    await refuses(tinyFlags(path, directory, ...more), 1, text);
    throwsA(() => readdirSync(directory), Error, 'ENOENT');
  };
  const file = (name: string, content: string | Uint8Array): string => {
    writeFileSync(`${data}-${name}`, content);
    return `${data}-${name}`;
  };
  await bad(`${data}-none`, /text-none": no such file/);
  await bad(join(data, '..'), /it is a directory, not a text file/);
  await bad(file('empty', ''), /text-empty" is empty/);
  await bad(file('latin', Uint8Array.of(0x5a, 0x6f, 0xeb, 0x0a)), /text-latin" is not UTF-8/);
  await bad(file('short', 'shorter than a context'), /\d+ tokens; a context of 16 needs 17/);
  await bad(file('same', 'a'.repeat(1000)), /at least 2 distinct characters/);
  await bad(data, /context of 30000 needs 30001/, '--context', '30000');
});

wrong('of the directory ends with 1', async ({ directory, data }) => {
  await refuses(tinyFlags(data, data), 1, /cannot create the directory ".*text" \(EEXIST\)/);
  await refuses(tinyFlags(data, join(data, 'sub')), 1, /\(ENOTDIR\)/);
  mkdirSync(join(directory, 'model'), { recursive: true });
  await refuses(tinyFlags(data, directory, '--name', 'model'), 1, /"[^"]*model"/);
});

wrong('of standard input ends with 1', async ({ directory }) => {
  await refuses(tinyFlags('-', directory), 1, /standard input is empty/);
  await refuses(tinyFlags('-', directory), 1, /standard input is not UTF-8/, Uint8Array.of(0xff));
});

wrong('of a model file ends with 1, for every command that reads one', async ({ data }) => {
  for (const args of [['generate'], ['eval', '--data', data], ['inspect']]) {
    const [command, ...more] = args;
    await refuses([command, `${data}-none`, ...more], 1, /no such file/);
    await refuses([command, join(data, '..'), ...more], 1, /it is a directory, not a model file/);
    await refuses([command, data, ...more], 1, /header|safetensors/);
  }
});

wrong('is a full disk under standard output', async ({ data }) => {
  if (process.platform !== 'linux') return;
  const result = await ended(startShell(`${shellCommand(['--help'])} > /dev/full`));
  checkFailure(result, 1, /cannot write the output.*ENOSPC/);
  assert.ok(data);
});

wrong.run();

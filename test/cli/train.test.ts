// `onebit train` as a process: the same bytes from the same seed, and losses that `onebit eval` of
// the packed model repeats to the last bit.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { RunDirectory } from '../../src/cli/run-directory.ts';
import { parameterCount } from '../../src/model/tensors.ts';
import { encodeCheckpoint } from '../../src/train/checkpoint.ts';
import {
  MODEL, NEWEST, PREVIOUS, checkFailure, ended, printsJson, read, refuses, runCli, shellCommand,
  startShell, succeeds, suiteWithDirectory, tinyFlags,
} from '../helpers/cli.ts';
import { TINY_TEXT, modelBytes, sameBytes, tinyRun, trainTo } from '../helpers/tiny-model.ts';

const train = suiteWithDirectory('onebit train');

train('writes the model and the checkpoint of the library, and reports them', async (
  { directory, data },
) => {
  const report = await printsJson(tinyFlags(data, directory));
  assert.equal(readdirSync(directory).sort(), [NEWEST, MODEL]);
  assert.equal(Object.keys(report), [
    'valLoss', 'trainLoss', 'steps', 'tokensPerSecond', 'seconds', 'parameters', 'bytesPacked',
    'natsPerCharacter', 'bitsPerByte', 'model', 'threads', 'build',
  ]);
  const run = tinyRun();
  trainTo(run);
  sameBytes(read(directory, MODEL), modelBytes(run));
  assert.is(report.valLoss, run.trainer.validate().loss);
  assert.is(report.steps, 8);
  assert.is(report.parameters, parameterCount(run.trainer.config));
  assert.is(report.bytesPacked, modelBytes(run).length);
  assert.is(report.model, join(directory, MODEL));
  for (const name of ['trainLoss', 'tokensPerSecond', 'natsPerCharacter', 'bitsPerByte'])
    assert.ok(report[name] > 0, name);
  assert.ok(report.seconds >= 0);
  // Node.js 20 has relaxed SIMD by a flag alone, which the command sets.
  assert.is(report.build, 'relaxed');
});

train('writes the same files for the same seed, and others for another', async (
  { directory, data },
) => {
  for (const [out, seed] of [['a', '7'], ['b', '7'], ['c', '8']])
    await succeeds(tinyFlags(data, directory + out, '--seed', seed, '--save-every', '3'));
  for (const name of [MODEL, NEWEST, PREVIOUS]) {
    sameBytes(read(`${directory}a`, name), read(`${directory}b`, name), name);
    assert.not.equal(read(`${directory}a`, name), read(`${directory}c`, name), name);
  }
});

train('prints for people what it did, and nothing on standard error', async (
  { directory, data },
) => {
  const text = await succeeds(tinyFlags(data, directory, '--sample', '--eval-every', '2'));
  for (const part of [
    'trained          8 steps', 'validation loss', '1.00 bit each (b1)', join(directory, MODEL),
  ]) assert.ok(text.includes(part), part);
  assert.ok(text.split('\n').length > 7, 'and a sample');
  assert.not.match(text, '\u001b');
});

train('reads standard input', async ({ directory }) => {
  await succeeds(tinyFlags('-', directory), TINY_TEXT);
  const run = tinyRun();
  trainTo(run);
  sameBytes(read(directory, MODEL), modelBytes(run));
});

train('names the model as it is told, and writes no checkpoint for 0', async (
  { directory, data },
) => {
  await succeeds(tinyFlags(data, directory, '--name', 'mine', '--save-every', '0'));
  assert.equal(readdirSync(directory), ['mine']);
});

train('leaves a run that is there, or replaces it, as it is told', async ({ directory, data }) => {
  await succeeds(tinyFlags(data, directory, '--save-every', '4'));
  const names = readdirSync(directory).sort(), old = names.map((name) => read(directory, name));
  await refuses(tinyFlags(data, directory), 1, /from an earlier run; use --resume or --overwrite/);
  assert.equal(readdirSync(directory).sort(), names);
  names.forEach((name, i) => sameBytes(read(directory, name), old[i]));
  writeFileSync(join(directory, 'notes'), 'mine');
  await succeeds(tinyFlags(data, directory, '--overwrite', '--preset', 'transformer'));
  assert.equal(readdirSync(directory).sort(), [NEWEST, MODEL, 'notes']);
  await succeeds(tinyFlags(data, `${directory}2`, '--preset', 'transformer'));
  sameBytes(read(directory, MODEL), read(`${directory}2`, MODEL));
});

train('stops when numbers are not finite, and keeps the last good checkpoint', async (
  { directory, data },
) => {
  const args = tinyFlags(
    data, directory, '--preset', 'transformer', '--lr', '1e3', '--weight-decay', '1e6',
    '--save-every', '1');
  const result = await runCli(args);
  checkFailure(result, 1, /step \d+: (gradient of )?\S+ is not finite at index \d+; try a/);
  assert.is(result.stdout, '');
  assert.not(existsSync(join(directory, MODEL)));
  const [newest, previous] = [read(directory, NEWEST), read(directory, PREVIOUS)];
  const again = await runCli([...args, '--resume']);
  assert.is(again.stderr, result.stderr);
  sameBytes(read(directory, NEWEST), newest);
  sameBytes(read(directory, PREVIOUS), previous);
});

train('keeps what it has when the disk is full, and continues when there is room', async (
  { directory, data },
) => {
  if (process.platform === 'win32') return;
  const limited = (blocks: number, args: string[]) =>
    ended(startShell(`ulimit -f ${blocks}; ${shellCommand(args)}`));
  const args = tinyFlags(data, directory, '--save-every', '2');
  // A checkpoint has 200 kB, the model 20 kB: neither fits, then only the model would.
  for (const blocks of [2, 60]) {
    checkFailure(await limited(blocks, args), 1, /cannot write ".*checkpoint[^:]*: .*\(EFBIG\)/);
    assert.equal(readdirSync(directory), []);
  }
  const whole = tinyRun(), run = tinyRun();
  trainTo(whole);
  trainTo(run, 4);
  await new RunDirectory(directory).save(encodeCheckpoint(run.trainer, run.tokenizer.toJson()));
  const checkpoint = read(directory, NEWEST);
  for (let i = 0; i < 2; i++) {
    checkFailure(await limited(2, [...args, '--resume']), 1, /EFBIG/);
    const [kept] = readdirSync(directory); // the newest, or by now the one before
    sameBytes(read(directory, kept), checkpoint);
  }
  await succeeds([...args, '--resume']);
  sameBytes(read(directory, MODEL), modelBytes(whole));
});

train.run();

const packed = suiteWithDirectory('onebit eval of a packed model');

const FLAGS = [
  ['--preset', 'bitnet'], ['--preset', 'bitnet-b1.58'], ['--preset', 'transformer'],
  ['--activation-bits', '1'], ['--activation-bits', '4'], ['--groups', '2', '--shifted'],
  ['--preset', 'bitnet-b1.58', '--activation-bits', '2', '--groups', '2'],
  ['--tokenizer', 'bytes'], ['--tokenizer', 'bpe', '--vocab', '270'],
];

for (const flags of FLAGS)
  packed(`repeats the validation loss of training to the last bit: ${flags.join(' ')}`, async (
    { directory, data },
  ) => {
    const report = await printsJson(tinyFlags(data, directory, ...flags, '--steps', '3'));
    const model = join(directory, MODEL);
    const loss = await printsJson(['eval', model, '--data', data, '--part', 'validation']);
    assert.equal(Object.keys(loss), ['loss', 'perplexity', 'bitsPerByte', 'natsPerByte', 'tokens']);
    assert.is(loss.loss, report.valLoss);
    assert.is(loss.bitsPerByte, report.bitsPerByte);
  });

packed('splits the text as training does, or takes all of it', async ({ directory, data }) => {
  const report = await printsJson(tinyFlags(data, directory));
  const of = (part: string) =>
    printsJson(['eval', join(directory, MODEL), '--data', data, '--part', part]);
  const [all, first, last] = [await of('all'), await of('train'), await of('validation')];
  assert.is(all.tokens, TINY_TEXT.length - 1);
  assert.is(first.tokens + last.tokens, TINY_TEXT.length - 2);
  assert.is(first.loss, report.trainLoss); // shorter than what trainLoss is measured on
  const text = await succeeds(['eval', join(directory, MODEL), '--data', '-'], TINY_TEXT);
  const loss = all.loss.toFixed(4);
  assert.match(text, new RegExp(`^loss +${loss} nats/token over 20,\\d{3} tokens\n`));
});

packed('ends with 1 for text that is unknown or too short', async ({ directory, data }) => {
  await succeeds(tinyFlags(data, directory, '--steps', '1'));
  const args = ['eval', join(directory, MODEL), '--data', '-'];
  await refuses(args, 1, /character "π" \(U\+03C0\)/, 'One π day');
  await refuses(args, 1, /fewer than two tokens/, 'O');
  await refuses(args, 1, /standard input is empty/, '');
});

packed.run();

const inspect = suiteWithDirectory('onebit inspect');

inspect('shows a model, a checkpoint, or any safetensors file', async ({ directory, data }) => {
  const report = await printsJson(tinyFlags(data, directory));
  const model = await printsJson(['inspect', join(directory, MODEL)]);
  assert.is(model.format, 'onebit');
  assert.is(model.bytes, report.bytesPacked);
  assert.is(model.model.config.hiddenSize, 32);
  assert.is(model.model.sizes.parameters, report.parameters);
  assert.is(model.model.sizes.linearBytes * 8, model.model.sizes.linearParameters);
  assert.ok(model.tensors.some((t: { dtype: string }) => t.dtype === 'U8'));
  const { tokens, joules, float16Joules } = model.model.energy;
  assert.is(tokens, model.model.config.maxPositionEmbeddings);
  assert.ok(joules > 0 && joules < float16Joules, `${joules} J, ${float16Joules} J in floats`);
  const checkpoint = await printsJson(['inspect', join(directory, NEWEST)]);
  assert.is(checkpoint.format, 'onebit-checkpoint');
  assert.is(checkpoint.metadata.step, '8');
  for (const name of [MODEL, NEWEST]) {
    const text = await succeeds(['inspect', join(directory, name)]);
    assert.match(text, /^file {9}onebit/);
    assert.match(text, /model\.norm\.weight +F32 +\[32\]/);
  }
});

inspect.run();

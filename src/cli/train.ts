/**
 * `onebit train`: from text to a packed model, with checkpoints on the way.
 * @module
 */
import { checkInteger } from '../check.ts';
import type { RunOptions, TextEvaluation } from '../index.ts';
import {
  PRESETS, createEngine, encodeCheckpoint, encodeModel, evaluate, modelSizes, prepareRun,
  readModelHeader, withStories,
} from '../index.ts';
import { HostTurn } from '../host-turn.ts';
import { parameterCount } from '../model/tensors.ts';
import { inBytes } from '../sample/language-model.ts';
import { formatCount, writeJson } from './format.ts';
import { Progress } from './progress.ts';
import { RunDirectory } from './run-directory.ts';
import { readText } from './text-input.ts';
import type { CommandRun, TrainResult } from './train-report.ts';
import { printSummary, streamSample } from './train-report.ts';
import { trainFlags } from './train-flags.ts';
import type { Arguments, Command } from './usage.ts';
import { UsageError } from './usage.ts';

export const trainCommand: Command = {
  name: 'train',
  synopsis: `train [--data FILE] [--preset ${PRESETS.join('|')}] --out DIR [options]`,
  summary: 'Train a model on a text, pack it to one bit per weight, and write it to DIR.',
  positionals: [],
  flags: trainFlags,
  run,
};

/** Tokens of the training part that `trainLoss` is measured on. */
const TRAIN_LOSS_TOKENS = 32_768;
const SAVE_EVERY = 250;
const SIGNAL_EXIT: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 130, SIGTERM: 143 };

async function run(args: Arguments): Promise<number> {
  const out = args.string('out');
  if (out === undefined) throw new UsageError('--out DIR is missing');
  if (args.flag('resume') && args.flag('overwrite'))
    throw new UsageError('--resume and --overwrite exclude each other');
  intervals(args);
  const data = args.string('data');
  const text = data === undefined ? undefined : await readText(data);
  const directory = new RunDirectory(out, args.string('name'));
  const engine = createEngine({ threads: args.number('threads') });
  const options = await withStories(runOptions(args, text));
  const prepared = { ...prepareRun(engine, options), builtIn: text === undefined };
  const overwrite = args.flag('overwrite') ? 'remove' : 'refuse';
  await directory.open(args.flag('resume') ? 'keep' : overwrite);
  const show = process.stderr.isTTY === true && !args.flag('json');
  const resumed = args.flag('resume') ? await directory.resume(prepared) : undefined;
  const progress = new Progress(
    prepared.trainer.options.steps, prepared.trainer.stepsDone, show);
  progress.note(resumed?.note ?? describe(prepared));
  if (resumed?.warning) process.stderr.write(`onebit: ${resumed.warning}\n`);
  let exitCode: number;
  try {
    exitCode = await trainLoop(prepared, directory, progress, args);
  } finally {
    progress.end();
  }
  return exitCode || finish(prepared, directory, progress, args);
}

/** What is about to be trained, in a line. */
function describe({ trainer: { config: c, options, dataset }, tokenizer, builtIn }: CommandRun): string {
  return `training ${formatCount(parameterCount(c))} parameters (${c.weights}, ${c.numHiddenLayers} ` +
    `layers, width ${c.hiddenSize}) on ${formatCount(dataset.train.length)} tokens of ` +
    `${builtIn ? 'built-in stories' : 'text'} (${tokenizer.kind}) for ${options.steps} steps`;
}

function runOptions(args: Arguments, text?: string): RunOptions {
  const n = (name: string): number | undefined => args.number(name);
  return {
    text, preset: args.string('preset') as RunOptions['preset'],
    tokenizer: args.string('tokenizer') as RunOptions['tokenizer'], vocabSize: n('vocab'),
    layers: n('layers'), heads: n('heads'), width: n('width'), context: n('context'),
    batch: n('batch'), accumulation: n('accumulation'), steps: n('steps'),
    learningRate: n('lr'), secondLearningRate: n('lr2'),
    schedule: args.string('schedule') as RunOptions['schedule'], warmupSteps: n('warmup'),
    weightDecay: n('weight-decay'), clipNorm: n('clip'), seed: n('seed'),
    config: {
      ...(n('activation-bits') !== undefined && { activationBits: n('activation-bits') }),
      ...(n('groups') !== undefined && { quantizationGroups: n('groups') }),
      ...(args.flag('tied') && { tieWordEmbeddings: true }),
      ...(args.flag('shifted') && { shiftedMlpInput: true }),
    },
  };
}

/** Trains to the end, and returns 0; or the exit code of an interruption, with the state saved. */
async function trainLoop(
  { trainer, tokenizer }: CommandRun, directory: RunDirectory, progress: Progress, args: Arguments,
): Promise<number> {
  const { saveEvery, evalEvery } = intervals(args);
  let saved = trainer.stepsDone;
  const save = async (): Promise<void> => {
    if (trainer.stepsDone === saved) return;
    await directory.save(encodeCheckpoint(trainer, tokenizer.toJson()));
    saved = trainer.stepsDone;
  };
  let exitCode = 0;
  const interrupt = (signal: NodeJS.Signals): void => void (exitCode = SIGNAL_EXIT[signal]!);
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const turn = new HostTurn();
  while (!trainer.done && exitCode === 0) {
    const report = trainer.step();
    progress.step(report);
    if (evalEvery > 0 && report.step % evalEvery === 0)
      progress.note(`step ${report.step}  validation loss ${trainer.validate().loss.toFixed(4)}`);
    if (saveEvery > 0 && report.step % saveEvery === 0) await save();
    await turn.give();
  }
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  if (exitCode !== 0 || saveEvery > 0) await save();
  if (exitCode !== 0) progress.note(`stopped at step ${trainer.stepsDone}; --resume continues`);
  return exitCode;
}

/** Steps between checkpoints and between validations; 0 is never. */
function intervals(args: Arguments): { saveEvery: number; evalEvery: number } {
  const saveEvery = args.number('save-every') ?? SAVE_EVERY, evalEvery = args.number('eval-every') ?? 0;
  checkInteger('train', '--save-every', saveEvery, 0);
  checkInteger('train', '--eval-every', evalEvery, 0);
  return { saveEvery, evalEvery };
}

async function finish(
  prepared: CommandRun, directory: RunDirectory, progress: Progress, args: Arguments,
): Promise<number> {
  const { trainer, tokenizer } = prepared;
  const { seconds, tokensPerSecond } = progress;
  const { model, dataset } = trainer;
  const bytes = encodeModel(model, trainer.weights, tokenizer.toJson());
  await directory.writeModel(bytes);
  const validation: TextEvaluation =
    inBytes(model, tokenizer, dataset.validation, trainer.validate());
  const trainLoss = evaluate(model, dataset.train, { maxTokens: TRAIN_LOSS_TOKENS }).loss;
  const sizes = modelSizes(readModelHeader(bytes)), { threads, build } = model.engine.info;
  const result: TrainResult = {
    valLoss: validation.loss, trainLoss, steps: trainer.stepsDone,
    tokensPerSecond: Math.round(tokensPerSecond), seconds: Math.round(seconds * 100) / 100,
    parameters: sizes.parameters, bytesPacked: bytes.length,
    natsPerCharacter: validation.nats / countCharacters(prepared, validation),
    bitsPerByte: validation.bitsPerByte, model: directory.modelPath, threads, build,
  };
  if (args.flag('json')) writeJson(result);
  else printSummary(prepared, result, sizes);
  if (args.flag('sample')) await streamSample(bytes, prepared, args.flag('json'));
  return 0;
}

/** Characters that the validation predicted: its text but the first token. */
function countCharacters({ trainer, tokenizer }: CommandRun, { tokens }: TextEvaluation): number {
  return tokenizer.decode(trainer.dataset.validation.subarray(1, tokens + 1)).length;
}

/**
 * `onebit eval`: loss of a packed model on a text, or its answers to multiple-choice questions.
 * @module
 */
import { quote } from '../errors.ts';
import { TrainingError, load } from '../index.ts';
import { runTask } from '../study/score.ts';
import { parseTask } from '../study/task.ts';
import { splitText } from '../train/data.ts';
import { readFileChecked } from './files.ts';
import { formatCount, writeJson } from './format.ts';
import { openModel } from './open-model.ts';
import { readText } from './text-input.ts';
import type { Arguments, Command } from './usage.ts';
import { UsageError } from './usage.ts';

export const evalCommand: Command = {
  name: 'eval',
  synopsis: 'eval MODEL --data FILE | --task FILE [options]',
  summary: 'Measure the loss of a packed model on a text, or its share of right answers in a task.',
  positionals: ['MODEL'],
  flags: {
    data: { type: 'string', value: 'FILE', help: 'the text, - for standard input' },
    part: {
      type: 'string', choices: ['all', 'train', 'validation'],
      help: 'which part of it, split as training splits it (all)',
    },
    task: {
      type: 'string', value: 'FILE',
      help: 'questions instead, a line each: {"context": …, "choices": […, …], "answer": 0}',
    },
    shots: { type: 'number', value: 'N', help: 'examples shown first, from the beginning of the task (0)' },
    json: { type: 'boolean', help: 'print one JSON object instead of text' },
  },
  run,
};

async function run(args: Arguments): Promise<number> {
  const data = args.string('data'), task = args.string('task');
  if (data !== undefined && task !== undefined)
    throw new UsageError('--data and --task exclude each other');
  if (task !== undefined) return answer(args, task);
  if (data === undefined) throw new UsageError('--data FILE or --task FILE is missing');
  const bytes = await readFileChecked(args.positionals[0], { what: 'model' });
  const model = await load(bytes);
  const text = await readText(data);
  const part = args.string('part') ?? 'all';
  const chosen = part === 'all' ? text : splitText(text)[part as 'train' | 'validation'];
  const name = data === '-' ? 'standard input' : quote(data);
  if (model.tokenizer.encode(chosen).length < 2)
    throw new TrainingError('BAD_DATA', `${name} has fewer than two tokens`, { file: data });
  const { loss, tokens, perplexity, bitsPerByte, natsPerByte } = model.evaluate(chosen);
  if (args.flag('json')) writeJson({ loss, perplexity, bitsPerByte, natsPerByte, tokens });
  else process.stdout.write(
    `loss            ${loss.toFixed(4)} nats/token over ${formatCount(tokens)} tokens\n` +
    `perplexity      ${perplexity.toFixed(4)}\n` +
    `bits per byte   ${bitsPerByte.toFixed(4)}\n`);
  return 0;
}

async function answer(args: Arguments, file: string): Promise<number> {
  const items = parseTask(await readText(file), file), shots = args.number('shots') ?? 0;
  if (!Number.isInteger(shots) || shots < 0 || shots >= items.length)
    throw new UsageError(`--shots expected an integer from 0 to ${items.length - 1}, got ${shots}`);
  using model = await openModel(args.positionals[0], {});
  const { share, low, high, correct, items: asked, chance, answers } =
    await runTask(model, items, { shots });
  if (args.flag('json'))
    writeJson({ accuracy: share, low, high, correct, items: asked, shots, chance, answers });
  else process.stdout.write(
    `accuracy        ${percent(share)} (${correct} of ${formatCount(asked)})\n` +
    `95 % interval   ${percent(low)} … ${percent(high)}\n` +
    `chance          ${percent(chance)}\n`);
  return 0;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/**
 * `onebit eval`: loss of a packed model on a text.
 * @module
 */
import { quote } from '../errors.ts';
import { TrainingError, load } from '../index.ts';
import { splitText } from '../train/data.ts';
import { readFileChecked } from './files.ts';
import { formatCount, writeJson } from './format.ts';
import { readText } from './text-input.ts';
import type { Arguments, Command } from './usage.ts';
import { UsageError } from './usage.ts';

export const evalCommand: Command = {
  name: 'eval',
  synopsis: 'eval MODEL --data FILE [--part all|train|validation] [--json]',
  summary: 'Measure the loss of a packed model on a text.',
  positionals: ['MODEL'],
  flags: {
    data: { type: 'string', value: 'FILE', help: 'the text, - for standard input' },
    part: {
      type: 'string', choices: ['all', 'train', 'validation'],
      help: 'which part of it, split as training splits it (all)',
    },
    json: { type: 'boolean', help: 'print one JSON object instead of text' },
  },
  run,
};

async function run(args: Arguments): Promise<number> {
  const data = args.string('data');
  if (data === undefined) throw new UsageError('--data FILE is missing');
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

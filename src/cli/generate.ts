/**
 * `onebit generate`: text from a packed model, as it is written.
 * @module
 */
import type { GenerateOptions, Generation } from '../index.ts';
import { createEngine, load } from '../index.ts';
import { readFileChecked } from './files.ts';
import { writeJson, writeText } from './format.ts';
import type { Arguments, Command } from './usage.ts';

export const generateCommand: Command = {
  name: 'generate',
  synopsis: 'generate MODEL [--prompt TEXT] [options]',
  summary: 'Write text with a packed model.',
  positionals: ['MODEL'],
  flags: {
    'prompt': { type: 'string', value: 'TEXT', help: 'what the text begins with (default: nothing)' },
    'max-tokens': { type: 'number', value: 'N', help: 'tokens to write at most (256)' },
    'temperature': { type: 'number', value: 'X', help: '0 is greedy, 1 the model\'s own (0.8)' },
    'top-k': { type: 'number', value: 'N', help: 'only the N likeliest tokens, 0 for all (0)' },
    'top-p': { type: 'number', value: 'X', help: 'only the likeliest that sum to X (1)' },
    'min-p': { type: 'number', value: 'X', help: 'only those at least X times the likeliest (0)' },
    'repetition-penalty': { type: 'number', value: 'X', help: 'above 1 discourages repetition (1)' },
    'stop': { type: 'string', value: 'TEXT', help: 'end before this text' },
    'threads': { type: 'number', value: 'N', help: 'threads (as many as the machine has)' },
    'seed': { type: 'number', value: 'N', help: 'same seed, same text (0)' },
    'json': { type: 'boolean', help: 'print one JSON object instead of text' },
  },
  run,
};

async function run(args: Arguments): Promise<number> {
  const [path] = args.positionals;
  const bytes = await readFileChecked(path, { what: 'model' });
  const model = await load(bytes, { engine: createEngine({ threads: args.number('threads') }) });
  const prompt = args.string('prompt') ?? '', json = args.flag('json');
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  const start = performance.now();
  if (!json) writeText(prompt);
  const pieces = model.generate(prompt, options(args, interrupt.signal));
  let text = '';
  try {
    for (;;) {
      const { done, value } = await pieces.next();
      if (done) return report(value, text, prompt, (performance.now() - start) / 1000, json);
      text += value;
      if (!json) writeText(value);
    }
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    process.stdout.write('\n');
    return 130;
  }
}

function options(args: Arguments, signal: AbortSignal): GenerateOptions {
  const given = {
    maxTokens: args.number('max-tokens'), temperature: args.number('temperature'),
    topK: args.number('top-k'), topP: args.number('top-p'), minP: args.number('min-p'),
    repetitionPenalty: args.number('repetition-penalty'), stop: args.string('stop'),
    seed: args.number('seed'), signal,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function report(
  { finishReason, promptTokens, ids }: Generation, text: string, prompt: string, seconds: number,
  json: boolean,
): number {
  if (!json) process.stdout.write('\n');
  else writeJson({
    prompt, text, ids, finishReason, promptTokens, generatedTokens: ids.length,
    seconds: Math.round(seconds * 1000) / 1000,
    tokensPerSecond: Math.round(ids.length / Math.max(seconds, 1e-9)),
  });
  return 0;
}

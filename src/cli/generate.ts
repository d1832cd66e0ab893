/**
 * `onebit generate`: text from a packed model, as it is written.
 * @module
 */
import type { GenerateOptions, Generation } from '../index.ts';
import { writeJson, writeText } from './format.ts';
import { openModel } from './open-model.ts';
import type { Arguments, Command } from './usage.ts';

export const generateCommand: Command = {
  name: 'generate',
  synopsis: 'generate MODEL [--prompt TEXT] [options]',
  summary: 'Write text with a packed model, ours or a GGUF file.',
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
    'context': { type: 'number', value: 'N', help: 'longest text in tokens, of a GGUF file (4096)' },
    'threads': { type: 'number', value: 'N', help: 'threads (as many as the machine has)' },
    'seed': { type: 'number', value: 'N', help: 'same seed, same text (0)' },
    'json': { type: 'boolean', help: 'print one JSON object instead of text' },
  },
  run,
};

async function run(args: Arguments): Promise<number> {
  const [path] = args.positionals;
  const begun = performance.now();
  const model = await openModel(path, { threads: args.number('threads'), context: args.number('context') });
  const prompt = args.string('prompt') ?? '', json = args.flag('json');
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  const start = performance.now();
  if (!json) writeText(prompt);
  const pieces = model.generate(prompt, options(args, interrupt.signal));
  let text = '', first = 0;
  try {
    for (;;) {
      const { done, value } = await pieces.next();
      const now = performance.now();
      first ||= now;
      const times = {
        load: (start - begun) / 1000, prompt: (first - start) / 1000, writing: (now - first) / 1000,
      };
      if (done) return report(value, text, prompt, times, json);
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

/** Seconds: of loading, up to the first piece of text, and from there to the end. */
interface Times {
  readonly load: number;
  readonly prompt: number;
  readonly writing: number;
}

/** Rates: of the prompt up to the first token, of the others afterwards. */
function report(
  { finishReason, promptTokens, ids }: Generation, text: string, prompt: string, times: Times, json: boolean,
): number {
  if (!json) process.stdout.write('\n');
  else writeJson({
    prompt, text, ids, finishReason, promptTokens, generatedTokens: ids.length,
    loadSeconds: rounded(times.load, 3), seconds: rounded(times.prompt + times.writing, 3),
    promptTokensPerSecond: rounded(promptTokens / Math.max(times.prompt, 1e-9), 1),
    tokensPerSecond: rounded((ids.length - 1) / Math.max(times.writing, 1e-9), 1),
    peakBytes: process.resourceUsage().maxRSS * 1024,
  });
  return 0;
}

const rounded = (value: number, digits: number): number => Math.max(0, Number(value.toFixed(digits)));

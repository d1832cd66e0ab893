/**
 * `onebit chat`: a conversation with a model that was trained for it.
 *
 * Lines are sent as they are typed; Ctrl+C ends an answer, then the program. Input that is no
 * terminal is one message.
 * @module
 */
import { createInterface } from 'node:readline';
import { OnebitError } from '../errors.ts';
import type { ChatOptions } from '../models.ts';
import { ChatSession, load } from '../models.ts';
import { readFileChecked, writeFileAtomic } from './files.ts';
import { formatSeconds, writeText } from './format.ts';
import { sourceOptions } from './source-options.ts';
import type { Arguments, Command } from './usage.ts';
import { UsageError } from './usage.ts';

export const chatCommand: Command = {
  name: 'chat',
  synopsis: 'chat MODEL [options]',
  summary: 'Talk with a model that has a chat template.',
  positionals: ['MODEL'],
  flags: {
    'system': { type: 'string', value: 'TEXT', help: 'what the model is told before all else' },
    'max-tokens': { type: 'number', value: 'N', help: 'tokens of an answer at most (1024)' },
    'temperature': { type: 'number', value: 'X', help: '0 is greedy, 1 the model\'s own (0.7)' },
    'top-k': { type: 'number', value: 'N', help: 'only the N likeliest tokens, 0 for all (20)' },
    'top-p': { type: 'number', value: 'X', help: 'only the likeliest that sum to X (0.95)' },
    'seed': { type: 'number', value: 'N', help: 'same seed, same answers (0)' },
    'context': { type: 'number', value: 'N', help: 'longest conversation in tokens (4096)' },
    'threads': { type: 'number', value: 'N', help: 'threads (as many as the machine has)' },
    'no-thinking': { type: 'boolean', help: 'answer at once, where the model can think first' },
  },
  run,
};

const HELP = [
  '/reset          forget the conversation', '/system TEXT    say something else to the model, and forget',
  '/save FILE      keep the conversation', '/load FILE      go on with one that was kept',
  '/quit           end; so do Ctrl+D, and Ctrl+C while nothing is written',
  'A line that ends with \\ goes on in the next.\n',
].join('\n');
const INTERRUPTED = 130;

async function run(args: Arguments): Promise<number> {
  const [path] = args.positionals, start = performance.now();
  const model = await load(path, {
    ...sourceOptions(), threads: args.number('threads'), contextLength: args.number('context') });
  const session = new ChatSession(model, optionsOf(args), args.string('system'));
  if (!process.stdin.isTTY) return await answerInput(session);
  const { info } = model.model.engine;
  const seconds = formatSeconds((performance.now() - start) / 1000);
  const loaded = `${model.plan.architectureName}, loaded in ${seconds}, ${info.threads} threads`;
  writeText(`${loaded}; /help lists commands\n`);
  return await converse(session);
}

const optionsOf = (args: Arguments): ChatOptions => ({
  maxTokens: args.number('max-tokens') ?? 1024, temperature: args.number('temperature') ?? 0.7,
  now: new Date(),
  topK: args.number('top-k') ?? 20, topP: args.number('top-p') ?? 0.95, seed: args.number('seed') ?? 0,
  ...(args.flag('no-thinking') ? { enableThinking: false } : {}),
});

/** Writes the answer as it comes. */
async function answer(session: ChatSession, content: string, signal: AbortSignal): Promise<void> {
  try {
    for await (const piece of session.answer(content, { signal })) writeText(piece);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  writeText('\n');
}

async function answerInput(session: ChatSession): Promise<number> {
  let text = '';
  for await (const part of process.stdin.setEncoding('utf8')) text += part;
  if (text.trim() === '') throw new UsageError('standard input has no message');
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  await answer(session, text.trimEnd(), interrupt.signal);
  return interrupt.signal.aborted ? INTERRUPTED : 0;
}

async function converse(session: ChatSession): Promise<number> {
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' });
  let answering: AbortController | undefined, begun = '';
  lines.on('SIGINT', () => (answering ? answering.abort() : lines.close()));
  lines.prompt();
  for await (const line of lines) {
    if (line.endsWith('\\')) {
      begun += `${line.slice(0, -1)}\n`;
      continue;
    }
    const text = begun + line;
    begun = '';
    if (text === '/quit') break;
    if (text.startsWith('/')) await command(session, text);
    else if (text.trim() !== '') {
      answering = new AbortController();
      await answer(session, text, answering.signal);
      answering = undefined;
    }
    lines.prompt();
  }
  lines.close();
  return 0;
}

/** A line that begins with a slash. What goes wrong with a file does not end the conversation. */
async function command(session: ChatSession, line: string): Promise<void> {
  const [name, rest] = /^(\S+)\s*([^]*)$/.exec(line)!.slice(1);
  try {
    if (name === '/reset') session.reset();
    else if (name === '/system') session.reset(rest === '' ? undefined : rest);
    else if (name === '/save' && rest) await writeFileAtomic(rest, new TextEncoder().encode(session.save()));
    else if (name === '/load' && rest)
      session.restore(new TextDecoder().decode(await readFileChecked(rest, { what: 'conversation' })));
    else writeText(HELP);
  } catch (error) {
    if (!(error instanceof OnebitError)) throw error;
    writeText(`${error.message}\n`);
  }
}

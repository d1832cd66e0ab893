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
import { fileExists, readFileChecked, writeFileAtomic } from './files.ts';
import { formatSeconds, writeText } from './format.ts';
import { namingFlags, optionFlags, readOptions } from './option-flags.ts';
import { EMBEDDINGS } from './open-model.ts';
import { sourceOptions } from './source-options.ts';
import type { Arguments, Command } from './usage.ts';
import { UsageError } from './usage.ts';

/** What people expect of an answer. */
const STANDARD: ChatOptions = { maxTokens: 1024, temperature: 0.7, topK: 20, topP: 0.95 };

export const chatCommand: Command = {
  name: 'chat',
  synopsis: 'chat MODEL [options]',
  summary: 'Talk with a model that has a chat template.',
  positionals: ['MODEL'],
  flags: {
    'system': { type: 'string', value: 'TEXT', help: 'what the model is told before all else' },
    'session': {
      type: 'string', value: 'FILE', help: 'go on with the conversation in FILE, and keep it there',
    },
    ...optionFlags(STANDARD, ['logprobs']),
    'context': { type: 'number', value: 'N', help: 'longest conversation in tokens (4096)' },
    ...EMBEDDINGS,
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
  const [path] = args.positionals, start = performance.now(), options = await optionsOf(args);
  const model = await load(path, {
    ...sourceOptions(), threads: args.number('threads'), contextLength: args.number('context'),
    embeddings: args.string('embeddings') as 'i8' | undefined });
  const session = new ChatSession(model, options, args.string('system'));
  const talk = new Talk(session, args);
  await talk.restore();
  if (!process.stdin.isTTY) return await answerInput(talk);
  const { info } = model.model.engine;
  const seconds = formatSeconds((performance.now() - start) / 1000);
  const loaded = `${model.plan.architectureName}, loaded in ${seconds}, ${info.threads} threads`;
  writeText(`${loaded}; /help lists commands\n`);
  return await converse(talk);
}

const optionsOf = async (args: Arguments): Promise<ChatOptions> => ({
  ...STANDARD, now: new Date(), ...await readOptions(args),
  ...(args.flag('no-thinking') ? { enableThinking: false } : {}),
});

/** A conversation, and the file it is kept in. */
class Talk {
  readonly session: ChatSession;
  readonly #args: Arguments;

  constructor(session: ChatSession, args: Arguments) {
    this.session = session;
    this.#args = args;
  }

  /** Goes on with what is in the file; `--system` counts for a new one. */
  async restore(): Promise<void> {
    const file = this.#args.string('session');
    if (file !== undefined && await fileExists(file)) await loadFrom(this.session, file);
  }

  /** Writes the answer as it comes, then keeps the conversation. */
  async answer(content: string, signal: AbortSignal): Promise<void> {
    const file = this.#args.string('session');
    try {
      await namingFlags(this.#args, async () => {
        for await (const piece of this.session.answer(content, { signal })) writeText(piece);
      });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    writeText('\n');
    if (file !== undefined) await saveTo(this.session, file);
  }
}

const saveTo = (session: ChatSession, file: string): Promise<void> =>
  writeFileAtomic(file, new TextEncoder().encode(session.save()));

async function loadFrom(session: ChatSession, file: string): Promise<void> {
  session.restore(new TextDecoder().decode(await readFileChecked(file, { what: 'conversation' })));
}

async function answerInput(talk: Talk): Promise<number> {
  let text = '';
  for await (const part of process.stdin.setEncoding('utf8')) text += part;
  if (text.trim() === '') throw new UsageError('standard input has no message');
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  await talk.answer(text.trimEnd(), interrupt.signal);
  return interrupt.signal.aborted ? INTERRUPTED : 0;
}

async function converse(talk: Talk): Promise<number> {
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
    if (text.startsWith('/')) await command(talk.session, text);
    else if (text.trim() !== '') {
      answering = new AbortController();
      await talk.answer(text, answering.signal);
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
    else if (name === '/save' && rest) await saveTo(session, rest);
    else if (name === '/load' && rest) await loadFrom(session, rest);
    else writeText(HELP);
  } catch (error) {
    if (!(error instanceof OnebitError)) throw error;
    writeText(`${error.message}\n`);
  }
}

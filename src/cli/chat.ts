/**
 * `onebit chat`: a conversation with a model that was trained for it.
 *
 * Lines are sent as they are typed; Ctrl+C ends an answer, twice the program. Input that is no
 * terminal is one message.
 * @module
 */
import { createInterface } from 'node:readline/promises';
import type { ChatModel, ChatOptions, Message } from '../models.ts';
import { load } from '../models.ts';
import { formatSeconds, writeText } from './format.ts';
import type { Arguments, Command } from './usage.ts';

export const chatCommand: Command = {
  name: 'chat',
  synopsis: 'chat MODEL [options]',
  summary: 'Talk with a GGUF model that has a chat template.',
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

const HELP = '/reset forgets the conversation, /system TEXT sets what the model is told, /quit ends\n';
const INTERRUPTED = 130;

async function run(args: Arguments): Promise<number> {
  const [path] = args.positionals, start = performance.now();
  const model = await load(path, { threads: args.number('threads'), contextLength: args.number('context') });
  const session = new Session(model, optionsOf(args), args.string('system'));
  if (!process.stdin.isTTY) return await answerInput(session);
  const { info } = model.model.engine;
  const seconds = formatSeconds((performance.now() - start) / 1000);
  writeText(`${model.plan.architectureName}, loaded in ${seconds}, ${info.threads} threads; ${HELP}`);
  return await converse(session);
}

const optionsOf = (args: Arguments): ChatOptions => ({
  maxTokens: args.number('max-tokens') ?? 1024, temperature: args.number('temperature') ?? 0.7,
  topK: args.number('top-k') ?? 20, topP: args.number('top-p') ?? 0.95, seed: args.number('seed') ?? 0,
  ...(args.flag('no-thinking') ? { enableThinking: false } : {}),
});

/** A conversation so far. */
class Session {
  readonly #model: ChatModel;
  readonly #options: ChatOptions;
  #system?: string;
  #messages: Message[] = [];

  constructor(model: ChatModel, options: ChatOptions, system?: string) {
    this.#model = model;
    this.#options = options;
    this.#system = system;
  }

  reset(system = this.#system): void {
    this.#system = system;
    this.#messages = [];
  }

  /** Writes the answer as it comes; what was written of it counts if it is interrupted. */
  async answer(content: string, signal: AbortSignal): Promise<void> {
    this.#messages.push({ role: 'user', content });
    const system: Message[] = this.#system === undefined ? [] : [{ role: 'system', content: this.#system }];
    const pieces = this.#model.generate([...system, ...this.#messages], { ...this.#options, signal });
    let text = '';
    try {
      for await (const piece of pieces) {
        text += piece;
        writeText(piece);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    writeText('\n');
    this.#messages.push({ role: 'assistant', content: text });
  }
}

async function answerInput(session: Session): Promise<number> {
  let text = '';
  for await (const part of process.stdin.setEncoding('utf8')) text += part;
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  await session.answer(text.trimEnd(), interrupt.signal);
  return interrupt.signal.aborted ? INTERRUPTED : 0;
}

async function converse(session: Session): Promise<number> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  let answering: AbortController | undefined, ended = false;
  lines.on('SIGINT', () => (answering ? answering.abort() : lines.close()));
  lines.on('close', () => { ended = true; });
  while (!ended) {
    const line = await lines.question('> ').catch(() => undefined);
    if (line === undefined || line === '/quit') break;
    if (line === '/help') writeText(HELP);
    else if (line === '/reset') session.reset();
    else if (line.startsWith('/system ')) session.reset(line.slice('/system '.length));
    else if (line.trim() !== '') {
      answering = new AbortController();
      await session.answer(line, answering.signal);
      answering = undefined;
    }
  }
  lines.close();
  return 0;
}

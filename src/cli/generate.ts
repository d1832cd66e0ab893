/**
 * `onebit generate`: text from a packed model, as it is written.
 * @module
 */
import type { GenerateOptions, Generation, LanguageModel, Session, TextStream } from '../index.ts';
import { ChatModel } from '../models.ts';
import { fileExists, readFileChecked, writeFileAtomic } from './files.ts';
import { writeJson, writeText } from './format.ts';
import { EMBEDDINGS, openModel } from './open-model.ts';
import { namingFlags, optionFlags, readOptions } from './option-flags.ts';
import type { Arguments, Command } from './usage.ts';
import { UsageError } from './usage.ts';

export const generateCommand: Command = {
  name: 'generate',
  synopsis: 'generate MODEL [--prompt TEXT] [options]',
  summary: 'Write text with a packed model, ours or a GGUF file.',
  positionals: ['MODEL'],
  flags: {
    'prompt': { type: 'string', value: 'TEXT', help: 'what the text begins with (default: nothing)' },
    'system': {
      type: 'string', value: 'TEXT',
      help: 'ask the prompt as a message, after this one of the system; of a GGUF file',
    },
    'session': {
      type: 'string', value: 'FILE', help: 'go on with the text that is kept in FILE, and keep it there',
    },
    ...optionFlags(),
    'context': { type: 'number', value: 'N', help: 'longest text in tokens, of a GGUF file (4096)' },
    ...EMBEDDINGS,
    'threads': { type: 'number', value: 'N', help: 'threads (as many as the machine has)' },
    'json': { type: 'boolean', help: 'print one JSON object instead of text' },
  },
  run,
};

async function run(args: Arguments): Promise<number> {
  const [path] = args.positionals, begun = performance.now();
  const options = await readOptions(args), keep = args.string('session');
  if (keep !== undefined && args.string('system') !== undefined)
    throw new UsageError('--session and --system exclude each other; see onebit chat --session');
  const model = await openModel(path, {
    threads: args.number('threads'), context: args.number('context'),
    embeddings: args.string('embeddings') as 'i8' | undefined,
  });
  const session = keep === undefined ? undefined : await openSession(model, keep);
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  const pieces = begin(args, model, session, { ...options, signal: interrupt.signal });
  try {
    return await namingFlags(args, () => write(args, pieces, begun));
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    process.stdout.write('\n');
    return 130;
  } finally {
    if (session && session.ids.length > 0) await writeFileAtomic(keep!, session.save());
  }
}

async function openSession(model: LanguageModel, path: string): Promise<Session> {
  if (!await fileExists(path)) return model.session();
  return model.restore(await readFileChecked(path, { what: 'session' }));
}

function begin(
  args: Arguments, model: LanguageModel | ChatModel, session: Session | undefined, options: GenerateOptions,
): TextStream {
  const prompt = args.string('prompt') ?? '', system = args.string('system');
  if (session) return session.generate(prompt, options);
  if (system === undefined) return model.generate(prompt, options);
  if (!(model instanceof ChatModel)) throw new UsageError('--system expected a GGUF file, for its template');
  return model.generate(
    [{ role: 'system', content: system }, { role: 'user', content: prompt }], options);
}

/** Writes the text as it comes, then what is known of it. */
async function write(args: Arguments, pieces: TextStream, begun: number): Promise<number> {
  const prompt = args.string('prompt') ?? '', json = args.flag('json'), start = performance.now();
  if (!json && args.string('system') === undefined) writeText(prompt);
  let text = '', first = 0;
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
}

/** Seconds: of loading, up to the first piece of text, and from there to the end. */
interface Times {
  readonly load: number;
  readonly prompt: number;
  readonly writing: number;
}

/** Rates: of the prompt up to the first token, of the others afterwards. */
function report(generation: Generation, text: string, prompt: string, times: Times, json: boolean): number {
  const { finishReason, promptTokens, ids, logprobs } = generation;
  if (!json) process.stdout.write('\n');
  else writeJson({
    prompt, text, ids, finishReason, promptTokens, generatedTokens: ids.length,
    loadSeconds: rounded(times.load, 3), seconds: rounded(times.prompt + times.writing, 3),
    promptTokensPerSecond: rounded(promptTokens / Math.max(times.prompt, 1e-9), 1),
    tokensPerSecond: rounded((ids.length - 1) / Math.max(times.writing, 1e-9), 1),
    peakBytes: process.resourceUsage().maxRSS * 1024, logprobs,
  });
  return 0;
}

const rounded = (value: number, digits: number): number => Math.max(0, Number(value.toFixed(digits)));

/**
 * `onebit embed`: texts as vectors, whose dot product says how alike they are.
 * @module
 */
import type { EmbedOptions, Pooling } from '../index.ts';
import { writeFileAtomic } from './files.ts';
import { writeJson } from './format.ts';
import { openModel } from './open-model.ts';
import { readText } from './text-input.ts';
import type { Arguments, Command } from './usage.ts';
import { UsageError } from './usage.ts';

const POOLINGS: readonly Pooling[] = ['last', 'mean'];

export const embedCommand: Command = {
  name: 'embed',
  synopsis: 'embed MODEL --text TEXT | --file FILE [options]',
  summary: 'Turn texts into vectors: a line of JSON each, or little-endian f32[texts, width] in a file.',
  positionals: ['MODEL'],
  flags: {
    'text': { type: 'string', value: 'TEXT', help: 'one text' },
    'file': { type: 'string', value: 'FILE', help: 'a text a line, - for standard input' },
    'pooling': {
      type: 'string', value: POOLINGS.join('|'), choices: POOLINGS,
      help: 'the last token\'s state, or the mean of all (as the file says, else last)',
    },
    'no-normalize': { type: 'boolean', help: 'leave the length as it is (1)' },
    'out': { type: 'string', value: 'FILE', help: 'where the numbers go (standard output, as JSON)' },
    'context': { type: 'number', value: 'N', help: 'longest text in tokens, of a GGUF file (4096)' },
    'threads': { type: 'number', value: 'N', help: 'threads (as many as the machine has)' },
    'json': { type: 'boolean', help: 'print one JSON object' },
  },
  run,
};

async function run(args: Arguments): Promise<number> {
  const texts = await textsOf(args), out = args.string('out');
  const model = await openModel(
    args.positionals[0], { threads: args.number('threads'), context: args.number('context') });
  const options: EmbedOptions = {
    pooling: args.string('pooling') as Pooling | undefined, normalize: !args.flag('no-normalize'),
  };
  const vectors = texts.map((text) => model.embed(text, options)), width = model.model.config.hiddenSize;
  model.dispose();
  if (out !== undefined) await writeFileAtomic(out, joined(vectors, width));
  const shape = [texts.length, width];
  if (args.flag('json'))
    writeJson(out === undefined ? { shape, embeddings: vectors.map((v) => [...v]) } : { shape, out });
  else if (out === undefined) for (const vector of vectors) writeJson([...vector]);
  return 0;
}

async function textsOf(args: Arguments): Promise<string[]> {
  const text = args.string('text'), file = args.string('file');
  if ((text === undefined) === (file === undefined))
    throw new UsageError('expected --text TEXT or --file FILE, one of them');
  if (text !== undefined) return [text];
  const lines = (await readText(file!)).split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const empty = lines.indexOf('');
  if (empty >= 0) throw new UsageError(`--file expected a text on every line, line ${empty + 1} is empty`);
  return lines;
}

/** Little-endian, as all runtimes' floats are. */
function joined(vectors: readonly Float32Array[], width: number): Uint8Array {
  const all = new Float32Array(vectors.length * width);
  vectors.forEach((vector, i) => all.set(vector, i * width));
  return new Uint8Array(all.buffer);
}

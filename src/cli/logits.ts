/**
 * `onebit logits`: the logits after each of some ids, as numbers in a file.
 * @module
 */
import type { Activations } from '../models.ts';
import { ACTIVATIONS, load } from '../models.ts';
import { writeFileAtomic } from './files.ts';
import { writeJson } from './format.ts';
import { readIds } from './id-list.ts';
import { sourceOptions } from './source-options.ts';
import type { Arguments, Command } from './usage.ts';
import { UsageError } from './usage.ts';

export const logitsCommand: Command = {
  name: 'logits',
  synopsis: 'logits MODEL --ids 1,2,3 --out FILE [options]',
  summary: 'Write the logits after each id: little-endian f32[ids, vocabulary].',
  positionals: ['MODEL'],
  flags: {
    'ids': { type: 'string', value: 'LIST', help: 'token ids, separated by commas' },
    'out': { type: 'string', value: 'FILE', help: 'where the numbers go' },
    'activations': {
      type: 'string', value: ACTIVATIONS.join('|'), choices: ACTIVATIONS,
      help: 'how activations are quantized (as the model was trained)',
    },
    'threads': { type: 'number', value: 'N', help: 'threads (as many as the machine has)' },
    'json': { type: 'boolean', help: 'print one JSON object: shape and best ids' },
  },
  run,
};

async function run(args: Arguments): Promise<number> {
  const [path] = args.positionals, ids = readIds('ids', args.string('ids')), out = args.string('out');
  if (out === undefined) throw new UsageError('--out FILE is missing');
  const model = await load(path, {
    ...sourceOptions(),
    threads: args.number('threads'), activations: args.string('activations') as Activations | undefined,
    contextLength: ids.length,
  });
  const logits = model.logits(ids), { vocabSize } = model.plan.config;
  const bytes = new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength);
  await writeFileAtomic(out, bytes);
  const best = ids.map((_, i) => indexOfLargest(logits.subarray(i * vocabSize, (i + 1) * vocabSize)));
  model.dispose();
  if (args.flag('json')) writeJson({ shape: [ids.length, vocabSize], best, out });
  return 0;
}

function indexOfLargest(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/**
 * `onebit convert`: a model as another kind of file.
 *
 * What is written appears at once, when it is whole: a file by `writeFileAtomic`, a folder by a rename.
 * @module
 */
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CheckpointError, quote } from '../errors.ts';
import type { Converted, ModelFormat, ProjectionType } from '../models.ts';
import { PROJECTION_TYPES, convertModel } from '../models.ts';
import { writeFileAtomic } from './files.ts';
import { forTerminal, formatBytes, writeJson } from './format.ts';
import { sourceOptions } from './source-options.ts';
import type { Arguments, Command } from './usage.ts';
import { UsageError } from './usage.ts';

export const convertCommand: Command = {
  name: 'convert',
  synopsis: 'convert MODEL OUT [--type TYPE] [--overwrite] [options]',
  summary: 'Write a model as another kind of file: OUT ends in .gguf or .onebit.safetensors,\n'
    + 'or is a folder, which transformers loads. MODEL is any of these, or a name of the Hub.',
  positionals: ['MODEL', 'OUT'],
  flags: {
    'type': {
      type: 'string', value: PROJECTION_TYPES.join('|'), choices: PROJECTION_TYPES,
      help: 'element type of projections in GGUF (the smallest that loses nothing)',
    },
    'embeddings': {
      type: 'string', choices: ['f32', 'f16'], help: 'element type of embedding and head (as they are)',
    },
    'weights': {
      type: 'string', choices: ['b1', 't2'],
      help: 'quantize the projections of a folder that are floats',
    },
    'overwrite': { type: 'boolean', help: 'replace OUT' },
    'json': { type: 'boolean', help: 'print one JSON object instead of text' },
  },
  run,
};

/** The kind of file that a name asks for. */
function formatOf(out: string): ModelFormat {
  if (out.endsWith('.gguf')) return 'gguf';
  if (out.endsWith('.onebit.safetensors')) return 'onebit';
  if (/\.\w+$/.test(out.replace(/\/$/, '')) && !/[\\/]$/.test(out))
    throw new UsageError(
      `OUT expected a name that ends in .gguf, .onebit.safetensors or /, got ${quote(out)}`);
  return 'huggingface';
}

async function run(args: Arguments): Promise<number> {
  const [model, out] = args.positionals, to = formatOf(out), overwrite = args.flag('overwrite');
  if (!overwrite && await stat(out).catch(() => undefined))
    throw new CheckpointError('EXISTS', `${quote(out)} exists; --overwrite replaces it`, { file: out });
  const converted = await convertModel(model, {
    ...sourceOptions(), to, type: args.string('type') as ProjectionType | undefined,
    embeddings: args.string('embeddings') as 'f16' | 'f32' | undefined,
    weights: args.string('weights') as 'b1' | 't2' | undefined,
  });
  try {
    if (to === 'huggingface') await writeFolder(converted, out);
    else await writeFileAtomic(out, converted.files[0].chunks());
  } finally {
    await converted.close();
  }
  for (const notice of converted.notices) process.stderr.write(`onebit: ${notice}\n`);
  const files = converted.files.map(({ name, size }) => ({ name, bytes: size }));
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const { from, notices } = converted;
  if (args.flag('json')) writeJson({ from, to, out, bytes, files, notices });
  else process.stdout.write(forTerminal(`${out}  ${formatBytes(bytes)}\n`));
  return 0;
}

/** Writes the files beside `out` and renames the folder; one that is there goes first. */
async function writeFolder({ files }: Converted, out: string): Promise<void> {
  const target = resolve(out), name = `${target}.${process.pid}.tmp`, old = `${target}.${process.pid}.old`;
  try {
    await tried(out, mkdir(dirname(target), { recursive: true }).then(() => mkdir(name)));
    for (const file of files) await writeFileAtomic(join(name, file.name), file.chunks());
    const replaced = await rename(target, old).then(() => true, () => false);
    await tried(out, rename(name, target).catch(async (error) => {
      if (replaced) await rename(old, target);
      throw error;
    }));
    await rm(old, { recursive: true, force: true });
  } catch (error) {
    await rm(name, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}

/** What the system refuses, as an error of ours. */
async function tried(out: string, work: Promise<unknown>): Promise<void> {
  await work.catch((cause: NodeJS.ErrnoException) => {
    throw new CheckpointError('WRITE_FAILED',
      `cannot write ${quote(out)} (${cause.code}); nothing was replaced`,
      { file: out, actual: cause.code, cause });
  });
}

/**
 * Opens the model that a command is given: one of our own files, or a real model.
 * @module
 */
import { open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TokenizerError } from '../errors.ts';
import type { LanguageModel } from '../index.ts';
import { createEngine, load } from '../index.ts';
import type { ChatModel } from '../models.ts';
import { load as loadReal } from '../models.ts';
import { readFileChecked } from './files.ts';
import { sourceOptions } from './source-options.ts';
import type { Flag } from './usage.ts';

export interface OpenModelOptions {
  readonly threads?: number;
  readonly context?: number;
  /** Embeddings and head in 8 bits; see `load` of `onebit/models`, and of `onebit` for our own files. */
  readonly embeddings?: 'i8';
}

/** The flag of it. */
export const EMBEDDINGS = { embeddings: {
  type: 'string', value: 'i8', choices: ['i8'],
  help: 'keep embeddings and head in 8 bits: less memory, faster, logits a little different',
} } as const satisfies Record<string, Flag>;

/**
 * Whether a model is one of our own files on this machine; else it is a real one, behind an address, in GGUF,
 * or a folder.
 */
export async function isOwnFile(path: string): Promise<boolean> {
  if (/^(https?|hf):/.test(path)) return false;
  if (/(^|[\\/])config\.json$/.test(path)) return false;
  const found = await stat(path).catch(() => undefined);
  if (!found) return !path.endsWith('.gguf');
  const config = join(found.isDirectory() ? path : dirname(path), 'config.json');
  const inFolder = await stat(config).then((entry) => entry.isFile(), () => false);
  if (found.isDirectory()) return !inFolder;
  if (inFolder && path.endsWith('.safetensors') && !path.endsWith('.onebit.safetensors')) return false;
  return !await isGguf(path);
}

/** Whether a file on this machine is GGUF, by its first bytes. */
async function isGguf(path: string): Promise<boolean> {
  const handle = await open(path, 'r').catch(() => undefined);
  if (!handle) return false;
  try {
    const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.toString('latin1') === 'GGUF';
  } catch {
    return false;
  } finally {
    await handle.close();
  }
}

/** @throws {OnebitError} If it cannot be read; see `load` of either kind. */
export async function openModel(
  path: string, { threads, context, embeddings }: OpenModelOptions,
): Promise<LanguageModel | ChatModel> {
  const real = { ...sourceOptions(), threads, contextLength: context, embeddings };
  if (!await isOwnFile(path)) return loadReal(path, real);
  const bytes = await readFileChecked(path, { what: 'model' }), engine = createEngine({ threads });
  try {
    return await load(bytes, { engine, embeddings });
  } catch (error) {
    // The tokenizer of a real model, in a file that was converted.
    if (error instanceof TokenizerError) return loadReal(bytes, { engine, name: path, embeddings });
    throw error;
  }
}

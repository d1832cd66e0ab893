/**
 * Opens the model that a command is given: one of our own files, or a real model in GGUF.
 * @module
 */
import { open } from 'node:fs/promises';
import type { LanguageModel } from '../index.ts';
import { createEngine, load } from '../index.ts';
import type { ChatModel } from '../models.ts';
import { load as loadReal } from '../models.ts';
import { readFileChecked } from './files.ts';
import { sourceOptions } from './source-options.ts';

export interface OpenModelOptions {
  readonly threads?: number;
  readonly context?: number;
}

/** Whether a path names a GGUF file, by its first bytes; an address, by its name. */
export async function isGguf(path: string): Promise<boolean> {
  if (/^(https?|hf):/.test(path)) return /\.gguf(@|$|\?)/.test(path);
  const handle = await open(path, 'r').catch(() => undefined);
  if (!handle) return path.endsWith('.gguf');
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
  path: string, { threads, context }: OpenModelOptions,
): Promise<LanguageModel | ChatModel> {
  if (await isGguf(path)) return loadReal(path, { ...sourceOptions(), threads, contextLength: context });
  const bytes = await readFileChecked(path, { what: 'model' });
  return load(bytes, { engine: createEngine({ threads }) });
}

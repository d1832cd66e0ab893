/**
 * What a Hugging Face folder says of itself, from its small files and the headers of the large ones.
 * @module
 */
import { OnebitError } from '../errors.ts';
import type { ModelFiles } from '../hub/folder.ts';
import { folderOf } from '../hub/folder.ts';
import type { ModelLocation, OpenedSource, SourceOptions } from '../hub/open.ts';
import type { TensorEntry } from '../io/safetensors-table.ts';
import type { HfPlan, HfPlanOptions } from './hf-plan.ts';
import { TOKENIZER, missing, planOf, readContents } from './open-hf.ts';

export interface FolderHeaders {
  readonly name: string;
  /** Parsed `config.json`. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly tensors: readonly Pick<TensorEntry, 'name' | 'dtype' | 'shape' | 'bytes' | 'file'>[];
  /** Files of weights, and their bytes. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  /** What would run; or why nothing does. */
  readonly plan?: HfPlan;
  readonly reason?: string;
}

/**
 * Reads the headers of a folder; undefined if the location names one file.
 *
 * @throws {ModelFileError} MISSING_FILE, BAD_HEADER, …: see `readContents`. What keeps a whole folder from
 *   running is not thrown, but given as `reason`.
 * @example
 * const headers = await readFolderHeaders('hf:microsoft/bitnet-b1.58-2B-4T');
 * headers?.plan?.bytes; // bytes of memory of its weights
 */
export async function readFolderHeaders(
  source: ModelLocation | ModelFiles, options: SourceOptions & HfPlanOptions = {},
): Promise<FolderHeaders | undefined> {
  const folder = await folderOf(source, options), opened: OpenedSource[] = [];
  if (!folder) return undefined;
  try {
    const contents = await readContents(folder, opened), { json, table } = contents;
    const tokenizer = await folder.open(TOKENIZER);
    await tokenizer?.close();
    const tensors = [...table.tensors.values()];
    const sizes = new Map(tensors.map(({ file, source: { size } }) => [file, size]));
    const files = [...sizes].map(([name = '', bytes]) => ({ name, bytes }));
    try {
      if (!tokenizer) missing(folder, TOKENIZER);
      return { name: folder.name, json, tensors, files, plan: planOf(contents, options) };
    } catch (error) {
      if (!(error instanceof OnebitError)) throw error;
      return { name: folder.name, json, tensors, files, reason: error.message };
    }
  } finally {
    for (const { close } of opened) await close();
  }
}

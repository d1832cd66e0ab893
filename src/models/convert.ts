/**
 * Models from one kind of file to another.
 *
 *   ours, GGUF, Hugging Face folder  ─▶  parts, tensor by tensor  ─▶  GGUF, Hugging Face folder, ours
 *
 * What the other kind has no place for is refused by name, not left out.
 * @module
 */
import { checkOneOf } from '../check.ts';
import type { ModelFiles } from '../hub/folder.ts';
import { folderOf } from '../hub/folder.ts';
import type { ModelLocation, SourceOptions } from '../hub/open.ts';
import { openSource } from '../hub/open.ts';
import { readExactly } from '../io/byte-source.ts';
import type { ChunkedFile } from '../io/chunks.ts';
import type { BitKind } from '../quant/layout.ts';
import { partsOfGguf } from './parts-gguf.ts';
import { partsOfHf } from './parts-hf.ts';
import { isSafetensors, partsOfOwn } from './parts-own.ts';
import type { ModelFormat, ModelParts } from './parts.ts';
import { unwritable } from './parts.ts';
import type { ProjectionType } from './to-gguf.ts';
import { PROJECTION_TYPES, writeGguf } from './to-gguf.ts';
import { writeHf } from './to-hf.ts';
import { writeOwn } from './to-own.ts';

export interface ConvertOptions extends SourceOptions {
  /** What is written: one file, or the files of a folder. */
  readonly to: ModelFormat;
  /** GGUF: element type of projections. Default: the smallest that loses nothing, tensor by tensor. */
  readonly type?: ProjectionType;
  /** Element type of embedding and head. Default: as they are. */
  readonly embeddings?: 'f16' | 'f32';
  /** Hugging Face: quantize projections that are floats, where the folder does not say so itself. */
  readonly weights?: BitKind;
}

/** A file of a converted model. */
export interface ConvertedFile extends ChunkedFile {
  /** In its folder. */
  readonly name: string;
}

export interface Converted {
  /** What was read. */
  readonly from: ModelFormat;
  readonly files: readonly ConvertedFile[];
  /** What other programs cannot do with them, and what is rounded. */
  readonly notices: readonly string[];
  /** Closes what was read. The files can be taken until then. */
  close(): Promise<void>;
}

const FORMATS: readonly ModelFormat[] = ['onebit', 'gguf', 'huggingface'];

/**
 * Reads a model and makes the files of another kind. Tensors are read as the files are taken, one at a time,
 * but for our own kind, whose checksum needs all of it.
 *
 * @param source as `load` takes it
 * @throws {RangeError} If `to`, `type` or `embeddings` is unknown.
 * @throws {ModelFileError} If the source is damaged; UNSUPPORTED naming what cannot be written, at once or,
 *   for what only the tensors show, as they are taken
 * @throws {TokenizerError} UNSUPPORTED if the tokenizer cannot be written
 * @example
 * const { files: [file], close } = await convertModel('model.onebit.safetensors', { to: 'gguf' });
 * for await (const bytes of file.chunks()) await handle.write(bytes);
 * await close();
 */
export async function convertModel(
  source: ModelLocation | ModelFiles, options: ConvertOptions,
): Promise<Converted> {
  const { to, type, embeddings } = options;
  checkOneOf('convertModel', 'to', to, FORMATS);
  if (type !== undefined) checkOneOf('convertModel', 'type', type, PROJECTION_TYPES);
  if (embeddings !== undefined) checkOneOf('convertModel', 'embeddings', embeddings, ['f16', 'f32']);
  const parts = await partsOf(source, options);
  try {
    if (parts.format === to) unwritable(parts.name, 'is of this kind already', to);
    if (type !== undefined && to !== 'gguf') unwritable('type', 'is for GGUF files', type);
    return { from: parts.format, close: () => parts.close(), ...await written(parts, options) };
  } catch (error) {
    await parts.close();
    throw error;
  }
}

async function written(
  parts: ModelParts, options: ConvertOptions,
): Promise<Pick<Converted, 'files' | 'notices'>> {
  if (options.to === 'gguf') {
    const { file, notices } = writeGguf(parts, options);
    return { files: [{ name: 'model.gguf', ...file }], notices };
  }
  if (options.to === 'huggingface') {
    const files = Object.entries(writeHf(parts, options)).map(([name, file]) => ({ name, ...file }));
    return { files, notices: [] };
  }
  const bytes = await writeOwn(parts, options);
  const chunks: ChunkedFile['chunks'] = async function* () { yield bytes; };
  return { files: [{ name: 'model.onebit.safetensors', size: bytes.length, chunks }], notices: [] };
}

async function partsOf(source: ModelLocation | ModelFiles, options: ConvertOptions): Promise<ModelParts> {
  const sources = { ...options, cache: options.cache ?? true }, folder = await folderOf(source, sources);
  if (folder) return partsOfHf(folder, { weights: options.weights });
  const opened = await openSource(source as ModelLocation, sources), name = opened.name ?? 'the model';
  try {
    if (!await isSafetensors(opened.bytes)) return await partsOfGguf(opened, name);
    const bytes = await readExactly(opened.bytes, 0, opened.bytes.size, name);
    await opened.close();
    return partsOfOwn(bytes, name);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

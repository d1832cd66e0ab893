/**
 * The table of a safetensors file, or of several that an index names, without reading the tensors.
 *
 *   model.safetensors                    one file
 *   model.safetensors.index.json         {"weight_map": {tensor: file}}: several
 *
 * Source  github.com/huggingface/safetensors, README "Format"; transformers' `save_pretrained` for the index.
 * @module
 */
import { ModelFileError, quote } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';
import { readExactly } from './byte-source.ts';
import type { Dtype } from './safetensors-header.ts';
import { MAX_ENTRIES, parseHeader } from './safetensors-header.ts';
import { readHeaderLength } from './safetensors.ts';

/** A tensor of a file, still in it. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Byte offset in the file, and bytes. */
  readonly offset: number;
  readonly bytes: number;
  readonly source: ByteSource;
  /** The file, for messages. */
  readonly file?: string;
}

/** What a header says. */
export interface TensorTable {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

const LENGTH_BYTES = 8;
/** Enough to see what a file is if it is something else. */
const FIRST_BYTES = 64;
const MAX_HEADER_BYTES = 16 * 2 ** 20;

/**
 * Reads the header of a file: at most 16 MiB.
 *
 * @throws {ModelFileError} as `decodeSafetensors`, but for the seal, which is not looked at
 * @example
 * const { tensors } = await readSafetensorsTable(bytesSource(bytes));
 * tensors.get('model.norm.weight')?.dtype; // 'BF16'
 */
export async function readSafetensorsTable(source: ByteSource, file?: string): Promise<TensorTable> {
  const { size } = source, first = await readExactly(source, 0, Math.min(size, FIRST_BYTES), file);
  const start = LENGTH_BYTES + readHeaderLength(first, size, MAX_HEADER_BYTES, file);
  const bytes = await readExactly(source, 0, start, file);
  const { metadata, entries } = parseHeader(bytes, LENGTH_BYTES, start, size - start, file);
  const tensors = [...entries.values()].map(({ name, dtype, shape, begin, end }): TensorEntry =>
    ({ name, dtype, shape, offset: start + begin, bytes: end - begin, source, file }));
  return { metadata, tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
}

/** A name in a folder: no way out of it. */
const SAFE_NAME = /^(?!.*(^|\/)\.\.?(\/|$))[\w.-]+(\/[\w.-]+)*$/;

/**
 * The file of each tensor, as an index says.
 *
 * @param json the parsed index
 * @throws {ModelFileError} BAD_HEADER; COUNT_TOO_LARGE; PATH_ESCAPE if a file would lie elsewhere
 */
export function readWeightMap(json: unknown, file?: string): ReadonlyMap<string, string> {
  const map = (json as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    throw new ModelFileError('BAD_HEADER', 'the index has no object "weight_map"',
      { file, field: 'weight_map', expected: 'an object', actual: typeof map });
  const entries = Object.entries(map as Record<string, unknown>);
  if (entries.length > MAX_ENTRIES)
    throw new ModelFileError('COUNT_TOO_LARGE', `the index lists ${entries.length} tensors`,
      { file, field: 'weight_map', expected: MAX_ENTRIES, actual: entries.length });
  for (const [tensor, shard] of entries)
    if (typeof shard !== 'string' || !SAFE_NAME.test(shard))
      throw new ModelFileError('PATH_ESCAPE',
        `the index puts ${quote(tensor)} in ${quote(String(shard))}, which is no file beside it`,
        { file, field: tensor, actual: shard });
  return new Map(entries as [string, string][]);
}

/**
 * One table of several files.
 *
 * @param shards tables by file
 * @throws {ModelFileError} MISSING_TENSOR if a file lacks what the index says; DUPLICATE_TENSOR
 */
export function joinTables(
  weightMap: ReadonlyMap<string, string>, shards: ReadonlyMap<string, TensorTable>,
): TensorTable {
  const tensors = new Map<string, TensorEntry>(), metadata = new Map<string, string>();
  for (const [file, table] of shards)
    for (const [name, tensor] of table.tensors) {
      const first = tensors.get(name);
      if (first)
        throw new ModelFileError('DUPLICATE_TENSOR',
          `tensor ${quote(name)} is in ${quote(first.file ?? '')} and in ${quote(file)}`,
          { file, field: name });
      tensors.set(name, tensor);
    }
  for (const [name, file] of weightMap)
    if (!shards.get(file)?.tensors.has(name))
      throw new ModelFileError('MISSING_TENSOR', `tensor ${quote(name)} is not in ${quote(file)}`,
        { file, field: name });
  return { metadata, tensors };
}

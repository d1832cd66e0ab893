/**
 * GGUF files, versions 2 and 3: metadata and tensors, without reading the tensors' data.
 *
 * The tensors must cover the data without a gap: each begins where the one before it, padded to the
 * alignment, ends. In which order the table lists them does not matter. So the bytes allotted to each
 * are known, and with them what a colliding type number means (`quant/ggml-types.ts`).
 *
 * Source  ggml `docs/gguf.md`, `src/gguf.cpp` for the rule of offsets.
 * @module
 */
import { ModelFileError, quote } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';
import { readExactly } from './byte-source.ts';
import type { GgmlType } from '../quant/ggml-types.ts';
import { GGML_FORMATS, ggmlBytes, ggmlCandidates, isNvfp4, refusedName } from '../quant/ggml-types.ts';
import { NeedMore } from './gguf-cursor.ts';
import type { GgufHeader, RawTensor } from './gguf-header.ts';
import { parseGgufHeader } from './gguf-header.ts';

export type { GgufValue, ValueType } from './gguf-header.ts';
export { GgufArray } from './gguf-array.ts';

/** A tensor of a file. */
export interface GgufTensor {
  readonly name: string;
  readonly type: GgmlType;
  readonly typeId: number;
  /** Innermost first, as the file has them. */
  readonly dims: readonly number[];
  /** dims[0]: what one dot product runs over. */
  readonly cols: number;
  /** The product of the other dims. */
  readonly rows: number;
  /** Byte offset in the file. */
  readonly offset: number;
  /** Bytes, without padding. */
  readonly bytes: number;
}

/** Something odd that does not keep a file from being read. */
export interface GgufWarning {
  readonly code: 'TRAILING_BYTES';
  readonly message: string;
}

/** The header of a file, settled. */
export interface GgufFile extends Pick<GgufHeader, 'version' | 'metadata' | 'valueTypes' | 'alignment'> {
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** Byte offset of the data. */
  readonly dataStart: number;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly warnings: readonly GgufWarning[];
}

/** Bytes read first; most headers of small models fit. */
const FIRST_READ = 256 * 1024;
const MAX_HEADER = 64 * 2 ** 20;

/**
 * Reads the header of a GGUF file: at most 64 MiB, and nothing of the tensors' data but what comes
 * with the first bytes.
 *
 * @throws {ModelFileError} see `parseGgufHeader`; HEADER_TOO_LARGE; UNSUPPORTED_TENSOR_TYPE, BAD_SHAPE,
 *   BAD_OFFSETS, OVERLAP, TRUNCATED of a tensor
 * @example
 * const file = await readGguf(bytesSource(bytes));
 * file.metadata.get('general.architecture'); // 'qwen3'
 */
export async function readGguf(source: ByteSource, file?: string): Promise<GgufFile> {
  const { size } = source;
  const most = Math.min(size, MAX_HEADER);
  for (let length = Math.min(FIRST_READ, most); ; ) {
    const bytes = await readExactly(source, 0, length, file);
    try {
      return settle(parseGgufHeader(bytes, size, file), size, file);
    } catch (error) {
      if (!(error instanceof NeedMore)) throw error;
      if (error.bytes > most)
        throw new ModelFileError('HEADER_TOO_LARGE',
          `the header needs ${error.bytes} bytes or more, limit is ${MAX_HEADER}`,
          { file, expected: MAX_HEADER, actual: error.bytes });
      length = Math.min(most, Math.max(error.bytes, length * 4));
    }
  }
}

/** Gives every tensor its type and place. */
function settle(header: GgufHeader, size: number, file?: string): GgufFile {
  const { version, metadata, valueTypes, alignment, dataStart } = header;
  const ordered = [...header.tensors].sort((a, b) => a.offset - b.offset);
  const settled = new Map<string, GgufTensor>(), known = new Map<number, GgmlType>();
  let end = 0;
  ordered.forEach((raw, i) => {
    if (raw.offset !== end) throw badOffset(raw, ordered[i - 1], end, file);
    const allotted = i + 1 < ordered.length ? ordered[i + 1].offset - raw.offset : undefined;
    const type = settleType(raw, allotted, size - dataStart - raw.offset, alignment, known, file);
    const bytes = ggmlBytes(type, raw.elements);
    known.set(raw.typeId, type);
    const offset = dataStart + raw.offset;
    if (offset + bytes > size)
      throw truncated({ name: raw.name, type, offset, bytes }, size, dataStart, ordered.at(-1)!, file);
    end = raw.offset + Math.ceil(bytes / alignment) * alignment;
    const { name, dims, typeId, elements } = raw;
    settled.set(name, { name, type, typeId, dims, cols: dims[0], rows: elements / dims[0], offset, bytes });
  });
  const tensors = new Map(header.tensors.map(({ name }) => [name, settled.get(name)!]));
  return {
    version, metadata, valueTypes, alignment, tensors, dataStart, size,
    warnings: trailing(dataStart + end, size),
  };
}

function trailing(end: number, size: number): GgufWarning[] {
  if (size <= end) return [];
  return [{ code: 'TRAILING_BYTES', message: `${size - end} bytes after the last tensor are not read` }];
}

function badOffset(
  { name, offset }: RawTensor, before: RawTensor | undefined, end: number, file?: string,
): ModelFileError {
  const overlaps = offset < end;
  const message = overlaps
    ? `tensor ${quote(name)} at offset ${offset} overlaps ${quote(before?.name ?? '')}, which ends at ${end}`
    : `tensor ${quote(name)} is at offset ${offset}, expected ${end}: where the one before it ends`;
  return new ModelFileError(overlaps ? 'OVERLAP' : 'BAD_OFFSETS', message,
    { file, field: name, expected: end, actual: offset });
}

/** A tensor that the file ends in: with how much of the whole file there is. */
function truncated(
  { name, type, offset, bytes }: Pick<GgufTensor, 'name' | 'type' | 'offset' | 'bytes'>, size: number,
  dataStart: number, last: RawTensor, file?: string,
): ModelFileError {
  const [likely] = ggmlCandidates(last.typeId);
  const whole = dataStart + last.offset + (likely ? ggmlBytes(likely, last.elements) || 0 : 0);
  const { tail } = GGML_FORMATS[type];
  const part = offset + bytes - size <= tail ? `: ${tail} bytes with its scale are missing` : '';
  return new ModelFileError('TRUNCATED',
    `tensor ${quote(name)} needs bytes ${offset} to ${offset + bytes}${part}; expected ${whole} bytes, ` +
    `got ${size} (${Math.floor((size / whole) * 100)} %); download it again`,
    { file, field: name, offset, expected: whole, actual: size });
}

/**
 * The type that the allotted bytes speak for.
 *
 * @param allotted bytes up to the next tensor; undefined for the last one
 * @param room bytes that the file has for it
 * @param known what each number meant so far: it decides where the last tensor could be either
 */
function settleType(
  raw: RawTensor, allotted: number | undefined, room: number, alignment: number,
  known: ReadonlyMap<number, GgmlType>, file?: string,
): GgmlType {
  const { name, typeId, dims, elements } = raw, candidates = ggmlCandidates(typeId);
  const refuse = (): never => {
    throw new ModelFileError('UNSUPPORTED_TENSOR_TYPE',
      `tensor ${quote(name)} has the element type ${typeId} (${refusedName(typeId)})`,
      { file, field: name, actual: typeId });
  };
  if (candidates.length === 0 || isNvfp4(typeId, elements, allotted ?? room)) return refuse();
  const whole = candidates.filter((type) => dims[0] % GGML_FORMATS[type].elements === 0);
  if (whole.length === 0) {
    const { elements: block } = GGML_FORMATS[candidates[0]];
    throw new ModelFileError('BAD_SHAPE',
      `tensor ${quote(name)} has rows of ${dims[0]} elements, ${candidates[0]} needs a multiple of ${block}`,
      { file, field: name, expected: block, actual: dims[0] });
  }
  const padded = (type: GgmlType): number =>
    Math.ceil(ggmlBytes(type, elements) / alignment) * alignment;
  if (allotted === undefined) {
    const fits = (type: GgmlType): boolean => ggmlBytes(type, elements) <= room;
    const exact = whole.find((type) => ggmlBytes(type, elements) === room || padded(type) === room);
    const before = known.get(typeId);
    return exact ?? (before && whole.includes(before) ? before : whole.find(fits) ?? whole[0]);
  }
  return whole.find((type) => padded(type) === allotted) ?? wrongSize(raw, whole, allotted, refuse, file);
}

/** No type of the number has the allotted size: another layout, an overlap or a gap. */
function wrongSize(
  { name, typeId, elements }: RawTensor, candidates: readonly GgmlType[], allotted: number,
  refuse: () => never, file?: string,
): GgmlType {
  if (typeId === 36 || candidates.length > 1) return refuse();
  const type = candidates[0], bytes = ggmlBytes(type, elements), overlaps = allotted < bytes;
  throw new ModelFileError(overlaps ? 'OVERLAP' : 'BAD_OFFSETS',
    `tensor ${quote(name)} of ${type} has ${bytes} bytes, ` +
    `the next one begins ${allotted} bytes behind its start`,
    { file, field: name, expected: bytes, actual: allotted });
}

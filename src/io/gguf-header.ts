/**
 * The header of a GGUF file: metadata and the table of tensors, checked. Nothing of the tensors' data.
 *
 *   u8[4] "GGUF" | u32 version 2 or 3 | u64 tensors | u64 metadata pairs
 *   pair     string key | u32 value type | value
 *   tensor   string name | u32 dims 1 … 4 | u64[dims], innermost first | u32 element type | u64 offset
 *
 * then zeros up to a multiple of `general.alignment`, then the data. A string is u64 length and bytes; an
 * array u32 element type, u64 count, elements. All little-endian.
 *
 * Source  ggml `docs/gguf.md`.
 * @module
 */
import { ModelFileError, quote } from '../errors.ts';
import { fileKind } from './file-kind.ts';
import type { NumberType } from './gguf-cursor.ts';
import { GgufCursor, NUMBER_BYTES, fieldName } from './gguf-cursor.ts';
import { GgufArray } from './gguf-array.ts';

/** A value of the metadata. Integers that no double holds exactly are bigints. */
export type GgufValue = number | bigint | boolean | string | GgufArray;

/** A line of the table of tensors as it is written. */
export interface RawTensor {
  readonly name: string;
  /** Innermost first: [columns, rows]. */
  readonly dims: readonly number[];
  readonly elements: number;
  /** Number of the element type. */
  readonly typeId: number;
  /** Bytes from the start of the data. */
  readonly offset: number;
}

/** A header that agrees with itself. */
export interface GgufHeader {
  readonly version: number;
  /** In the order of the file. A key is never a property of an object. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** Value types of the metadata: `u32`, `string`, `array`, … */
  readonly valueTypes: ReadonlyMap<string, ValueType>;
  readonly tensors: readonly RawTensor[];
  readonly alignment: number;
  /** Byte offset in the file of the data. */
  readonly dataStart: number;
}

/** Type of a value of the metadata. */
export type ValueType = NumberType | 'string' | 'array';

const VALUE_TYPES: readonly ValueType[] = [
  'u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'bool', 'string', 'array', 'u64', 'i64', 'f64',
];

const HEADER_BYTES = 24;
/** Smallest pair: a key of one letter and a value of one byte; smallest line of a tensor. */
const LEAST_PAIR = 14, LEAST_TENSOR = 33;
const MAX_ENTRIES = 65_536;
const MAX_KEY = 65_535;
/** ggml keeps 64 bytes for a name and its end. */
const MAX_NAME = 63;
const MAX_DIMS = 4, MAX_DIM = 2 ** 31 - 1, MAX_ELEMENTS = 2 ** 40;
const MAX_ARRAY = 4 * 2 ** 20;
const ALIGNMENT_KEY = 'general.alignment';
const MIN_ALIGNMENT = 8, MAX_ALIGNMENT = 65_536, DEFAULT_ALIGNMENT = 32;

/**
 * Parses the header in the first bytes of a file.
 *
 * @param bytes u8[n], the beginning of the file
 * @param size bytes of the whole file
 * @throws {NeedMore} If the header goes on behind them.
 * @throws {ModelFileError} NOT_GGUF, BIG_ENDIAN, UNSUPPORTED_VERSION, TRUNCATED, COUNT_TOO_LARGE, LIMIT,
 *   INVALID_KEY, DUPLICATE_KEY, INVALID_UTF8, BAD_TYPE, NESTED_ARRAY, BAD_BOOL, WRONG_TYPE, BAD_ALIGNMENT,
 *   BAD_SHAPE, BAD_OFFSETS, DUPLICATE_TENSOR
 */
export function parseGgufHeader(bytes: Uint8Array, size: number, file?: string): GgufHeader {
  const cursor = new GgufCursor(bytes, size, file);
  const version = readStart(cursor);
  cursor.at = 8;
  const tensorCount = cursor.count('tensor count', LEAST_TENSOR, MAX_ENTRIES);
  const pairCount = cursor.count('metadata count', LEAST_PAIR, MAX_ENTRIES);
  const metadata = new Map<string, GgufValue>(), valueTypes = new Map<string, ValueType>();
  const places = new Map<string, number>();
  for (let i = 0; i < pairCount; i++) {
    const at = cursor.at, key = cursor.name('metadata key', MAX_KEY);
    checkNew(cursor, 'DUPLICATE_KEY', 'metadata key', key, at, places);
    const type = readType(cursor, key);
    valueTypes.set(key, type);
    metadata.set(key, readValue(cursor, key, type));
  }
  const alignment = alignmentOf(cursor, metadata, valueTypes);
  places.clear();
  const tensors = Array.from({ length: tensorCount }, () => {
    const at = cursor.at, name = cursor.name('tensor name', MAX_NAME);
    checkNew(cursor, 'DUPLICATE_TENSOR', 'tensor', name, at, places);
    return readTensor(cursor, name, alignment);
  });
  const dataStart = Math.ceil(cursor.at / alignment) * alignment;
  return { version, metadata, valueTypes, tensors, alignment, dataStart };
}

/** Magic and version. */
function readStart(cursor: GgufCursor): number {
  const { bytes, size, file } = cursor;
  const magic = String.fromCharCode(...bytes.subarray(0, 4));
  if (size >= 4 && magic !== 'GGUF') {
    const kind = fileKind(bytes) ?? `a file that begins with ${quote(magic)}`;
    throw new ModelFileError('NOT_GGUF', `not a GGUF file: looks like ${kind}`,
      { file, offset: 0, expected: 'GGUF', actual: kind });
  }
  if (size < HEADER_BYTES)
    throw new ModelFileError('TRUNCATED', `${size} bytes; the header of a GGUF file needs ${HEADER_BYTES}`,
      { file, offset: size, expected: HEADER_BYTES, actual: size });
  cursor.at = 4;
  const version = cursor.u32('version');
  if (version !== 0 && (version & 0xffff) === 0)
    cursor.fail('BIG_ENDIAN', 'a big-endian GGUF file; only little-endian ones are read',
      { field: 'version', offset: 4, actual: version });
  if (version !== 2 && version !== 3)
    cursor.fail('UNSUPPORTED_VERSION', `GGUF version ${version}; versions 2 and 3 are read`,
      { field: 'version', offset: 4, expected: '2 or 3', actual: version });
  return version;
}

function checkNew(
  cursor: GgufCursor, code: string, what: string, name: string, at: number, places: Map<string, number>,
): void {
  const before = places.get(name);
  if (before !== undefined)
    cursor.fail(code, `${what} ${quote(name)} is at byte ${before} and again at byte ${at}`,
      { field: name, offset: at });
  places.set(name, at);
}

function readType(cursor: GgufCursor, key: string): ValueType {
  const at = cursor.at, id = cursor.u32(fieldName(key));
  return VALUE_TYPES[id] ?? cursor.fail('BAD_TYPE',
    `${fieldName(key)} has the value type ${id}; types 0 to 12 are known`,
    { field: key, offset: at, expected: '0 to 12', actual: id });
}

function readValue(cursor: GgufCursor, key: string, type: ValueType): GgufValue {
  const field = fieldName(key);
  if (type === 'string') return cursor.string(field);
  if (type !== 'array') return cursor.number(type, field);
  const at = cursor.at, element = readType(cursor, key);
  if (element === 'array')
    cursor.fail('NESTED_ARRAY', `${field} is an array of arrays, which no model needs`,
      { field: key, offset: at });
  return readArray(cursor, key, element);
}

/** Passes over an array; its elements are decoded when they are asked for. */
function readArray(cursor: GgufCursor, key: string, element: NumberType | 'string'): GgufArray {
  const field = fieldName(key), at = cursor.at, declared = cursor.u64(field);
  const width = element === 'string' ? 8 : NUMBER_BYTES[element];
  if (declared > BigInt(Math.floor(cursor.left / width)))
    cursor.fail('TRUNCATED',
      `${field} has ${declared} elements of ${width} bytes or more, the file has ${cursor.left} more bytes`,
      { field: key, offset: at, expected: declared, actual: cursor.left });
  if (declared > BigInt(MAX_ARRAY))
    cursor.fail('LIMIT', `${field} has ${declared} elements, limit is ${MAX_ARRAY}`,
      { field: key, offset: at, expected: MAX_ARRAY, actual: declared });
  const length = Number(declared), from = cursor.at;
  if (element === 'string') for (let i = 0; i < length; i++) cursor.stringBytes(field);
  else {
    const to = cursor.take(length * width, field) + length * width;
    if (element === 'bool') checkBooleans(cursor, key, from, to);
  }
  return new GgufArray(element, length, cursor.bytes.subarray(from, cursor.at), key, from, cursor.file);
}

function checkBooleans(cursor: GgufCursor, key: string, from: number, to: number): void {
  const bad = cursor.bytes.subarray(from, to).findIndex((value) => value > 1);
  if (bad >= 0)
    cursor.fail('BAD_BOOL',
      `${fieldName(key)} element ${bad} expected 0 or 1, found ${cursor.bytes[from + bad]}`,
      { field: key, offset: from + bad, expected: '0 or 1', actual: cursor.bytes[from + bad] });
}

function alignmentOf(
  cursor: GgufCursor, metadata: ReadonlyMap<string, GgufValue>, types: ReadonlyMap<string, ValueType>,
): number {
  const value = metadata.get(ALIGNMENT_KEY), type = types.get(ALIGNMENT_KEY);
  if (value === undefined) return DEFAULT_ALIGNMENT;
  if (type !== 'u32' || typeof value !== 'number')
    return cursor.fail('WRONG_TYPE', `${ALIGNMENT_KEY} expected a u32, found ${type}`,
      { field: ALIGNMENT_KEY, expected: 'u32', actual: type });
  if (value < MIN_ALIGNMENT || value > MAX_ALIGNMENT || (value & (value - 1)) !== 0)
    cursor.fail('BAD_ALIGNMENT',
      `${ALIGNMENT_KEY} expected a power of two from ${MIN_ALIGNMENT} to ${MAX_ALIGNMENT}, found ${value}`,
      { field: ALIGNMENT_KEY, expected: 'a power of two', actual: value });
  return value;
}

function readTensor(cursor: GgufCursor, name: string, alignment: number): RawTensor {
  const field = `tensor ${quote(name)}`, at = cursor.at, count = cursor.u32(field);
  if (count < 1 || count > MAX_DIMS)
    cursor.fail('BAD_SHAPE', `${field} has ${count} dimensions; 1 to ${MAX_DIMS} are possible`,
      { field: name, offset: at, expected: '1 to 4', actual: count });
  let elements = 1n;
  const dims = Array.from({ length: count }, () => {
    const place = cursor.at, dim = cursor.u64(field);
    if (dim < 1n || dim > BigInt(MAX_DIM))
      cursor.fail('BAD_SHAPE', `${field} has a dimension of ${dim}; 1 to ${MAX_DIM} are possible`,
        { field: name, offset: place, expected: MAX_DIM, actual: dim });
    elements *= dim;
    return Number(dim);
  });
  if (elements > BigInt(MAX_ELEMENTS))
    cursor.fail('BAD_SHAPE', `${field} has ${elements} elements, limit is ${MAX_ELEMENTS}`,
      { field: name, offset: at, expected: MAX_ELEMENTS, actual: elements });
  const typeId = cursor.u32(field), place = cursor.at, offset = cursor.u64(field);
  if (offset % BigInt(alignment) !== 0n || offset > BigInt(Number.MAX_SAFE_INTEGER))
    cursor.fail('BAD_OFFSETS', `${field} is at offset ${offset}, expected a multiple of ${alignment}`,
      { field: name, offset: place, expected: alignment, actual: offset });
  return { name, dims, elements: Number(elements), typeId, offset: Number(offset) };
}

/**
 * The header of a safetensors file: JSON text → checked table of tensors.
 *
 * `{"__metadata__": {text: text}, name: {"dtype": …, "shape": […], "data_offsets": [begin, end]}}`
 * with offsets from the first byte after the header. The data must be covered exactly: no hole,
 * no overlap, nothing after the last tensor, so that a file cannot hide a second one.
 *
 * Source: github.com/huggingface/safetensors, README "Format".
 * @module
 */
import { ModelFileError, quote, type ErrorFacts } from '../errors.ts';
import { JsonCursor } from './json-cursor.ts';
import { SEAL_CRC } from './seal.ts';

/** Bytes per element of every element type read and written. Sub-byte types are refused. */
const ELEMENT_BYTES = {
  BOOL: 1, U8: 1, I8: 1, F8_E5M2: 1, F8_E4M3: 1,
  U16: 2, I16: 2, F16: 2, BF16: 2,
  U32: 4, I32: 4, F32: 4,
  U64: 8, I64: 8, F64: 8,
} as const;

/** Element type of a tensor, as safetensors names it. */
export type Dtype = keyof typeof ELEMENT_BYTES;

/** Most tensors, and most metadata entries, in one file. */
export const MAX_ENTRIES = 65_536;
/** Most dimensions of one tensor, as in PyTorch. */
export const MAX_DIMS = 64;
/** Name in the header that is no tensor. */
export const METADATA = '__metadata__';
/** One line of the table. Offsets are in bytes from the start of the data. */
export interface HeaderEntry {
  name: string;
  dtype: Dtype;
  shape: readonly number[];
  begin: number;
  end: number;
}

/** A header whose table agrees with itself and with the size of the data. */
export interface Header {
  metadata: Map<string, string>;
  entries: Map<string, HeaderEntry>;
  /** Byte offset of the first CRC digit in the file; −1 if the field is not there. */
  crcAt: number;
}

/** Whether `dtype` names a known element type. */
export function isDtype(dtype: string): dtype is Dtype {
  return Object.hasOwn(ELEMENT_BYTES, dtype);
}

/** Bytes of one element. */
export function elementBytes(dtype: Dtype): number {
  return ELEMENT_BYTES[dtype];
}

/** Bytes of a tensor, or NaN if a product leaves the exact integers. [] is one element. */
export function tensorBytes(dtype: Dtype, shape: readonly number[]): number {
  let bytes: number = ELEMENT_BYTES[dtype];
  for (const dim of shape) {
    bytes *= dim;
    if (!Number.isSafeInteger(bytes)) return NaN;
  }
  return bytes;
}

/**
 * Parses and checks the header in bytes start … end, which `dataBytes` bytes of data follow.
 *
 * @param bytes the file, at least up to `end`
 * @throws {ModelFileError} BAD_HEADER, DUPLICATE_TENSOR, COUNT_TOO_LARGE, BAD_SHAPE, BAD_OFFSETS or
 *   UNSUPPORTED_TENSOR_TYPE, with the byte or the tensor.
 */
export function parseHeader(
  bytes: Uint8Array, start: number, end: number, dataBytes: number, file?: string,
): Header {
  const header: Header = { metadata: new Map(), entries: new Map(), crcAt: -1 };
  const cursor = new JsonCursor(bytes, start, end, file);
  if (bytes[start] !== 0x7b) cursor.fail('"{"', start);
  let hasMetadata = false;
  cursor.members((name, at) => {
    if (name === METADATA) {
      if (hasMetadata) cursor.fail(`one ${METADATA} only`, at);
      hasMetadata = true;
      readMetadata(cursor, header);
      return;
    }
    checkCount(cursor, 'tensors', header.entries.size);
    if (header.entries.has(name)) {
      const message = `tensor ${quote(name)} is listed twice, again at byte ${at}`;
      throw new ModelFileError('DUPLICATE_TENSOR', message, { file, offset: at, field: name });
    }
    header.entries.set(name, readEntry(cursor, name, at));
  });
  cursor.finish();
  checkCoverage([...header.entries.values()], dataBytes, file);
  return header;
}

function checkCount(cursor: JsonCursor, what: string, count: number): void {
  if (count < MAX_ENTRIES) return;
  throw new ModelFileError(
    'COUNT_TOO_LARGE', `the header lists more than ${MAX_ENTRIES} ${what}`,
    { file: cursor.file, offset: cursor.at, field: what, expected: MAX_ENTRIES },
  );
}

function readMetadata(cursor: JsonCursor, header: Header): void {
  cursor.members((key, at) => {
    checkCount(cursor, 'metadata entries', header.metadata.size);
    if (header.metadata.has(key)) cursor.fail(`metadata key ${quote(key)} once only`, at);
    cursor.peek();
    if (key === SEAL_CRC) header.crcAt = cursor.at + 1;
    header.metadata.set(key, cursor.string());
  });
}

function readEntry(cursor: JsonCursor, name: string, at: number): HeaderEntry {
  const fields = new Set<string>();
  let dtype = '';
  let shape: number[] = [];
  let offsets: number[] = [];
  cursor.members((key, keyAt) => {
    if (fields.has(key)) cursor.fail(`field ${quote(key)} once only`, keyAt);
    fields.add(key);
    if (key === 'dtype') dtype = cursor.string();
    else if (key === 'shape') shape = readIntegers(cursor, name, key, 'BAD_SHAPE', MAX_DIMS);
    else if (key === 'data_offsets') offsets = readIntegers(cursor, name, key, 'BAD_OFFSETS', 2);
    else cursor.fail('"dtype", "shape" or "data_offsets"', keyAt);
  });
  if (fields.size !== 3) cursor.fail(`dtype, shape and data_offsets of ${quote(name)}`, at);
  return checkEntry(cursor.file, name, dtype, shape, offsets);
}

function readIntegers(
  cursor: JsonCursor, name: string, field: string, code: string, most: number,
): number[] {
  const values: number[] = [];
  cursor.items(() => {
    cursor.peek();
    const offset = cursor.at;
    const text = cursor.number();
    const value = /^[0-9]+$/.test(text) ? Number(text) : NaN;
    if (!Number.isSafeInteger(value))
      refuse(code, name, `${field} expected integers from 0 to 2^53 − 1, got ${text}`, {
        file: cursor.file, offset, actual: text,
      });
    if (values.push(value) > most)
      refuse(code, name, `${field} expected at most ${most} numbers`, {
        file: cursor.file, offset, expected: most,
      });
  });
  return values;
}

function refuse(code: string, name: string, message: string, facts: ErrorFacts): never {
  const where = facts.offset === undefined ? '' : ` at byte ${facts.offset}`;
  throw new ModelFileError(code, `tensor ${quote(name)}: ${message}${where}`, {
    field: name, ...facts,
  });
}

function checkEntry(
  file: string | undefined, name: string, dtype: string, shape: number[], offsets: number[],
): HeaderEntry {
  if (!isDtype(dtype)) {
    const message = `element type ${quote(dtype)} is not supported`;
    return refuse('UNSUPPORTED_TENSOR_TYPE', name, message, { file, actual: dtype });
  }
  const [begin, end] = offsets;
  if (offsets.length !== 2 || begin > end) {
    const message = `data_offsets expected [begin, end], got [${offsets}]`;
    refuse('BAD_OFFSETS', name, message, { file, actual: offsets });
  }
  const expected = tensorBytes(dtype, shape);
  if (expected !== end - begin) {
    const need = Number.isNaN(expected) ? 'more than 2^53 − 1' : expected;
    const message = `${dtype} [${shape}] needs ${need} bytes, data_offsets give ${end - begin}`;
    refuse('BAD_SHAPE', name, message, { file, expected, actual: end - begin });
  }
  return { name, dtype, shape, begin, end };
}

/** Checks that the tensors, by their offsets, cover 0 … dataBytes without hole or overlap. */
function checkCoverage(entries: HeaderEntry[], dataBytes: number, file?: string): void {
  // Total: two entries equal in both offsets are either both empty or an overlap, refused below.
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  let last = '';
  for (const { name, begin, end } of entries) {
    if (begin !== covered) {
      const what = begin < covered ? `overlaps ${quote(last)}` : 'leaves a hole before it';
      const message = `${what}: begins at data byte ${begin}, expected ${covered}`;
      refuse('BAD_OFFSETS', name, message, { file, expected: covered, actual: begin });
    }
    covered = end;
    last = name;
  }
  if (covered === dataBytes) return;
  const message =
    covered > dataBytes
      ? `the file ends ${covered - dataBytes} bytes too early; it may be cut`
      : `${dataBytes - covered} bytes follow that belong to no tensor`;
  refuse('BAD_OFFSETS', last, message, { file, expected: covered, actual: dataBytes });
}

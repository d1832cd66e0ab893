/**
 * safetensors: named tensors as bytes, with an optional seal that finds every flipped bit.
 *
 * u64 N (little-endian) | N bytes of JSON, padded with spaces | tensor data without gaps.
 *
 * Written files: N + 8 is a multiple of 64 and the data go widest elements first (ties in the
 * given order), so each tensor begins at a multiple of its element size and a typed array can view
 * it without a copy, on a cache line where the sizes allow. The table keeps the given order.
 *
 * Seal: metadata field `onebit.crc32` is the CRC-32 of the whole file with its 8 digits read as 0.
 *
 * Source: github.com/huggingface/safetensors, README "Format"; the seal is our own.
 * @module
 */
import { checkInteger, checkString, show } from '../check.ts';
import { ModelFileError, quote } from '../errors.ts';
import { fileKind } from './file-kind.ts';
import {
  elementBytes, isDtype, MAX_DIMS, MAX_ENTRIES, METADATA, parseHeader, tensorBytes, type Dtype,
} from './safetensors-header.ts';
import { checkSeal, seal, SEAL_CRC, SEAL_MARK, sealFields } from './seal.ts';

export type { Dtype } from './safetensors-header.ts';

/** A tensor as a file holds it: row-major, little-endian. */
export interface NamedTensor {
  name: string;
  dtype: Dtype;
  /** Lengths of the dimensions, outermost first. [] is a scalar. */
  shape: readonly number[];
  /** u8[product of shape × bytes per element] */
  data: Uint8Array;
}

/** Text fields of a file. */
export type Metadata = Readonly<Record<string, string>> | ReadonlyMap<string, string>;

export interface EncodeOptions {
  /** Seals the file with a CRC-32. Default false. */
  checksum?: boolean;
}

export interface DecodeOptions {
  /** Compares the CRC-32 of a sealed file: one pass over all bytes. Default true. */
  verify?: boolean;
  /** Refuses a file without a seal. Default false. */
  requireSeal?: boolean;
  /** Largest header accepted, in bytes. Default 16 MiB; the format allows 100,000,000. */
  maxHeaderBytes?: number;
}

/** A decoded file. */
export interface SafetensorsFile {
  /** Without the fields of the seal. */
  metadata: Map<string, string>;
  /** In the order of the table. */
  tensors: Map<string, NamedTensor>;
  /** Whether the file carries a seal. */
  sealed: boolean;
}

const LENGTH_BYTES = 8;
/** Data begin at a multiple of this: a cache line, and enough for every element type. */
const ALIGN = 64;
const MAX_HEADER_BYTES = 16 * 2 ** 20;

/**
 * Encodes tensors as one safetensors file. The same input gives the same bytes.
 *
 * Copies the data once. Names and metadata must be well-formed text; `__metadata__` is no name.
 *
 * @throws {TypeError} If a name, an element type or a metadata value is not a string, or data no
 *   Uint8Array.
 * @throws {RangeError} If a name repeats or is reserved, an element type is unknown, the length of
 *   data is not that of the shape, or there is more than a decoder accepts.
 * @example
 * const data = new Uint8Array(Float32Array.of(1, 2).buffer);
 * const bytes = encodeSafetensors([{ name: 'w', dtype: 'F32', shape: [2], data }]);
 * decodeSafetensors(bytes).tensors.get('w')?.shape; // [2]
 */
export function encodeSafetensors(
  tensors: Iterable<NamedTensor>, metadata: Metadata = {}, options: EncodeOptions = {},
): Uint8Array {
  const list = [...tensors];
  checkTensors(list);
  const offsets = placeData(list);
  const sealed = options.checksum ?? false;
  const fields = [...metadataJson(metadata, sealed), ...list.map((tensor) => {
    const begin = offsets.get(tensor)!;
    const end = begin + tensor.data.length;
    return `${JSON.stringify(tensor.name)}:{"dtype":"${tensor.dtype}",` +
      `"shape":[${tensor.shape}],"data_offsets":[${begin},${end}]}`;
  })];
  const json = new TextEncoder().encode(`{${fields.join(',')}}`);
  const start = Math.ceil((LENGTH_BYTES + json.length) / ALIGN) * ALIGN;
  if (start - LENGTH_BYTES > MAX_HEADER_BYTES)
    throw new RangeError(
      `encodeSafetensors: "tensors" expected a header of at most ${MAX_HEADER_BYTES} bytes, ` +
        `got ${start - LENGTH_BYTES}`,
    );
  const bytes = new Uint8Array(list.reduce((sum, { data }) => sum + data.length, start));
  new DataView(bytes.buffer).setUint32(0, start - LENGTH_BYTES, true);
  bytes.set(json, LENGTH_BYTES);
  bytes.fill(0x20, LENGTH_BYTES + json.length, start);
  for (const tensor of list) bytes.set(tensor.data, start + offsets.get(tensor)!);
  if (sealed) seal(bytes);
  return bytes;
}

function checkTensors(list: NamedTensor[]): void {
  const fn = 'encodeSafetensors';
  if (list.length > MAX_ENTRIES)
    throw new RangeError(`${fn}: "tensors" expected at most ${MAX_ENTRIES}, got ${list.length}`);
  const names = new Set<string>();
  for (const { name, dtype, shape, data } of list) {
    checkText('name', name);
    if (name === METADATA || names.has(name))
      throw new RangeError(`${fn}: "name" expected unique and not ${METADATA}, got ${quote(name)}`);
    names.add(name);
    checkString(fn, 'dtype', dtype);
    if (!isDtype(dtype))
      throw new RangeError(`${fn}: "dtype" expected a known type, got ${show(dtype)}`);
    if (!Array.isArray(shape) || shape.length > MAX_DIMS)
      throw new RangeError(`${fn}: "shape" expected up to ${MAX_DIMS} lengths, got ${show(shape)}`);
    for (const dim of shape) checkInteger(fn, 'shape', dim, 0);
    if (!(data instanceof Uint8Array))
      throw new TypeError(`${fn}: "data" expected a Uint8Array, got ${show(data)}`);
    const expected = tensorBytes(dtype, shape);
    if (data.length !== expected)
      throw new RangeError(
        `${fn}: "data" of ${quote(name)} expected ${expected} bytes for ${dtype} [${shape}], ` +
          `got ${data.length}`,
      );
  }
}

function checkText(what: string, text: unknown): asserts text is string {
  checkString('encodeSafetensors', what, text);
  if (/\p{Surrogate}/u.test(text))
    throw new RangeError(
      `encodeSafetensors: "${what}" expected well-formed text, got ${show(text)}`,
    );
}

/** Byte offset of each tensor in the data: widest elements first, ties in the given order. */
function placeData(list: NamedTensor[]): Map<NamedTensor, number> {
  const offsets = new Map<NamedTensor, number>();
  let next = 0;
  for (const width of [8, 4, 2, 1]) {
    for (const tensor of list) {
      if (elementBytes(tensor.dtype) !== width) continue;
      offsets.set(tensor, next);
      next += tensor.data.length;
    }
  }
  return offsets;
}

/** The `__metadata__` field as JSON, or nothing. The seal comes first, where `seal` expects it. */
function metadataJson(metadata: Metadata, sealed: boolean): string[] {
  const entries = metadata instanceof Map ? [...metadata] : Object.entries(metadata);
  for (const [key, value] of entries) {
    checkText('metadata', key);
    checkText('metadata', value);
    if (key === SEAL_CRC || key === SEAL_MARK)
      throw new RangeError(`encodeSafetensors: "metadata" expected no key ${show(key)}`);
  }
  if (sealed) entries.unshift(...sealFields());
  if (entries.length > MAX_ENTRIES)
    throw new RangeError(
      `encodeSafetensors: "metadata" expected at most ${MAX_ENTRIES} entries, ` +
        `got ${entries.length}`,
    );
  if (entries.length === 0) return [];
  const json = entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return [`"${METADATA}":{${json.join(',')}}`];
}

/**
 * Decodes a safetensors file. Tensor data are views of `bytes`, not copies.
 *
 * Everything is checked before anything is built: work and memory grow with the bytes given, never
 * with numbers they declare. Values are not looked at: they may be NaN.
 *
 * @param bytes u8[n], the whole file
 * @param file its name, for messages
 * @throws {TypeError} If bytes is no Uint8Array.
 * @throws {ModelFileError} NOT_SAFETENSORS, TRUNCATED, HEADER_TOO_LARGE, BAD_HEADER,
 *   COUNT_TOO_LARGE, DUPLICATE_TENSOR, UNSUPPORTED_TENSOR_TYPE, BAD_SHAPE, BAD_OFFSETS (also when
 *   the data are cut or bytes follow them), or CORRUPT if a seal is broken or required and missing.
 * @example
 * decodeSafetensors(encodeSafetensors([], { a: 'b' })).metadata.get('a'); // 'b'
 */
export function decodeSafetensors(
  source: Uint8Array, file?: string, options: DecodeOptions = {},
): SafetensorsFile {
  if (!(source instanceof Uint8Array))
    throw new TypeError(`decodeSafetensors: "bytes" expected a Uint8Array, got ${show(source)}`);
  // A subclass may slice without copying, as Node's Buffer does.
  const bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  const { verify = true, requireSeal = false, maxHeaderBytes = MAX_HEADER_BYTES } = options;
  checkInteger('decodeSafetensors', 'maxHeaderBytes', maxHeaderBytes, 2);
  const start = LENGTH_BYTES + readHeaderLength(bytes, bytes.length, maxHeaderBytes, file);
  const { metadata, entries, crcAt } = parseHeader(bytes, LENGTH_BYTES, start, bytes.length - start, file);
  const sealed = checkSeal(bytes, metadata, crcAt, { verify, requireSeal, file });
  metadata.delete(SEAL_CRC);
  metadata.delete(SEAL_MARK);
  const tensors = new Map<string, NamedTensor>();
  for (const { name, dtype, shape, begin, end } of entries.values())
    tensors.set(name, { name, dtype, shape, data: bytes.subarray(start + begin, start + end) });
  return { metadata, tensors, sealed };
}

/**
 * Reads N and compares it with the limit and with the bytes there are.
 *
 * @param bytes the beginning of a file of `size` bytes
 * @throws {ModelFileError} NOT_SAFETENSORS, TRUNCATED, HEADER_TOO_LARGE
 */
export function readHeaderLength(
  bytes: Uint8Array, size: number, limit: number, file?: string,
): number {
  const fail = (code: string, message: string, expected: unknown, actual: unknown): never => {
    throw new ModelFileError(code, message, { file, offset: 0, expected, actual });
  };
  const short = size < LENGTH_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const declared = short ? 0n : view.getBigUint64(0, true); // exact: N may be up to 2^64 − 1
  const odd = short || declared > BigInt(limit) || (bytes.length > 8 && bytes[8] !== 0x7b);
  const kind = odd ? fileKind(bytes) : undefined;
  if (kind) fail('NOT_SAFETENSORS', `not a safetensors file: looks like ${kind}`, 'N', kind);
  if (short)
    fail('TRUNCATED', `${size} bytes; the header length needs 8`, LENGTH_BYTES, size);
  if (declared > BigInt(limit))
    fail(
      'HEADER_TOO_LARGE', `header of ${declared} bytes, limit is ${limit} (maxHeaderBytes)`,
      limit, declared,
    );
  const length = Number(declared);
  if (length < 2 || length > size - LENGTH_BYTES)
    fail(
      'TRUNCATED', `header of ${length} bytes declared, ${size - LENGTH_BYTES} bytes left`,
      length, size - LENGTH_BYTES,
    );
  return length;
}

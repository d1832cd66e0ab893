/**
 * Writes GGUF files, version 3, tensor by tensor; the layout is that of `gguf-header.ts`.
 *
 * Source  ggml `docs/gguf.md`.
 * @module
 */
import type { ChunkedFile, LaterTensor } from './chunks.ts';
import { countOf, readData } from './chunks.ts';
import type { GgmlType } from '../quant/ggml-types.ts';
import { ggmlBytes, ggmlId } from '../quant/ggml-types.ts';

/** A value of the metadata with its type. */
export type GgufField =
  | { readonly type: 'u32' | 'f32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'i32s'; readonly value: readonly number[] }
  | { readonly type: 'f32s'; readonly value: readonly number[] };

/** A tensor to write. */
export interface GgufEntry extends LaterTensor {
  readonly type: GgmlType;
}

const VERSION = 3, ALIGNMENT = 32;
const TYPES = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const;

/** Bytes that grow as they are written. */
class Writer {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  length = 0;

  #room(bytes: number): number {
    const at = this.length;
    this.length += bytes;
    if (this.length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.length, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#bytes[at] = value;
  }

  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }

  f32(value: number): void {
    const at = this.#room(4);
    this.#view.setFloat32(at, value, true);
  }

  u64(value: number): void {
    const at = this.#room(8);
    this.#view.setBigUint64(at, BigInt(value), true);
  }

  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.u64(bytes.length);
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** The first `length` bytes. */
  finish(length: number): Uint8Array {
    this.#room(length - this.length);
    return this.#bytes.subarray(0, length);
  }
}

function writeField(to: Writer, { type, value }: GgufField): void {
  if (type === 'strings' || type === 'i32s' || type === 'f32s') {
    to.u32(TYPES.array);
    to.u32(type === 'strings' ? TYPES.string : type === 'i32s' ? TYPES.i32 : TYPES.f32);
    to.u64(value.length);
    for (const item of value)
      typeof item === 'string' ? to.text(item) : type === 'i32s' ? to.u32(item) : to.f32(item);
    return;
  }
  to.u32(TYPES[type]);
  if (type === 'string') to.text(value);
  else if (type === 'bool') to.u8(value ? 1 : 0);
  else to[type](value);
}

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/**
 * A GGUF file. The same input gives the same bytes.
 *
 * @param metadata in the order they are written
 * @example
 * const read = async () => new Uint8Array(Float32Array.of(1, 2).buffer);
 * const file = ggufFile({}, [{ name: 'w', type: 'F32', shape: [2], read }]);
 * (await readGguf(bytesSource(await collect(file)))).tensors.get('w')?.rows; // 1
 */
export function ggufFile(
  metadata: Readonly<Record<string, GgufField>>, tensors: readonly GgufEntry[],
): ChunkedFile {
  const to = new Writer(), fields = Object.entries(metadata);
  for (const letter of 'GGUF') to.u8(letter.charCodeAt(0));
  to.u32(VERSION);
  to.u64(tensors.length);
  to.u64(fields.length);
  for (const [key, field] of fields) {
    to.text(key);
    writeField(to, field);
  }
  const bytesOf = ({ type, shape }: GgufEntry): number => ggmlBytes(type, countOf(shape));
  let offset = 0;
  for (const tensor of tensors) {
    const { name, type, shape } = tensor;
    to.text(name);
    to.u32(shape.length);
    for (const length of shape.toReversed()) to.u64(length);
    to.u32(ggmlId(type));
    to.u64(offset);
    offset += aligned(bytesOf(tensor));
  }
  const header = to.finish(aligned(to.length));
  return {
    size: header.length + offset,
    async *chunks() {
      yield header;
      for (const tensor of tensors) {
        const bytes = bytesOf(tensor), padding = aligned(bytes) - bytes;
        yield readData(tensor, bytes);
        if (padding > 0) yield new Uint8Array(padding);
      }
    },
  };
}

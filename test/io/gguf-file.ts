/**
 * Writes small GGUF files for tests, right or wrong as wished.
 * @module
 */
const utf8 = new TextEncoder();

/** Numbers of the value types that tests write. */
const VALUE_TYPES = { u32: 4, f32: 6, bool: 7, string: 8, array: 9, u64: 10 } as const;

export type TestValue =
  | { readonly type: 'u32' | 'f32' | 'u64' | 'bool'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'raw'; readonly value: Uint8Array };

export interface TestTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly typeId: number;
  readonly data: Uint8Array;
  /** In place of where the data are. */
  readonly offset?: number;
}

/** Bytes, little-endian. */
export class Writer {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  raw(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  u32(value: number): this {
    return this.raw(new Uint8Array(Uint32Array.of(value).buffer));
  }

  u64(value: number | bigint): this {
    return this.raw(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer));
  }

  string(text: string): this {
    const bytes = utf8.encode(text);
    return this.u64(bytes.length).raw(bytes);
  }

  value(value: TestValue): this {
    switch (value.type) {
      case 'raw': return this.raw(value.value);
      case 'string': return this.u32(VALUE_TYPES.string).string(value.value);
      case 'strings':
        this.u32(VALUE_TYPES.array).u32(VALUE_TYPES.string).u64(value.value.length);
        for (const text of value.value) this.string(text);
        return this;
      case 'f32': return this.u32(VALUE_TYPES.f32).raw(new Uint8Array(Float32Array.of(value.value).buffer));
      case 'bool': return this.u32(VALUE_TYPES.bool).raw([value.value]);
      case 'u64': return this.u32(VALUE_TYPES.u64).u64(value.value);
      case 'u32': return this.u32(VALUE_TYPES.u32).u32(value.value);
    }
  }

  pad(alignment: number): this {
    while (this.#bytes.length % alignment !== 0) this.#bytes.push(0);
    return this;
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** A GGUF file of version 3. */
export function ggufFile(
  metadata: Readonly<Record<string, TestValue>>, tensors: readonly TestTensor[], alignment = 32,
): Uint8Array {
  const writer = new Writer().raw(utf8.encode('GGUF')).u32(3);
  writer.u64(tensors.length).u64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) writer.string(key).value(value);
  let at = 0;
  for (const { name, dims, typeId, data, offset } of tensors) {
    writer.string(name).u32(dims.length);
    for (const dim of dims) writer.u64(dim);
    writer.u32(typeId).u64(offset ?? at);
    at = Math.ceil((at + data.length) / alignment) * alignment;
  }
  writer.pad(alignment);
  for (const { data } of tensors) writer.raw(data).pad(alignment);
  return writer.bytes();
}

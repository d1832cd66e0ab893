/**
 * GGUF files with more in them: other tensors, other metadata, tensors with other data.
 * @module
 */
import { bytesSource } from '../../src/io/byte-source.ts';
import { readGguf } from '../../src/io/gguf.ts';
import type { TestTensor, TestValue } from '../io/gguf-file.ts';
import { Writer } from '../io/gguf-file.ts';

export interface GgufEdit {
  /** Keys that are added; the file must not have them. */
  readonly metadata?: Readonly<Record<string, TestValue>>;
  /** Tensors that are added, or take the place of those with their names. */
  readonly tensors?: readonly TestTensor[];
}

/** A tensor of floats. */
export const floatTensor = (name: string, values: ArrayLike<number>): TestTensor => ({
  name, dims: [values.length], typeId: 0, data: new Uint8Array(Float32Array.from(values).buffer),
});

/** Where `part` begins in `bytes`. */
const indexOf = (bytes: Uint8Array, part: Uint8Array): number =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(part);

/** The file with what is added to it, or put in place of what it has. */
export async function edited(
  bytes: Uint8Array, { metadata = {}, tensors = [] }: GgufEdit,
): Promise<Uint8Array> {
  const file = await readGguf(bytesSource(bytes)), keys = Object.keys(metadata);
  const kept = [...file.tensors.values()].filter(({ name }) => !tensors.some((one) => one.name === name))
    .map(({ name, dims, typeId, offset, bytes: length }): TestTensor =>
      ({ name, dims, typeId, data: bytes.subarray(offset, offset + length) }));
  const all = [...kept, ...tensors], [first] = file.tensors.keys();
  const values = bytes.subarray(24, indexOf(bytes, new Writer().string(first).bytes()));
  const header = new Writer().raw(bytes.subarray(0, 8)).u64(all.length);
  header.u64(file.metadata.size + keys.length).raw(values);
  for (const key of keys) header.string(key).value(metadata[key]);
  let at = 0;
  const places = all.map(({ name, dims, typeId, data }) => {
    header.string(name).u32(dims.length);
    for (const dim of dims) header.u64(dim);
    header.u32(typeId).u64(at);
    const place = at;
    at = Math.ceil((at + data.length) / file.alignment) * file.alignment;
    return place;
  });
  const start = header.pad(file.alignment).length, out = new Uint8Array(start + at);
  out.set(header.bytes());
  all.forEach(({ data }, i) => out.set(data, start + places[i]));
  return out;
}

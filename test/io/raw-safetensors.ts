/** Hand-made safetensors files, valid and hostile, that the encoder would refuse to write. */
import { ModelFileError } from '../../src/errors.ts';
import { encodeSafetensors, type NamedTensor } from '../../src/io/safetensors.ts';

/** u64 length, header text or bytes, data. `declared` overrides the length. */
export function rawFile(
  header: string | Uint8Array, dataBytes = 0, declared?: bigint,
): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, declared ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

/** One byte per character: bytes that are not UTF-8 can be written as text. */
export function latin(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** One table entry as JSON, each part as written. */
export function entry(name: string, dtype: string, shape: string, offsets: string): string {
  return `"${name}":{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;
}

/** Data 0, 1, 2, … for a tensor. */
export function tensor(
  name: string, dtype: NamedTensor['dtype'], shape: number[], bytes: number,
): NamedTensor {
  return { name, dtype, shape, data: Uint8Array.from({ length: bytes }, (_, i) => i + 1) };
}

/** A small file with a scalar, an empty tensor, four element types and metadata. */
export function smallFile(checksum: boolean): Uint8Array {
  const tensors = [
    tensor('bias', 'U8', [3], 3),
    tensor('blk.0.weight', 'F32', [2, 2], 16),
    tensor('empty', 'F16', [0, 7], 0),
    tensor('step', 'I64', [], 8),
    tensor('codes', 'BF16', [1, 2], 4),
  ];
  return encodeSafetensors(tensors, { format: 'pt', note: 'a "b" é' }, { checksum });
}

/** For assert.throws: a ModelFileError of this code, with these facts and a bounded message. */
export function refused(code: string, facts: Partial<ModelFileError> = {}) {
  return (error: unknown): boolean => {
    if (!(error instanceof ModelFileError)) throw error;
    if (error.code !== code)
      throw new Error(`expected ${code}, got ${error.code}: ${error.message}`);
    for (const [key, value] of Object.entries(facts)) {
      const actual = error[key as keyof ModelFileError];
      if (actual !== value) throw new Error(`expected ${key} ${value}, got ${String(actual)}`);
    }
    return error.message.length > 0 && error.message.length <= 300;
  };
}

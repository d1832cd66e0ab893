/**
 * Writes safetensors files tensor by tensor: memory holds one of them at a time.
 *
 * The widest elements come first, so that each tensor lies at a multiple of its element.
 * Source  github.com/huggingface/safetensors, README "Format".
 * @module
 */
import type { ChunkedFile, LaterTensor } from './chunks.ts';
import { readData } from './chunks.ts';
import type { Dtype } from './safetensors-header.ts';
import { METADATA, elementBytes, tensorBytes } from './safetensors-header.ts';

/** A tensor to write. */
export interface SafetensorsEntry extends LaterTensor {
  readonly dtype: Dtype;
}

const LENGTH_BYTES = 8, ALIGN = 64;

/**
 * A safetensors file. The same input gives the same bytes.
 *
 * @param metadata texts by name
 * @example
 * const read = async () => new Uint8Array(4);
 * const file = safetensorsFile([{ name: 'w', dtype: 'F32', shape: [1], read }], { format: 'pt' });
 * decodeSafetensors(await collect(file)).tensors.get('w')?.shape; // [1]
 */
export function safetensorsFile(
  tensors: readonly SafetensorsEntry[], metadata: Readonly<Record<string, string>> = {},
): ChunkedFile {
  const ordered = tensors.toSorted((a, b) => elementBytes(b.dtype) - elementBytes(a.dtype));
  const table: Record<string, unknown> = { [METADATA]: metadata };
  let end = 0;
  for (const { name, dtype, shape } of ordered) {
    const begin = end;
    end += tensorBytes(dtype, shape);
    table[name] = { dtype, shape, data_offsets: [begin, end] };
  }
  const json = new TextEncoder().encode(JSON.stringify(table));
  const start = Math.ceil((LENGTH_BYTES + json.length) / ALIGN) * ALIGN;
  return {
    size: start + end,
    async *chunks() {
      const header = new Uint8Array(start).fill(0x20);
      new DataView(header.buffer).setBigUint64(0, BigInt(start - LENGTH_BYTES), true);
      header.set(json, LENGTH_BYTES);
      yield header;
      for (const tensor of ordered) yield readData(tensor, tensorBytes(tensor.dtype, tensor.shape));
    },
  };
}

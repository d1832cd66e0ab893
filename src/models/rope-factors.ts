/**
 * What the rotary frequencies of a GGUF model are divided by, pair by pair: `rope_freqs.weight`, f32[D/2], as
 * Llama 3 has it.
 *
 * Source  llama.cpp `ggml/src/ggml-cpu/ops.cpp` (rope).
 * @module
 */
import { ModelFileError } from '../errors.ts';
import type { ByteSource } from '../io/byte-source.ts';
import { readExactly } from '../io/byte-source.ts';
import type { GgufTensor } from '../io/gguf.ts';
import { decodeGgml } from '../quant/ggml-decode.ts';

export const ROPE_FACTORS = 'rope_freqs.weight';

/**
 * Reads them.
 *
 * @throws {ModelFileError} BAD_HPARAM if one is no finite number above 0
 */
export async function readRopeFactors(
  source: ByteSource, { name, offset, bytes }: GgufTensor, file?: string,
): Promise<Float32Array> {
  const factors = decodeGgml('F32', await readExactly(source, offset, offset + bytes, file));
  const at = factors.findIndex((factor) => !(factor > 0 && Number.isFinite(factor)));
  if (at < 0) return factors;
  throw new ModelFileError('BAD_HPARAM',
    `${name} expected finite numbers above 0, found ${factors[at]} at index ${at}`,
    { file, field: name, offset: at, actual: factors[at] });
}

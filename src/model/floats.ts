/**
 * The float tensors of a file.
 * @module
 */
import { ModelFileError } from '../errors.ts';
import type { SafetensorsFile } from '../io/safetensors.ts';

/**
 * The values of an F32 tensor.
 *
 * @throws {ModelFileError} NON_FINITE_WEIGHT
 */
export function floatsOf({ tensors }: SafetensorsFile, name: string, file?: string): Float32Array {
  return checkFinite(new Float32Array(tensors.get(name)!.data.slice().buffer), name, file);
}

/**
 * The values themselves.
 *
 * @throws {ModelFileError} NON_FINITE_WEIGHT naming the first that is NaN or infinite.
 */
export function checkFinite(values: Float32Array, name: string, file?: string): Float32Array {
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index >= 0)
    throw new ModelFileError('NON_FINITE_WEIGHT', `${name} is ${values[index]} at index ${index}`,
      { file, field: name, offset: index });
  return values;
}

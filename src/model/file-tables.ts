/**
 * Token embeddings and head in a model file, as floats or packed.
 *
 *   f32   F32 [rows, cols]
 *   f16   F16 [rows, cols]: nearest halves
 *   i8    I8 [rows, cols]: codes −127 … 127 = round(w · 127 / max |row|), and `<name>_scale`
 *         F32 [rows]: max |row| / 127
 *
 * The element type of the tensor says which it is; the configuration does not.
 * @module
 */
import { ModelFileError } from '../errors.ts';
import type { NamedTensor, SafetensorsFile } from '../io/safetensors.ts';
import type { Compute } from '../ops/matrix.ts';
import type { Table } from '../ops/table.ts';
import { allocTable, quantizeTable } from '../ops/table.ts';
import type { Engine } from '../wasm/engine.ts';
import { Workspace } from '../wasm/workspace.ts';
import { checkFinite, floatsOf } from './floats.ts';
import type { TensorSpec } from './tensors.ts';
import { EMBEDDING } from './tensors.ts';

/** Element types of token embeddings and head in a file. */
export type EmbeddingKind = 'f32' | 'f16' | 'i8';

export const EMBEDDING_KINDS: readonly EmbeddingKind[] = ['f32', 'f16', 'i8'];

/** Whether a tensor may be a table: token embeddings and head, not positions. */
export const isTable = ({ name, role }: TensorSpec): boolean => role === 'head' || name === EMBEDDING;

/** How the file has a table; f32 where the tensor is missing or something else. */
export function tableKind(tensors: SafetensorsFile['tensors'], { name }: TensorSpec): EmbeddingKind {
  const dtype = tensors.get(name)?.dtype;
  return dtype === 'F16' ? 'f16' : dtype === 'I8' ? 'i8' : 'f32';
}

/** The tensors of a table, from the f32[rows, cols] at `ptr`. */
export function tableTensors(
  { engine, workspace }: Compute, { name, rows, cols }: TensorSpec, ptr: number,
  kind: 'f16' | 'i8',
): NamedTensor[] {
  const mark = workspace.mark(), shape = [rows, cols];
  const codes = workspace.alloc(rows * cols * (kind === 'f16' ? 2 : 1));
  const scales = workspace.alloc(rows * 4), sums = workspace.alloc(rows * 4);
  if (kind === 'f16') engine.kernels.encodeF16(ptr, codes, rows * cols);
  else engine.kernels.quantAbsmaxI8(ptr, codes, scales, sums, rows, cols, cols, 8);
  const tensors: NamedTensor[] = kind === 'f16'
    ? [{ name, dtype: 'F16', shape, data: engine.u8(codes, rows * cols * 2).slice() }]
    : [{ name, dtype: 'I8', shape, data: engine.u8(codes, rows * cols).slice() },
      { name: `${name}_scale`, dtype: 'F32', shape: [rows], data: engine.u8(scales, rows * 4).slice() }];
  workspace.release(mark);
  return tensors;
}

/**
 * The values of a table, however the file has them.
 *
 * @throws {ModelFileError} NON_FINITE_WEIGHT, INVALID_CODE
 */
export function tableFloats(
  engine: Engine, spec: TensorSpec, file: SafetensorsFile, fileName?: string,
): Float32Array {
  const { name, rows, cols } = spec, count = rows * cols, kind = tableKind(file.tensors, spec);
  if (kind === 'f32') return floatsOf(file, name, fileName);
  const { data } = file.tensors.get(name)!;
  if (kind === 'i8') {
    checkCodes(data, name, fileName);
    const codes = new Int8Array(data.buffer, data.byteOffset, count);
    const scales = floatsOf(file, `${name}_scale`, fileName);
    return Float32Array.from(codes, (code, i) => code * scales[Math.floor(i / cols)]);
  }
  const workspace = new Workspace(engine.heap);
  const halves = workspace.alloc(count * 2), floats = workspace.alloc(count * 4);
  engine.u8(halves, count * 2).set(data);
  engine.kernels.decodeF16(halves, floats, count);
  const values = engine.f32(floats, count).slice();
  workspace.dispose();
  return checkFinite(values, name, fileName);
}

/** −128 is no code: it would have no opposite. */
function checkCodes(data: Uint8Array, name: string, file?: string): void {
  const index = data.indexOf(0x80);
  if (index >= 0)
    throw new ModelFileError('INVALID_CODE', `${name} byte ${index} expected a code from -127 to 127`,
      { file, field: name, offset: index, expected: 'codes -127 to 127', actual: -128 });
}

/**
 * A packed table in the engine's memory. One that the file has as `kind` is copied as it is, another
 * is packed from its values.
 *
 * @throws {ModelFileError} NON_FINITE_WEIGHT, INVALID_CODE
 */
export function loadTable(
  engine: Engine, spec: TensorSpec, file: SafetensorsFile, kind: 'f16' | 'i8', fileName?: string,
): Table {
  const { name, rows, cols } = spec;
  const table = allocTable(engine, kind, rows, cols);
  const values = tableFloats(engine, spec, file, fileName);
  if (tableKind(file.tensors, spec) !== kind) {
    const workspace = new Workspace(engine.heap), ptr = workspace.alloc(rows * cols * 4);
    engine.f32(ptr, rows * cols).set(values);
    quantizeTable({ engine, workspace }, { ptr, rows, cols }, table);
    workspace.dispose();
    return table;
  }
  const { data } = file.tensors.get(name)!, inFile = data.length / rows;
  for (let r = 0; r < rows; r++)
    engine.u8(table.ptr + r * table.rowBytes, inFile)
      .set(data.subarray(r * inFile, (r + 1) * inFile));
  if (kind === 'i8') engine.f32(table.scales, rows).set(floatsOf(file, `${name}_scale`, fileName));
  return table;
}

/**
 * Tensors of safetensors files on their way into the engine's memory.
 *
 * Floats go where those of GGUF files go. Packed weights are put in rows and tiles; latent ones are
 * quantized by the kernel that training uses, so a bf16 checkpoint runs as it was trained.
 * @module
 */
import { ModelFileError } from '../errors.ts';
import { readExactly } from '../io/byte-source.ts';
import type { GgufTensor } from '../io/gguf.ts';
import type { TensorEntry } from '../io/safetensors-table.ts';
import type { BitWeights } from '../ops/bit-weights.ts';
import { allocBitWeights, binarize, layOut } from '../ops/bit-weights.ts';
import type { Compute } from '../ops/matrix.ts';
import { decodeGgml } from '../quant/ggml-decode.ts';
import { invalidCode } from '../quant/ggml-packed.ts';
import type { GgmlType } from '../quant/ggml-types.ts';
import { unpackHf } from '../quant/hf-packed.ts';
import type { BitKind } from '../quant/layout.ts';
import { fileRowBytes } from '../quant/layout.ts';
import type { FileWeights } from './file-weights.ts';
import type { Rooms } from './gguf-rows.ts';
import { rowsOf } from './gguf-rows.ts';
import { checkFinite, loadTensor } from './gguf-tensors.ts';
import type { WeightScheme } from './hf-config.ts';
import type { HfPlan, PlannedHfTensor } from './hf-plan.ts';

/** What loading needs besides the tensor. */
export interface HfLoading {
  readonly compute: Compute;
  readonly plan: HfPlan;
  readonly weights: FileWeights;
  readonly rooms: Rooms;
  readonly signal?: AbortSignal;
}

/** Floats of a safetensors file are those of GGUF, by the same names. */
const asGguf = (
  { name, dtype, offset, bytes }: TensorEntry, rows: number, cols: number,
): GgufTensor =>
  ({ name, type: dtype as GgmlType, typeId: 0, dims: [cols, rows], rows, cols, offset, bytes });

/**
 * Reads one tensor into the weights.
 *
 * @param onBytes called with the bytes of every part that has arrived
 * @throws {ModelFileError} NON_FINITE_WEIGHT, INVALID_CODE, FILE_CHANGED
 * @throws {EngineError} OUT_OF_MEMORY
 */
export async function loadHfTensor(
  loading: HfLoading, planned: PlannedHfTensor, onBytes: (bytes: number) => void,
): Promise<void> {
  const { plan, weights, compute: { engine } } = loading, { spec, tensor, kept } = planned;
  if (kept === 'floats' || kept === 'halves' || kept === 'codes') {
    const { source, file: name } = tensor, floats = asGguf(tensor, spec.rows, spec.cols);
    return loadTensor(
      { ...loading, source, name }, { spec, tensor: floats, kept, reorder: 0, bytes: 0 }, onBytes);
  }
  const kind = kept === 'packed' ? 't2' : plan.config.weights as BitKind;
  const packed = allocBitWeights(engine, kind, spec.rows, spec.cols, false);
  weights.addPart({ name: spec.name, packed });
  if (kept === 'packed') await loadPacked(loading, planned, packed);
  else await loadLatent(loading, planned, packed);
  onBytes(tensor.bytes);
}

/** Codes as they are in the file, and their scale. */
async function loadPacked(
  { compute, plan, signal }: HfLoading, { spec, tensor, scale }: PlannedHfTensor, packed: BitWeights,
): Promise<void> {
  const { engine, workspace } = compute, { rows, cols } = spec;
  const { source, offset, bytes, file, name } = tensor;
  const codes = unpackHf(await readExactly(source, offset, offset + bytes, file), rows, cols);
  signal?.throwIfAborted();
  if (invalidCode('t2', codes) >= 0)
    throw new ModelFileError('INVALID_CODE', `${name} has a code 3, which is no weight`,
      { file, field: name, expected: 'codes 0, 1 or 2', actual: 3 });
  const mark = workspace.mark(), ptr = workspace.alloc(codes.length + 16);
  engine.u8(ptr, codes.length).set(codes);
  layOut(compute, packed, ptr, fileRowBytes('t2', cols));
  workspace.release(mark);
  engine.f32(packed.scales, rows).fill(await scaleOf(scale!, plan.scheme));
}

/**
 * What a packed weight of 1 stands for, as f32.
 *
 * @throws {ModelFileError} NON_FINITE_WEIGHT unless it is more than 0
 */
export async function scaleOf(
  { source, offset, bytes, dtype, name, file }: TensorEntry, scheme: WeightScheme,
): Promise<number> {
  const data = await readExactly(source, offset, offset + bytes, file);
  const [value] = decodeGgml(dtype as GgmlType, data);
  if (value > 0 && value < Infinity)
    return scheme.kind === 'packed' && scheme.divides ? Math.fround(1 / value) : value;
  throw new ModelFileError('NON_FINITE_WEIGHT', `${name} is ${value}, expected more than 0`,
    { file, field: name, actual: value });
}

/** Floats, which the kernel of training quantizes. */
async function loadLatent(
  { compute, rooms, signal }: HfLoading, { spec, tensor }: PlannedHfTensor, packed: BitWeights,
): Promise<void> {
  const { engine } = compute, { rows, cols } = spec, { source, file } = tensor;
  const floats = asGguf(tensor, rows, cols), latent = engine.heap.alloc(rows * cols * 4);
  try {
    for await (const { from, count, bytes } of rowsOf(source, floats, 1, rooms, file, signal)) {
      const values = checkFinite(decodeGgml(floats.type, bytes), tensor.name, file);
      engine.f32(latent + from * cols * 4, count * cols).set(values);
    }
    engine.run(() => binarize(compute, { ptr: latent, rows, cols }, packed, 1));
  } finally {
    engine.heap.free(latent);
  }
}

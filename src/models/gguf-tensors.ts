/**
 * Tensors of a GGUF file on their way into the engine's memory: each row goes straight into the layout
 * that the kernels read.
 * @module
 */
import { ModelFileError } from '../errors.ts';
import type { ByteSource } from '../io/byte-source.ts';
import { readExactly } from '../io/byte-source.ts';
import type { GgufTensor } from '../io/gguf.ts';
import type { CodeRows } from '../ops/bit-weights.ts';
import { allocBitWeights, layOut } from '../ops/bit-weights.ts';
import type { BlockWeights } from '../ops/block-weights.ts';
import { allocBlockWeights, canBeFixed, layOutBlocks } from '../ops/block-weights.ts';
import type { Compute } from '../ops/matrix.ts';
import { allocTable, quantizeTable, rowsOfTable } from '../ops/table.ts';
import { exactCodes } from '../quant/exact-codes.ts';
import { decodeGgml } from '../quant/ggml-decode.ts';
import type { PackedType } from '../quant/ggml-packed.ts';
import {
  codeOrder, invalidCode, packedCodes, packedKind, packedScales,
} from '../quant/ggml-packed.ts';
import { GGML_FORMATS } from '../quant/ggml-types.ts';
import { halfToNumber, isFiniteHalf } from '../quant/half.ts';
import type { BitKind } from '../quant/layout.ts';
import { BITS, fileRowBytes } from '../quant/layout.ts';
import type { Engine } from '../wasm/engine.ts';
import type { FileWeights } from './file-weights.ts';
import type { GgufPlan, PlannedTensor } from './gguf-plan.ts';
import { QUANTIZATIONS } from './gguf-plan.ts';
import type { Rooms, Rows } from './gguf-rows.ts';
import { bytesOfRow, inHalves, rowsOf } from './gguf-rows.ts';

/** Columns of a block of codes that the tile kernels read. */
const CODE_BLOCK = 128;

/** What loading needs besides the tensor. */
export interface Loading {
  readonly compute: Compute;
  readonly source: ByteSource;
  readonly plan: Pick<GgufPlan, 'activations' | 'config'>;
  readonly weights: FileWeights;
  readonly rooms: Rooms;
  readonly name?: string;
  readonly signal?: AbortSignal;
}

/**
 * Reads one tensor into the weights.
 *
 * @param onBytes called with the bytes of every part that has arrived
 * @throws {ModelFileError} NON_FINITE_WEIGHT, INVALID_CODE, FILE_CHANGED
 * @throws {EngineError} OUT_OF_MEMORY
 */
export async function loadTensor(
  loading: Loading, planned: PlannedTensor, onBytes: (bytes: number) => void,
): Promise<void> {
  const { source, rooms, name, signal, weights } = loading, { spec, tensor, reorder, kept } = planned;
  const scale = tensor.type === 'I2_S' ? await tensorScale(loading, planned) : undefined;
  const factor = planned.scale && await numberAt(loading, planned.scale.offset, planned.scale.name);
  // Halves and codes would round it.
  if (factor !== undefined && (kept === 'halves' || kept === 'codes')) weights.addScale(spec.name, factor);
  const put = kept === 'packed' ? packedSink(loading, planned, scale, factor)
    : kept === 'exact' ? exactSink(loading, planned, factor)
      : kept === 'codes' ? codeSink(loading, planned) : floatSink(loading, planned, scale, factor);
  for await (const rows of rowsOf(source, tensor, reorder || 1, rooms, name, signal)) {
    const bytes = reorder ? inHalves(rows.bytes, bytesOfRow(tensor), rows.count, reorder) : rows.bytes;
    put.rows({ ...rows, bytes });
    onBytes(rows.bytes.length);
  }
  put.end();
}

/** Takes rows in order; `end` after the last. */
interface Sink {
  rows(rows: Rows): void;
  end(): void;
}

/** Decoded to floats; kept as such, times the factor, or as halves. */
function floatSink(
  { compute, weights, name }: Loading, planned: PlannedTensor, scale: number | undefined, factor = 1,
): Sink {
  const { spec, tensor, kept } = planned, { engine, workspace } = compute, { rows: all, cols } = spec;
  const decode = (bytes: Uint8Array): Float32Array => {
    const values = decodeGgml(tensor.type, bytes, scale);
    if (factor !== 1 && kept === 'floats') for (let i = 0; i < values.length; i++) values[i] *= factor;
    return checkFinite(values, tensor.name, name);
  };
  if (kept === 'floats') {
    const ptr = engine.heap.alloc(all * cols * 4);
    weights.addFloatAt(spec, ptr);
    return {
      rows: ({ from, count, bytes }) => engine.f32(ptr + from * cols * 4, count * cols).set(decode(bytes)),
      end: () => undefined,
    };
  }
  const table = allocTable(engine, 'f16', all, cols);
  weights.addTable(spec.name, table);
  return {
    rows({ from, count, bytes }) {
      const to = table.ptr + from * table.rowBytes;
      if (tensor.type === 'F16') engine.u8(to, bytes.length).set(bytes);
      else {
        const mark = workspace.mark(), at = workspace.alloc(count * cols * 4);
        engine.f32(at, count * cols).set(decode(bytes));
        engine.kernels.encodeF16(at, to, count * cols);
        workspace.release(mark);
      }
      checkHalves(engine, to, count * cols, tensor.name, name);
    },
    end: () => undefined,
  };
}

/** Rows of floats as 8-bit codes with a scale each. */
function codeSink({ compute, weights, name }: Loading, { spec, tensor }: PlannedTensor): Sink {
  const { engine, workspace } = compute, { rows: all, cols } = spec;
  const table = allocTable(engine, 'i8', all, cols);
  weights.addTable(spec.name, table);
  return {
    rows({ from, count, bytes }) {
      const mark = workspace.mark(), at = workspace.alloc(count * cols * 4);
      engine.f32(at, count * cols).set(checkFinite(decodeGgml(tensor.type, bytes), tensor.name, name));
      quantizeTable(compute, { ptr: at, rows: count, cols }, rowsOfTable(table, from, count));
      workspace.release(mark);
    },
    end: () => undefined,
  };
}

/** Floats that are packed weights written out, packed again. */
function exactSink(
  { compute, plan: { config }, weights, name }: Loading, { spec, tensor }: PlannedTensor, factor = 1,
): Sink {
  const { rows, cols } = spec, { engine, workspace } = compute, kind = config.weights as BitKind;
  const values = new Float32Array(rows * cols);
  return {
    rows({ from, bytes }) {
      values.set(checkFinite(decodeGgml(tensor.type, bytes), tensor.name, name), from * cols);
    },
    end() {
      const { codes, scale } = exactCodes(kind, values, rows, cols) ?? notExact(tensor.name, kind, name);
      const packed = allocBitWeights(engine, kind, rows, cols, false), mark = workspace.mark();
      weights.addPart({ name: spec.name, packed });
      const ptr = workspace.alloc(codes.length + 16);
      engine.u8(ptr, codes.length).set(codes);
      layOut(compute, packed, ptr, fileRowBytes(kind, cols));
      workspace.release(mark);
      engine.f32(packed.scales, rows).fill(scale * factor);
    },
  };
}

/** @throws {ModelFileError} INVALID_CODE always */
export function notExact(tensor: string, kind: BitKind, file?: string): never {
  throw new ModelFileError('INVALID_CODE', `${tensor} has weights that are not ${kind}, as the file says`,
    { file, field: tensor, expected: kind });
}

/**
 * The values themselves.
 *
 * @throws {ModelFileError} NON_FINITE_WEIGHT naming the first that is NaN or infinite
 */
export function checkFinite(values: Float32Array, tensor: string, file?: string): Float32Array {
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index >= 0) throw notFinite(tensor, index, values[index], file);
  return values;
}

/** Halves in linear memory, checked by a kernel; only a bad one is looked for here. */
function checkHalves(engine: Engine, ptr: number, count: number, tensor: string, file?: string): void {
  if (engine.kernels.finiteF16(ptr, count)) return;
  const halves = new Uint16Array(engine.memory.buffer, ptr, count);
  const index = halves.findIndex((half) => !isFiniteHalf(half));
  throw notFinite(tensor, index, halfToNumber(halves[index]), file);
}

const notFinite = (tensor: string, index: number, value: number, file?: string): ModelFileError =>
  new ModelFileError('NON_FINITE_WEIGHT', `${tensor} is ${value} at index ${index} of a part`,
    { file, field: tensor, offset: index, actual: value });

/** Packed as in the file, in tiles. */
function packedSink(
  loading: Loading, planned: PlannedTensor, scale: number | undefined, factor = 1,
): Sink {
  const { compute, plan: { activations }, weights } = loading, { spec, tensor } = planned;
  const { engine } = compute, type = tensor.type as PackedType, kind = packedKind(type);
  const block = GGML_FORMATS[type].elements, { rows, cols, name } = spec;
  const fixed = activations === 'block' && canBeFixed(cols, block);
  const packed = allocBlockWeights(engine, kind, rows, cols, block, fixed);
  weights.addBlocks({
    name, packed, quantization: activations === 'f32' ? {} : QUANTIZATIONS[activations] });
  const uniform = new UniformScale();
  return {
    rows(part) {
      const scales = scalesOf(part, planned, loading.name);
      uniform.see(scales);
      putRows(loading, planned, packed, part, scales);
    },
    end() {
      const one = scale ?? uniform.value;
      // A matrix with one scale is a BitLinear's, whose products are faster; an embedding is gathered.
      const unite = one !== undefined && spec.role === 'projection' &&
        (activations === 'i8' || scale !== undefined);
      if (unite && weights.unifyBlocks(name, one * factor)) return;
      if (factor !== 1) weights.addScale(name, factor);
    },
  };
}

/** The f32 that follows the codes of I2_S. */
const tensorScale = (loading: Loading, { tensor }: PlannedTensor): Promise<number> =>
  numberAt(loading, tensor.offset + tensor.bytes - GGML_FORMATS.I2_S.tail, tensor.name);

async function numberAt({ source, name }: Loading, at: number, tensor: string): Promise<number> {
  const bytes = await readExactly(source, at, at + 4, name);
  const value = new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true);
  if (!Number.isFinite(value)) throw notFinite(tensor, 0, value, name);
  return value;
}

/** Whether all blocks have one scale. */
class UniformScale {
  #bits?: number;
  #broken = false;

  see(scales: Uint16Array): void {
    if (this.#broken || scales.length === 0) return;
    this.#bits ??= scales[0];
    this.#broken = scales.some((bits) => bits !== this.#bits);
  }

  get value(): number | undefined {
    return this.#broken || this.#bits === undefined ? undefined : halfToNumber(this.#bits);
  }
}

/** Scales of some rows, checked. */
function scalesOf({ bytes, from }: Rows, { tensor }: PlannedTensor, file?: string): Uint16Array {
  const scales = packedScales(tensor.type as PackedType, bytes);
  for (let i = 0; i < scales.length; i++)
    if (!isFiniteHalf(scales[i]))
      throw notFinite(
        `${tensor.name}, scale of a block from row ${from} on,`, i, halfToNumber(scales[i]), file);
  return scales;
}

/** Lays out some rows: codes are put in order where they are not, next to where they arrive. */
function putRows(
  { compute, name }: Loading, { tensor }: PlannedTensor, w: BlockWeights, part: Rows, scales: Uint16Array,
): void {
  const { workspace } = compute, { from, count } = part, mark = workspace.mark();
  const codes = codesOf(compute, tensor, part, name);
  const rows = scales.length > 0 ? scales : new Uint16Array((count * w.cols) / w.block);
  layOutBlocks(compute, w, codes, rows, from, count);
  workspace.release(mark);
}

/** Codes in linear memory as the tile kernels read them. */
function codesOf(
  { engine, workspace }: Compute, tensor: GgufTensor, { bytes, from, count }: Rows, file?: string,
): CodeRows {
  const type = tensor.type as PackedType, kind = packedKind(type), order = codeOrder(type);
  const { elements, bytes: stride } = GGML_FORMATS[type], blocks = (count * tensor.cols) / elements;
  const put = (data: Uint8Array): number => {
    const at = workspace.alloc(data.length + 16); // whole vectors are read behind the last byte
    engine.u8(at, data.length).set(data);
    return at;
  };
  const rowBytes = (tensor.cols * BITS[kind]) / 8, inOrder = (CODE_BLOCK * BITS[kind]) / 8;
  if (!order) {
    const codes = packedCodes(type, bytes);
    if (invalidCode(kind, codes) >= 0) throw badCode(tensor, from, file);
    return { ptr: put(codes), rowBytes, stride: inOrder };
  }
  const ptr = put(bytes);
  // Blocks of 128 ±1 weights are laid out as they are, each behind its scale.
  if (kind === 'b1') return { ptr: ptr + 2, rowBytes: bytes.length / count, stride };
  const codes = workspace.alloc(count * rowBytes + 16);
  const bad = order.order === 'planes'
    ? engine.kernels.unpackPlanesT2(ptr, codes, blocks, stride, order.groups, order.first, order.step)
    : engine.kernels.unpackInOrderT2(ptr + order.from, codes, blocks, stride, order.bytes);
  if (bad) throw badCode(tensor, from, file);
  return { ptr: codes, rowBytes, stride: inOrder };
}

const badCode = ({ name }: GgufTensor, row: number, file?: string): ModelFileError =>
  new ModelFileError('INVALID_CODE', `${name} has a code 3, which is no weight, in row ${row} or behind`,
    { file, field: name, offset: row, expected: 'codes 0, 1 or 2', actual: 3 });

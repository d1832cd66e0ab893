/**
 * Tensors of a GGUF file on their way into the engine's memory: each row goes straight into the layout
 * that the kernels read.
 * @module
 */
import { ModelFileError } from '../errors.ts';
import type { ByteSource } from '../io/byte-source.ts';
import { readExactly } from '../io/byte-source.ts';
import type { RunWeights } from '../model/weights.ts';
import type { BlockWeights } from '../ops/block-weights.ts';
import { allocBlockWeights, layOutBlocks } from '../ops/block-weights.ts';
import type { Compute } from '../ops/matrix.ts';
import { allocTable } from '../ops/table.ts';
import { decodeGgml } from '../quant/ggml-decode.ts';
import type { PackedType } from '../quant/ggml-packed.ts';
import { invalidCode, packedCodes, packedKind, packedScales } from '../quant/ggml-packed.ts';
import { GGML_FORMATS } from '../quant/ggml-types.ts';
import { halfToNumber, isFiniteHalf } from '../quant/half.ts';
import type { GgufPlan, PlannedTensor } from './gguf-plan.ts';
import { QUANTIZATIONS } from './gguf-plan.ts';
import type { Rows } from './gguf-rows.ts';
import { bytesOfRow, inHalves, rowsOf } from './gguf-rows.ts';

/** Columns of a block of codes that the tile kernels read. */
const CODE_BLOCK = 128;
/** A byte of four ternary zeros. */
const ZERO_CODES = 0x55;

/** What loading needs besides the tensor. */
export interface Loading {
  readonly compute: Compute;
  readonly source: ByteSource;
  readonly plan: GgufPlan;
  readonly weights: RunWeights;
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
  const { source, name, signal } = loading, { tensor, reorder } = planned;
  const scale = tensor.type === 'I2_S' ? await tensorScale(loading, planned) : undefined;
  const put = planned.kept === 'packed' ? packedSink(loading, planned, scale)
    : floatSink(loading, planned, scale);
  for await (const rows of rowsOf(source, tensor, reorder || 1, name, signal)) {
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

/** Decoded to floats; kept as such or as halves. */
function floatSink(
  { compute, weights, name }: Loading, planned: PlannedTensor, scale: number | undefined,
): Sink {
  const { spec, tensor, kept } = planned, { engine, workspace } = compute, { rows: all, cols } = spec;
  const decode = (bytes: Uint8Array): Float32Array =>
    checkFinite(decodeGgml(tensor.type, bytes, scale), tensor.name, name);
  if (kept === 'floats') {
    const ptr = engine.heap.alloc(all * cols * 4);
    return {
      rows: ({ from, count, bytes }) => engine.f32(ptr + from * cols * 4, count * cols).set(decode(bytes)),
      end: () => weights.addFloatAt(spec, ptr),
    };
  }
  const table = allocTable(engine, 'f16', all, cols);
  weights.addTable(spec.name, table);
  return {
    rows({ from, count, bytes }) {
      const to = table.ptr + from * table.rowBytes;
      if (tensor.type === 'F16') {
        checkHalves(bytes, tensor.name, name);
        engine.u8(to, bytes.length).set(bytes);
        return;
      }
      const mark = workspace.mark(), at = workspace.alloc(count * cols * 4);
      engine.f32(at, count * cols).set(decode(bytes));
      engine.kernels.encodeF16(at, to, count * cols);
      workspace.release(mark);
      checkHalves(engine.u8(to, count * cols * 2), tensor.name, name);
    },
    end: () => undefined,
  };
}

function checkFinite(values: Float32Array, tensor: string, file?: string): Float32Array {
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index >= 0) throw notFinite(tensor, index, values[index], file);
  return values;
}

/** Exponents of all ones are infinities and NaN. */
function checkHalves(bytes: Uint8Array, tensor: string, file?: string): void {
  for (let i = 1; i < bytes.length; i += 2)
    if ((bytes[i] & 0x7c) === 0x7c)
      throw notFinite(tensor, i >> 1, halfToNumber(bytes[i - 1] | bytes[i] << 8), file);
}

const notFinite = (tensor: string, index: number, value: number, file?: string): ModelFileError =>
  new ModelFileError('NON_FINITE_WEIGHT', `${tensor} is ${value} at index ${index} of a part`,
    { file, field: tensor, offset: index, actual: value });

/** Packed as in the file, in tiles. */
function packedSink(loading: Loading, planned: PlannedTensor, scale: number | undefined): Sink {
  const { compute, plan: { activations }, weights } = loading, { spec, tensor } = planned;
  const { engine } = compute, type = tensor.type as PackedType, kind = packedKind(type);
  const block = GGML_FORMATS[type].elements, { rows, cols, name } = spec;
  const packed = allocBlockWeights(engine, kind, rows, cols, block);
  weights.addBlocks({
    name, packed, quantization: activations === 'f32' ? {} : QUANTIZATIONS[activations] });
  const uniform = new UniformScale(block);
  return {
    rows(part) {
      const { codes, scales } = unpack(type, part, planned, loading.name);
      if (scale === undefined) uniform.see(scales, codes);
      putRows(compute, packed, part, codes, scales);
    },
    end() {
      const one = scale ?? uniform.value;
      // A matrix with one scale is a BitLinear's, whose products are faster; an embedding is gathered.
      if (one !== undefined && spec.role === 'projection' && (activations === 'i8' || scale !== undefined))
        weights.unifyBlocks(name, one);
    },
  };
}

/** The f32 that follows the codes of I2_S. */
async function tensorScale({ source, name }: Loading, { tensor }: PlannedTensor): Promise<number> {
  const at = tensor.offset + tensor.bytes - GGML_FORMATS.I2_S.tail;
  const bytes = await readExactly(source, at, at + 4, name);
  const scale = new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true);
  if (!Number.isFinite(scale)) throw notFinite(tensor.name, 0, scale, name);
  return scale;
}

/** Whether all blocks have one scale; blocks of zeros may have any. */
class UniformScale {
  readonly #codeBytes: number;
  #bits?: number;
  #broken = false;

  constructor(block: number) {
    this.#codeBytes = block / 4;
  }

  see(scales: Uint16Array, codes: Uint8Array): void {
    for (let b = 0; b < scales.length && !this.#broken; b++) {
      if (scales[b] === this.#bits) continue;
      if (scales[b] === 0 && this.#isZero(codes, b)) continue;
      if (this.#bits === undefined) this.#bits = scales[b];
      else this.#broken = true;
    }
  }

  #isZero(codes: Uint8Array, block: number): boolean {
    const from = block * this.#codeBytes;
    return codes.subarray(from, from + this.#codeBytes).every((byte) => byte === ZERO_CODES);
  }

  get value(): number | undefined {
    return this.#broken || this.#bits === undefined ? undefined : halfToNumber(this.#bits);
  }
}

/** Codes and scales of some rows, checked. Codes of Q1_0 stay as they are in the file. */
function unpack(
  type: PackedType, { bytes, from }: Rows, { tensor }: PlannedTensor, file?: string,
): { codes: Uint8Array; scales: Uint16Array } {
  const scales = packedScales(type, bytes), bad = scales.findIndex((half) => !isFiniteHalf(half));
  if (bad >= 0)
    throw notFinite(`${tensor.name}, scale of a block from row ${from},`, bad, halfToNumber(scales[bad]), file);
  const codes = type === 'Q1_0' ? bytes : packedCodes(type, bytes);
  const wrong = type === 'Q1_0' ? -1 : invalidCode(packedKind(type), codes);
  if (wrong >= 0)
    throw new ModelFileError('INVALID_CODE',
      `${tensor.name} has a code that is no weight: columns ${wrong * 4} to ${wrong * 4 + 3} from row ${from} on`,
      { file, field: tensor.name, offset: wrong, expected: 'codes 0, 1 or 2', actual: codes[wrong] });
  return { codes, scales };
}

/** Lays out some rows. */
function putRows(
  compute: Compute, w: BlockWeights, { from, count }: Rows, codes: Uint8Array, scales: Uint16Array,
): void {
  const { engine, workspace } = compute, inFile = codes.length / count;
  const mark = workspace.mark(), ptr = workspace.alloc(codes.length + 16);
  engine.u8(ptr, codes.length).set(codes);
  // Q1_0 is laid out from its blocks as they are: a scale of two bytes before 16 bytes of bits.
  const raw = w.kind === 'b1' && w.block === CODE_BLOCK;
  const stride = raw ? 18 : (CODE_BLOCK / 8) * (w.kind === 'b1' ? 1 : 2);
  const rows = scales.length > 0 ? scales : new Uint16Array((count * w.cols) / w.block);
  layOutBlocks(compute, w, { ptr: raw ? ptr + 2 : ptr, rowBytes: inFile, stride }, rows, from, count);
  workspace.release(mark);
}


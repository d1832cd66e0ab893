/**
 * The model file, `*.onebit.safetensors`: configuration, tokenizer, float tensors, packed weights.
 *
 *   metadata   format "onebit", version "1", config (JSON), tokenizer (JSON)
 *   floats     F32 [rows, cols]; norms [cols], learned scales of inputs [1]: embeddings, head, norms, and
 *              `f32` projections
 *   tables     token embeddings and head, if not F32: F16 [rows, cols], or I8 [rows, cols] codes
 *              −127 … 127 and `<name>_scale` F32 [rows]: w ≈ code · scale (`file-tables.ts`)
 *   packed     U8 [rows, bytes of a row] in the "rows" layout (`quant/layout.ts`), b1 or t2 as the
 *              configuration says, and `<name>_scale` F32 [groups]: β, or γ, of runs of rows
 *
 * A 1-bit weight takes one bit here and in memory. The file is sealed with a CRC-32.
 * @module
 */
import { checkOneOf } from '../check.ts';
import { ModelFileError } from '../errors.ts';
import type { NamedTensor, SafetensorsFile } from '../io/safetensors.ts';
import { decodeSafetensors, encodeSafetensors } from '../io/safetensors.ts';
import type { BitWeights } from '../ops/bit-weights.ts';
import { layOut } from '../ops/bit-weights.ts';
import type { BitKind } from '../quant/layout.ts';
import { BITS, fileRowBytes, rowBytes } from '../quant/layout.ts';
import type { Engine } from '../wasm/engine.ts';
import { Workspace } from '../wasm/workspace.ts';
import { BitNet } from './bitnet.ts';
import type { BitNetConfig } from './config.ts';
import { readConfig } from './config-json.ts';
import type { EmbeddingKind } from './file-tables.ts';
import {
  EMBEDDING_KINDS, isTable, loadTable, tableFloats, tableKind, tableTensors,
} from './file-tables.ts';
import { floatsOf } from './floats.ts';
import type { TensorSpec } from './tensors.ts';
import { isVector, parameterCount, tensorSpecs } from './tensors.ts';
import { RunWeights, allocPart } from './weights.ts';
import type { TrainedWeights } from './weights.ts';

const FORMAT = 'onebit';
const VERSION = '1';

/** A tensor of floats as a file holds it. */
export function floatTensor(spec: TensorSpec, values: Float32Array, name = spec.name): NamedTensor {
  const data = new Uint8Array(values.slice().buffer);
  const shape = isVector(spec) ? [spec.cols] : [spec.rows, spec.cols];
  return { name, dtype: 'F32', shape, data };
}

const isPacked = ({ role }: TensorSpec, config: BitNetConfig): boolean =>
  role === 'projection' && config.weights !== 'f32';

/** Runs of rows with a scale of their own: groups, where the projection is not split already. */
const scaleCount = (name: string, groups: number): number =>
  /\.\d+\.weight$/.test(name) ? 1 : groups;

export interface EncodeOptions {
  /**
   * How token embeddings and head are stored. Default `f32`; `f16` takes half, `i8` a quarter of the
   * room. A model that is read keeps them so in memory.
   */
  embeddings?: EmbeddingKind;
}

/**
 * The file of a trained model. Latent weights are not in it.
 *
 * @param tokenizer JSON of the tokenizer
 * @throws {RangeError} If `embeddings` is none of f32, f16, i8.
 */
export function encodeModel(
  model: BitNet, weights: TrainedWeights, tokenizer: string, options: EncodeOptions = {},
): Uint8Array {
  const { config, engine } = model, { embeddings = 'f32' } = options;
  checkOneOf('encodeModel', 'embeddings', embeddings, EMBEDDING_KINDS);
  model.prepare();
  const tensors = weights.specs.flatMap((spec) => {
    if (isPacked(spec, config)) return packedTensors(engine, config, spec, weights);
    const { ptr } = weights.parameter(spec.name).value;
    if (isTable(spec) && embeddings !== 'f32') return tableTensors(model, spec, ptr, embeddings);
    return [floatTensor(spec, engine.f32(ptr, spec.rows * spec.cols))];
  });
  const metadata = {
    format: FORMAT, version: VERSION, config: JSON.stringify(config), tokenizer,
  };
  return encodeSafetensors(tensors, metadata, { checksum: true });
}

function packedTensors(
  engine: Engine, config: BitNetConfig, { name, rows, cols }: TensorSpec, weights: TrainedWeights,
): NamedTensor[] {
  const { packed } = weights.bitPart(name);
  const inFile = fileRowBytes(packed.kind, cols), inMemory = rowBytes(packed.kind, cols);
  const data = new Uint8Array(rows * inFile);
  for (let r = 0; r < rows; r++)
    data.set(engine.u8(packed.codes + r * inMemory, inFile), r * inFile);
  const groups = scaleCount(name, config.quantizationGroups);
  const scales = Float32Array.from({ length: groups }, (_, g) =>
    engine.f32(packed.scales, rows)[(g * rows) / groups]);
  return [
    { name, dtype: 'U8', shape: [rows, inFile], data },
    { name: `${name}_scale`, dtype: 'F32', shape: [groups], data: new Uint8Array(scales.buffer) },
  ];
}

/** What a model file says of itself, without building the model. */
export interface ModelHeader {
  readonly config: BitNetConfig;
  readonly tokenizer: string;
  readonly file: SafetensorsFile;
}

/**
 * Reads and checks a model file; the tensors are views of `bytes`.
 *
 * @param name the file, for messages
 * @throws {ModelFileError} NOT_ONEBIT, UNSUPPORTED_VERSION, BAD_HPARAM, MISSING_TENSOR,
 *   SHAPE_MISMATCH and what `decodeSafetensors` throws.
 */
export function readModelHeader(bytes: Uint8Array, name?: string): ModelHeader {
  const file = decodeSafetensors(bytes, name);
  const { metadata } = file;
  if (metadata.get('format') !== FORMAT)
    throw new ModelFileError('NOT_ONEBIT',
      `expected a model written by onebit, found format ${metadata.get('format') ?? 'none'}`,
      { file: name, field: 'format', expected: FORMAT, actual: metadata.get('format') });
  if (metadata.get('version') !== VERSION)
    throw new ModelFileError('UNSUPPORTED_VERSION',
      `model file version ${metadata.get('version')}; this onebit reads version ${VERSION}`,
      { file: name, field: 'version', expected: VERSION, actual: metadata.get('version') });
  const config = readConfig(metadata.get('config'), name);
  checkTensorCount(file, config, name);
  for (const spec of tensorSpecs(config)) checkTensor(file, config, spec, name);
  return { config, tokenizer: metadata.get('tokenizer') ?? '', file };
}

/** Every layer has a tensor a group, so a file of few tensors cannot be made to cost much. */
function checkTensorCount(
  { tensors }: SafetensorsFile, { numHiddenLayers, quantizationGroups }: BitNetConfig, file?: string,
): void {
  const least = numHiddenLayers * quantizationGroups;
  if (tensors.size < least)
    throw new ModelFileError('MISSING_TENSOR',
      `the configuration needs more than ${least} tensors, the file has ${tensors.size}`,
      { file, expected: least, actual: tensors.size });
}

function checkTensor(
  { tensors }: SafetensorsFile, config: BitNetConfig, spec: TensorSpec, file?: string,
): void {
  const { rows, cols } = spec;
  const expect = (name: string, dtype: string, shape: number[]): void => {
    const tensor = tensors.get(name);
    if (!tensor)
      throw new ModelFileError('MISSING_TENSOR', `the file has no tensor ${name}`, { file, field: name });
    const found = `${tensor.dtype} [${tensor.shape.join(', ')}]`;
    const expected = `${dtype} [${shape.join(', ')}]`;
    if (found !== expected)
      throw new ModelFileError('SHAPE_MISMATCH', `${name} expected ${expected}, found ${found}`,
        { file, field: name, expected, actual: found });
  };
  const kind = isTable(spec) ? tableKind(tensors, spec) : 'f32';
  if (kind === 'f16') expect(spec.name, 'F16', [rows, cols]);
  else if (kind === 'i8') {
    expect(spec.name, 'I8', [rows, cols]);
    expect(`${spec.name}_scale`, 'F32', [rows]);
  } else if (!isPacked(spec, config))
    expect(spec.name, 'F32', isVector(spec) ? [cols] : [rows, cols]);
  else {
    expect(spec.name, 'U8', [rows, fileRowBytes(config.weights as BitKind, cols)]);
    expect(`${spec.name}_scale`, 'F32', [scaleCount(spec.name, config.quantizationGroups)]);
  }
}

export interface BuildOptions {
  /** Packs token embeddings and head when they are read. Default: as they are in the file. */
  embeddings?: EmbeddingKind;
}

/**
 * Builds the model of a file in the engine's memory, packed as it is in the file.
 *
 * @throws {ModelFileError} NON_FINITE_WEIGHT, INVALID_CODE
 * @throws {EngineError} OUT_OF_MEMORY; what was allocated is given back.
 */
export function buildModel(
  engine: Engine, { config, file }: ModelHeader, name?: string, options: BuildOptions = {},
): BitNet {
  const { embeddings } = options;
  if (embeddings) checkOneOf('buildModel', 'embeddings', embeddings, EMBEDDING_KINDS);
  return engine.heap.allOrNothing(() => {
    const weights = new RunWeights(engine);
    for (const spec of tensorSpecs(config)) {
      const kind = isTable(spec) ? embeddings ?? tableKind(file.tensors, spec) : 'f32';
      if (isPacked(spec, config)) loadPacked(engine, config, spec, file, weights, name);
      else if (kind !== 'f32') weights.addTable(spec.name, loadTable(engine, spec, file, kind, name));
      else weights.addFloat(spec, isTable(spec) ? tableFloats(engine, spec, file, name)
        : floatsOf(file, spec.name, name));
    }
    return new BitNet(config, weights);
  });
}

function loadPacked(
  engine: Engine, config: BitNetConfig, spec: TensorSpec, file: SafetensorsFile,
  weights: RunWeights, fileName?: string,
): void {
  const { name, rows, cols } = spec;
  const { data } = file.tensors.get(name)!;
  const packed = allocPart(engine, config, spec, false);
  weights.addPart({ name, packed });
  checkCodes(data, packed, name, fileName);
  const workspace = new Workspace(engine.heap);
  const codes = workspace.alloc(data.length);
  engine.u8(codes, data.length).set(data);
  layOut({ engine, workspace }, packed, codes, fileRowBytes(packed.kind, cols));
  workspace.dispose();
  const scales = floatsOf(file, `${name}_scale`, fileName);
  const run = rows / scales.length;
  scales.forEach((scale, g) => engine.f32(packed.scales + g * run * 4, run).fill(scale));
}

/** Two-bit codes are 0, 1 or 2; what pads a row stands for nothing, so it has one form. */
function checkCodes(data: Uint8Array, w: BitWeights, name: string, file?: string): void {
  const fail = (index: number, expected: string): never => {
    throw new ModelFileError('INVALID_CODE', `${name} byte ${index} expected ${expected}`,
      { file, field: name, offset: index, expected, actual: data[index] });
  };
  const three = w.kind === 't2' ? data.findIndex((byte) => (byte & (byte >> 1) & 0x55) !== 0) : -1;
  if (three >= 0) fail(three, 'codes 0, 1 or 2');
  const bytes = fileRowBytes(w.kind, w.cols), used = (w.cols * BITS[w.kind]) % 8;
  if (used === 0) return;
  const padding = (w.kind === 't2' ? 0x55 : 0) >> used;
  for (let r = 1; r <= w.rows; r++)
    if (data[r * bytes - 1] >> used !== padding) fail(r * bytes - 1, 'padding without weights');
}

/** Bytes of a model's weights packed and in f32 and f16, and of the linear weights alone. */
export interface ModelSizes {
  readonly parameters: number;
  readonly linearParameters: number;
  /** Weights of the projections in the file, without scales. */
  readonly linearBytes: number;
  /** All tensors in the file. */
  readonly packedBytes: number;
  readonly f16Bytes: number;
  readonly f32Bytes: number;
}

export function modelSizes({ config, file }: Pick<ModelHeader, 'config' | 'file'>): ModelSizes {
  const parameters = parameterCount(config);
  let linearParameters = 0, linearBytes = 0, packedBytes = 0;
  for (const { data } of file.tensors.values()) packedBytes += data.length;
  for (const { name, rows, cols, role } of tensorSpecs(config)) {
    if (role !== 'projection') continue;
    linearParameters += rows * cols;
    linearBytes += file.tensors.get(name)!.data.length;
  }
  return {
    parameters, linearParameters, linearBytes, packedBytes,
    f16Bytes: parameters * 2, f32Bytes: parameters * 4,
  };
}

/**
 * Where a model's weights are in memory: those that are trained, and those that are only run.
 *
 *   trained   four arrays of all parameters in the order of `tensorSpecs`: values, gradients and
 *             the two moments of AdamW; BitLinears have packed bits beside them
 *   run       float tensors, packed bits and tables, nothing else
 * @module
 */
import { ModelFileError } from '../errors.ts';
import type { BitPart } from '../nn/bit-linear.ts';
import type { Gathered } from '../nn/embedding.ts';
import type { Parameter } from '../nn/pass.ts';
import type { Projection } from '../nn/projection.ts';
import { allocBitWeights, freeBitWeights } from '../ops/bit-weights.ts';
import type { Table } from '../ops/table.ts';
import { freeTable } from '../ops/table.ts';
import type { BitKind } from '../quant/layout.ts';
import type { Engine } from '../wasm/engine.ts';
import type { BitNetConfig } from './config.ts';
import type { TensorSpec } from './tensors.ts';
import { isVector, tensorSpecs } from './tensors.ts';

/** `own`: in a form that only its loader knows. */
export type Stored = 'float' | 'table' | 'bits' | 'own';

/** What a model is built from. */
export interface ModelWeights {
  readonly engine: Engine;
  /** What a loader puts around the products with the matrices `names`. */
  around?(products: Projection, names: readonly string[]): Projection;
  /** What rotary frequencies are divided by; see `RopeShape`. */
  readonly ropeFactors?: ArrayLike<number>;
  /** The float tensor `name`. */
  parameter(name: string): Parameter;
  /** How the matrix `name` is stored. */
  stored(name: string): Stored;
  /** The table `name`, if it is one: packed embeddings, heads, and matrices of a file in few bits. */
  table(name: string): Table | undefined;
  /** The products with matrices that are stored as `own`. */
  projection?(names: readonly string[]): Projection;
  /** The table `name`, if it is stored as `own`. */
  gathered?(name: string): Gathered | undefined;
  /** The packed projection `name`; in training with its latent weights. */
  bitPart(name: string): BitPart;
  dispose(): void;
}

/** Room for the packed bits of a projection, with codes beside them where backward needs them. */
export const allocPart = (
  engine: Engine, config: BitNetConfig, { rows, cols }: TensorSpec, trained: boolean,
): BitPart['packed'] =>
  allocBitWeights(engine, config.weights as BitKind, rows, cols, trained);

export class TrainedWeights implements ModelWeights {
  readonly engine: Engine;
  readonly specs: readonly TensorSpec[];
  /** Addresses of f32[count]. */
  readonly values: number;
  readonly gradients: number;
  readonly firstMoments: number;
  readonly secondMoments: number;
  /** Floats of all parameters, each tensor padded to whole vectors. */
  readonly count: number;
  /** Floats before the first norm or scale: those that weight decay applies to. */
  readonly decayCount: number;
  readonly #config: BitNetConfig;
  readonly #offsets = new Map<string, { spec: TensorSpec; at: number }>();
  readonly #parts = new Map<string, BitPart>();

  constructor(engine: Engine, config: BitNetConfig) {
    this.engine = engine;
    this.#config = config;
    this.specs = tensorSpecs(config);
    let at = 0, decay = 0;
    for (const spec of this.specs) {
      this.#offsets.set(spec.name, { spec, at });
      at += Math.ceil((spec.rows * spec.cols) / 4) * 4;
      if (!isVector(spec)) decay = at;
    }
    this.count = at;
    this.decayCount = decay;
    [this.values, this.gradients, this.firstMoments, this.secondMoments] =
      [0, 1, 2, 3].map(() => engine.heap.alloc(at * 4));
  }

  /** Offset in floats of a tensor in each of the four arrays. */
  offsetOf(name: string): number {
    return this.#entry(name).at;
  }

  #entry(name: string): { spec: TensorSpec; at: number } {
    const entry = this.#offsets.get(name);
    if (!entry) throw new RangeError(`weights: the model has no tensor ${name}`);
    return entry;
  }

  parameter(name: string): Parameter {
    const { spec: { rows, cols }, at } = this.#entry(name);
    return {
      name,
      value: { ptr: this.values + at * 4, rows, cols },
      grad: { ptr: this.gradients + at * 4, rows, cols },
    };
  }

  stored(name: string): Stored {
    const { role } = this.#entry(name).spec;
    return role === 'projection' && this.#config.weights !== 'f32' ? 'bits' : 'float';
  }

  /** None: what is trained is floats. */
  table(): undefined {}

  bitPart(name: string): BitPart {
    const { spec } = this.#entry(name);
    const part = this.#parts.get(name) ?? {
      name, packed: allocPart(this.engine, this.#config, spec, true), latent: this.parameter(name),
    };
    this.#parts.set(name, part);
    return part;
  }

  dispose(): void {
    for (const ptr of [this.values, this.gradients, this.firstMoments, this.secondMoments])
      this.engine.heap.free(ptr);
  }
}

/** Weights of a model that is only run: filled by the reader of a file, tensor by tensor. */
export class RunWeights implements ModelWeights {
  readonly engine: Engine;
  ropeFactors?: ArrayLike<number>;
  readonly #parameters = new Map<string, Parameter>();
  readonly #parts = new Map<string, BitPart>();
  readonly #tables = new Map<string, Table>();

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Copies f32[rows, cols] in. */
  addFloat({ name, rows, cols }: TensorSpec, data: Float32Array): void {
    const ptr = this.engine.heap.alloc(rows * cols * 4);
    this.engine.f32(ptr, rows * cols).set(data);
    this.#parameters.set(name, { name, value: { ptr, rows, cols } });
  }

  /** Takes over f32[rows, cols] on the heap. */
  addFloatAt({ name, rows, cols }: TensorSpec, ptr: number): void {
    this.#parameters.set(name, { name, value: { ptr, rows, cols } });
  }

  addPart(part: BitPart): void {
    this.#parts.set(part.name, part);
  }

  addTable(name: string, table: Table): void {
    this.#tables.set(name, table);
  }

  stored(name: string): Stored {
    if (this.#tables.has(name)) return 'table';
    return this.#parts.has(name) ? 'bits' : 'float';
  }

  table(name: string): Table | undefined {
    return this.#tables.get(name);
  }

  parameter(name: string): Parameter {
    return found(name, this.#parameters.get(name));
  }

  bitPart(name: string): BitPart {
    return found(name, this.#parts.get(name));
  }

  /** Gives everything back where no model was built of it: the parts, too, which its layers own. */
  abandon(): void {
    for (const { packed } of this.#parts.values()) freeBitWeights(this.engine, packed);
    this.#parts.clear();
    this.dispose();
  }

  dispose(): void {
    for (const { value } of this.#parameters.values()) this.engine.heap.free(value.ptr);
    for (const table of this.#tables.values()) freeTable(this.engine, table);
    this.#parameters.clear();
    this.#tables.clear();
  }
}

function found<T>(name: string, tensor: T | undefined): T {
  if (tensor === undefined)
    throw new ModelFileError('MISSING_TENSOR', `the model has no tensor ${name}`, { field: name });
  return tensor;
}

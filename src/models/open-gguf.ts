/**
 * A model out of a GGUF file: header, plan, tensors in the order of the file.
 * @module
 */
import { EngineError } from '../errors.ts';
import type { ByteSource } from '../io/byte-source.ts';
import { readGguf } from '../io/gguf.ts';
import { BitNet } from '../model/bitnet.ts';
import type { Engine } from '../wasm/engine.ts';
import { Workspace } from '../wasm/workspace.ts';
import type { GgufPlan, PlanOptions } from './gguf-plan.ts';
import { planGguf } from './gguf-plan.ts';
import { FileWeights } from './file-weights.ts';
import { Rooms } from './gguf-rows.ts';
import { loadTensor } from './gguf-tensors.ts';
import { readRopeFactors } from './rope-factors.ts';

/** How far loading is. */
export interface LoadProgress {
  /** Bytes of tensors that have arrived, and all of them. */
  readonly loaded: number;
  readonly total: number;
}

export interface OpenOptions extends PlanOptions {
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
  /** Bytes that weights may take. Default: what the engine can have. */
  readonly maxMemory?: number;
}

/**
 * Reads the model of a GGUF file into the engine's memory, each tensor straight into its layout.
 *
 * @throws {ModelFileError} If the file is damaged, or not a model that runs; see `readGguf`, `planGguf`.
 * @throws {EngineError} OUT_OF_MEMORY, before anything is read where `maxMemory` is too little; whatever
 *   was allocated is given back.
 */
export async function openGguf(
  engine: Engine, source: ByteSource, options: OpenOptions = {}, name?: string,
): Promise<{ model: BitNet; plan: GgufPlan }> {
  const { onProgress, signal, maxMemory } = options;
  signal?.throwIfAborted();
  const plan = planGguf(await readGguf(source, name), options, name);
  if (maxMemory !== undefined && plan.bytes > maxMemory)
    throw new EngineError('OUT_OF_MEMORY',
      `the weights take ${plan.bytes} bytes, "maxMemory" allows ${maxMemory}`,
      { expected: plan.bytes, actual: maxMemory });
  const weights = new FileWeights(engine), workspace = new Workspace(engine.heap);
  const rooms = new Rooms();
  const total = plan.tensors.reduce((sum, { tensor }) => sum + tensor.bytes, 0);
  let loaded = 0;
  try {
    for (const planned of plan.tensors)
      await loadTensor(
        { compute: { engine, workspace }, source, plan, weights, rooms, name, signal }, planned, (bytes) => {
          loaded += bytes;
          onProgress?.({ loaded: Math.min(loaded, total), total });
        });
    if (plan.ropeFactors) weights.ropeFactors = await readRopeFactors(source, plan.ropeFactors, name);
    workspace.dispose();
    const model = engine.run(() => new BitNet(plan.config, weights));
    return { model, plan };
  } catch (error) {
    workspace.dispose();
    weights.abandon();
    throw error;
  }
}

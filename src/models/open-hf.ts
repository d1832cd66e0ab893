/**
 * A model out of the folder of a Hugging Face model: configuration, tables, plan, tensors, tokenizer.
 * @module
 */
import { tokenizerFromHuggingFace } from '../chat/json-tokenizer.ts';
import type { TextTokenizer } from '../chat/text-tokenizer.ts';
import { EngineError, ModelFileError } from '../errors.ts';
import type { ModelFolder } from '../hub/folder.ts';
import { readJson, readText } from '../hub/folder.ts';
import type { OpenedSource } from '../hub/open.ts';
import type { TensorTable } from '../io/safetensors-table.ts';
import { joinTables, readSafetensorsTable, readWeightMap } from '../io/safetensors-table.ts';
import { BitNet } from '../model/bitnet.ts';
import { RunWeights } from '../model/weights.ts';
import type { Engine } from '../wasm/engine.ts';
import { Workspace } from '../wasm/workspace.ts';
import { Rooms } from './gguf-rows.ts';
import type { HfPlan, HfPlanOptions } from './hf-plan.ts';
import { planHf } from './hf-plan.ts';
import { loadHfTensor } from './hf-tensors.ts';
import type { OpenOptions } from './open-gguf.ts';

export interface OpenHfOptions extends OpenOptions, HfPlanOptions {}

const CONFIG = 'config.json', WEIGHTS = 'model.safetensors', INDEX = 'model.safetensors.index.json';
/** Bytes of the largest tokenizer read: vocabularies of 256 Ki tokens have 35 MB. */
const MAX_TOKENIZER = 128 * 2 ** 20;

/**
 * Reads the model of a folder into the engine's memory.
 *
 * @throws {ModelFileError} MISSING_FILE naming it; see `readSafetensorsTable`, `joinTables`, `planHf`
 * @throws {TokenizerError} If there is no tokenizer, or one of an unknown kind.
 * @throws {EngineError} OUT_OF_MEMORY; whatever was allocated is given back.
 */
export async function openHf(
  engine: Engine, folder: ModelFolder, options: OpenHfOptions = {},
): Promise<{ model: BitNet; plan: HfPlan; tokenizer: TextTokenizer }> {
  const { signal, maxMemory } = options, opened: OpenedSource[] = [];
  signal?.throwIfAborted();
  try {
    const json = await readJson(folder, CONFIG) ?? missing(folder, CONFIG);
    const { tokenizer, chatTemplate } = await tokenizerOf(folder);
    const plan = { ...planHf(json, await tableOf(folder, opened), options), chatTemplate };
    if (maxMemory !== undefined && plan.bytes > maxMemory)
      throw new EngineError('OUT_OF_MEMORY',
        `the weights take ${plan.bytes} bytes, "maxMemory" allows ${maxMemory}`,
        { expected: plan.bytes, actual: maxMemory });
    return { model: await build(engine, plan, options), plan, tokenizer };
  } finally {
    for (const { close } of opened) await close();
  }
}

function missing(folder: ModelFolder, file: string): never {
  throw new ModelFileError('MISSING_FILE', `${folder.name} has no ${file}`,
    { file: folder.name, expected: file });
}

/** The table of all tensors; files that stay open are added to `opened`. */
export async function tableOf(folder: ModelFolder, opened: OpenedSource[]): Promise<TensorTable> {
  const open = async (name: string): Promise<TensorTable | undefined> => {
    const file = await folder.open(name);
    if (file) opened.push(file);
    return file && readSafetensorsTable(file.bytes, name);
  };
  const whole = await open(folder.weights ?? WEIGHTS);
  if (whole) return whole;
  const index = await readJson(folder, INDEX) ?? missing(folder, folder.weights ?? WEIGHTS);
  const weightMap = readWeightMap(index, INDEX), shards = new Map<string, TensorTable>();
  for (const name of new Set(weightMap.values())) shards.set(name, await open(name) ?? missing(folder, name));
  return joinTables(weightMap, shards);
}

async function tokenizerOf(
  folder: ModelFolder,
): Promise<{ tokenizer: TextTokenizer; chatTemplate?: string }> {
  const json = await readJson(folder, 'tokenizer.json', MAX_TOKENIZER) ?? missing(folder, 'tokenizer.json');
  const config = await readJson(folder, 'tokenizer_config.json') ?? {}, { chat_template: template } = config;
  const chatTemplate = typeof template === 'string' ? template : await readText(folder, 'chat_template.jinja');
  return { tokenizer: tokenizerFromHuggingFace(json, config), chatTemplate };
}

async function build(engine: Engine, plan: HfPlan, options: OpenHfOptions): Promise<BitNet> {
  const weights = new RunWeights(engine), workspace = new Workspace(engine.heap), rooms = new Rooms();
  const total = plan.tensors.reduce((sum, { tensor }) => sum + tensor.bytes, 0);
  let loaded = 0;
  try {
    for (const planned of plan.tensors)
      await loadHfTensor(
        { compute: { engine, workspace }, plan, weights, rooms, signal: options.signal }, planned, (bytes) => {
          loaded += bytes;
          options.onProgress?.({ loaded: Math.min(loaded, total), total });
        });
    workspace.dispose();
    return engine.run(() => new BitNet(plan.config, weights));
  } catch (error) {
    workspace.dispose();
    weights.abandon();
    throw error;
  }
}

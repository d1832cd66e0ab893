/**
 * A model out of the folder of a Hugging Face model: configuration, tables, plan, tensors, tokenizer.
 * @module
 */
import { tokenizerFromHuggingFace } from '../chat/json-tokenizer.ts';
import type { TextTokenizer } from '../chat/text-tokenizer.ts';
import { EngineError, ModelFileError, quote } from '../errors.ts';
import type { ModelFolder } from '../hub/folder.ts';
import { readJson, readText } from '../hub/folder.ts';
import type { OpenedSource } from '../hub/open.ts';
import type { TensorTable } from '../io/safetensors-table.ts';
import { joinTables, readSafetensorsTable, readWeightMap } from '../io/safetensors-table.ts';
import { BitNet } from '../model/bitnet.ts';
import type { Engine } from '../wasm/engine.ts';
import { Workspace } from '../wasm/workspace.ts';
import { FileWeights } from './file-weights.ts';
import { Rooms } from './gguf-rows.ts';
import type { HfPlan, HfPlanOptions } from './hf-plan.ts';
import { planHf } from './hf-plan.ts';
import { loadHfTensor } from './hf-tensors.ts';
import type { OpenOptions } from './open-gguf.ts';

export interface OpenHfOptions extends OpenOptions, HfPlanOptions {}

const CONFIG = 'config.json', WEIGHTS = 'model.safetensors', INDEX = 'model.safetensors.index.json';
export const TOKENIZER = 'tokenizer.json';
/** Bytes of the largest tokenizer read: vocabularies of 256 Ki tokens have 35 MB. */
export const MAX_TOKENIZER = 128 * 2 ** 20;

/** What a folder says of its model, tensors and tokenizer unread. */
export interface HfContents {
  /** Parsed `config.json`. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly table: TensorTable;
  readonly chatTemplate?: string;
  /** Parsed `tokenizer_config.json`. */
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  /** Ids that end a text. */
  readonly endTokens: readonly number[];
}

/**
 * Reads the model of a folder into the engine's memory.
 *
 * @throws {ModelFileError} MISSING_FILE naming it; see `readContents`, `planHf`
 * @throws {TokenizerError} If there is no tokenizer, or one of an unknown kind.
 * @throws {EngineError} OUT_OF_MEMORY; whatever was allocated is given back.
 */
export async function openHf(
  engine: Engine, folder: ModelFolder, options: OpenHfOptions = {},
): Promise<{ model: BitNet; plan: HfPlan; tokenizer: TextTokenizer }> {
  const { signal, maxMemory } = options, opened: OpenedSource[] = [];
  signal?.throwIfAborted();
  try {
    const contents = await readContents(folder, opened);
    const plan = planOf(contents, options);
    const tokenizer = await tokenizerOf(folder, contents, plan.config.vocabSize);
    if (maxMemory !== undefined && plan.bytes > maxMemory)
      throw new EngineError('OUT_OF_MEMORY',
        `the weights take ${plan.bytes} bytes, "maxMemory" allows ${maxMemory}`,
        { expected: plan.bytes, actual: maxMemory });
    return { model: await build(engine, plan, options), plan, tokenizer };
  } finally {
    for (const { close } of opened) await close();
  }
}

/** The plan of what a folder holds, with its chat template. */
export const planOf = ({ json, table, chatTemplate }: HfContents, options: HfPlanOptions = {}): HfPlan =>
  ({ ...planHf(json, table, options), chatTemplate });

/**
 * Reads the small files of a folder, and the headers of the large ones.
 *
 * @param opened the large ones are added to it, and are the caller's to close
 * @throws {ModelFileError} MISSING_FILE, BAD_HEADER; see `readSafetensorsTable`, `joinTables`
 */
export async function readContents(folder: ModelFolder, opened: OpenedSource[]): Promise<HfContents> {
  const json = await readJson(folder, CONFIG) ?? missing(folder, CONFIG);
  const tokenizerConfig = await readJson(folder, 'tokenizer_config.json') ?? {};
  const chatTemplate = await readText(folder, 'chat_template.jinja')
    ?? templateOf(tokenizerConfig.chat_template);
  const generation = await readJson(folder, 'generation_config.json') ?? {};
  return {
    json, tokenizerConfig, chatTemplate, endTokens: idsOf(generation.eos_token_id ?? json.eos_token_id),
    table: await tableOf(folder, opened),
  };
}

/** A template by itself, or the one called default of several. */
function templateOf(value: unknown): string | undefined {
  const several = value as { name?: unknown; template?: unknown }[];
  const found: unknown = Array.isArray(value)
    ? several.find((one) => one?.name === 'default')?.template : value;
  return typeof found === 'string' ? found : undefined;
}

/** One id or several. */
function idsOf(value: unknown): number[] {
  const ids = (Array.isArray(value) ? value : [value ?? []].flat()) as unknown[];
  if (ids.every((id) => Number.isInteger(id))) return ids as number[];
  throw new ModelFileError('WRONG_TYPE', '"eos_token_id" expected one id or several',
    { field: 'eos_token_id', expected: 'ids', actual: value });
}

/** @throws {ModelFileError} MISSING_FILE always */
export function missing(folder: ModelFolder, file: string): never {
  const hint = file === CONFIG ? '; if it holds GGUF files, name one of them' : '';
  throw new ModelFileError('MISSING_FILE', `${quote(folder.name)} has no ${file}${hint}`,
    { file: folder.name, expected: file });
}

/** The table of all tensors. */
async function tableOf(folder: ModelFolder, opened: OpenedSource[]): Promise<TensorTable> {
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

/**
 * The tokenizer of a folder.
 *
 * @param rows of the embedding
 * @throws {ModelFileError} MISSING_FILE
 * @throws {TokenizerError} If it is of an unknown kind.
 */
export async function tokenizerOf(
  folder: ModelFolder, { tokenizerConfig, endTokens }: HfContents, rows: number,
): Promise<TextTokenizer> {
  const json = await readJson(folder, TOKENIZER, MAX_TOKENIZER) ?? missing(folder, TOKENIZER);
  return tokenizerFromHuggingFace(json, tokenizerConfig, { rows, endTokens });
}

async function build(engine: Engine, plan: HfPlan, options: OpenHfOptions): Promise<BitNet> {
  const { signal } = options;
  const weights = new FileWeights(engine), workspace = new Workspace(engine.heap), rooms = new Rooms();
  const total = plan.tensors.reduce((sum, { tensor }) => sum + tensor.bytes, 0);
  let loaded = 0;
  try {
    for (const planned of plan.tensors)
      await loadHfTensor(
        { compute: { engine, workspace }, plan, weights, rooms, signal }, planned, (bytes) => {
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

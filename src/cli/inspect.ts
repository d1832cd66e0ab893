/**
 * `onebit inspect`: what is in a model file or a checkpoint.
 * @module
 */
import type { BitNetConfig, ModelSizes } from '../index.ts';
import {
  TokenizerError, decodeSafetensors, modelSizes, readModelHeader, tokenizerFromJson,
} from '../index.ts';
import type { PassEnergy } from './energy-rows.ts';
import { describeEnergy, passEnergy } from './energy-rows.ts';
import { readFileChecked } from './files.ts';
import { forTerminal, formatBytes, formatCount, writeJson } from './format.ts';
import { isSafetensors, openSource, readFolderHeaders } from '../models.ts';
import { inspectFolder } from './inspect-folder.ts';
import { inspectGguf } from './inspect-gguf.ts';
import { isOwnFile } from './open-model.ts';
import { sourceOptions } from './source-options.ts';
import type { Arguments, Command } from './usage.ts';

export const inspectCommand: Command = {
  name: 'inspect',
  synopsis: 'inspect FILE|FOLDER|ADDRESS [--json]',
  summary: 'Show what a model, a checkpoint, any safetensors or GGUF file holds, what would run and\n'
    + 'what memory that takes. Of a model behind an address only the headers are received.',
  positionals: ['FILE'],
  flags: { json: { type: 'boolean', help: 'print one JSON object instead of text' } },
  run,
};

interface Inspection {
  readonly format: string;
  readonly metadata: Record<string, string>;
  readonly tensors: { name: string; dtype: string; shape: readonly number[]; bytes: number }[];
  readonly bytes: number;
  /** Of a model file. */
  readonly model?: {
    config: BitNetConfig; sizes: ModelSizes; tokenizer: string; energy: PassEnergy;
  };
}

async function run(args: Arguments): Promise<number> {
  const [path] = args.positionals;
  if (await isOwnFile(path)) show(await readFileChecked(path, { what: 'model' }), path, args);
  else await inspectReal(path, args);
  return 0;
}

/** A folder, or a file that may be behind an address: nothing is kept, and headers are enough. */
async function inspectReal(path: string, args: Arguments): Promise<void> {
  const options = { ...sourceOptions(), cache: false }, json = args.flag('json');
  const headers = await readFolderHeaders(path, options);
  if (headers) return inspectFolder(headers, json);
  const { bytes, close } = await openSource(path, options);
  try {
    // Our own files have a checksum, so they are read as a whole.
    if (await isSafetensors(bytes)) show(await bytes.read(0, bytes.size), path, args);
    else await inspectGguf(bytes, path, json);
  } finally {
    await close();
  }
}

function show(bytes: Uint8Array, path: string, args: Arguments): void {
  const inspection = inspect(bytes, path);
  if (args.flag('json')) writeJson(inspection);
  else process.stdout.write(forTerminal(describe(inspection)));
}

function inspect(bytes: Uint8Array, path: string): Inspection {
  const file = decodeSafetensors(bytes, path);
  const format = file.metadata.get('format') ?? 'safetensors';
  const tensors = [...file.tensors.values()].map(({ name, dtype, shape, data }) =>
    ({ name, dtype, shape, bytes: data.length }));
  const metadata = Object.fromEntries(
    [...file.metadata].filter(([name]) => name !== 'tokenizer' && name !== 'config'));
  if (format !== 'onebit') return { format, metadata, tensors, bytes: bytes.length };
  const header = readModelHeader(bytes, path);
  return {
    format, metadata, tensors, bytes: bytes.length,
    model: {
      config: header.config, sizes: modelSizes(header),
      tokenizer: tokenizerOf(header.tokenizer), energy: passEnergy(header.config),
    },
  };
}

/** Kind and size; of a real model's tokenizer, in a file that was converted, the kind. */
function tokenizerOf(json: string): string {
  try {
    const { kind, vocabSize } = tokenizerFromJson(json);
    return `${kind}, ${formatCount(vocabSize)} tokens`;
  } catch (error) {
    if (!(error instanceof TokenizerError) || error.code === 'BAD_JSON') throw error;
    return 'of another model';
  }
}

function describe({ format, metadata, tensors, bytes, model }: Inspection): string {
  const rows: [string, string][] = [['file', `${format}, ${formatBytes(bytes)}`]];
  if (model) {
    const { config: c, sizes } = model;
    rows.push(
      ['model', `${c.numHiddenLayers} layers, width ${c.hiddenSize}, ${c.numAttentionHeads} heads, ` +
        `context ${c.maxPositionEmbeddings}`],
      ['weights', `${c.weights}, ${formatCount(sizes.linearParameters)} in ` +
        `${formatBytes(sizes.linearBytes)}; activations ${c.activationBits} bits` +
        (c.activationQuantization === 'elastic' ? ' by learned scales' : '')],
      ['parameters', formatCount(sizes.parameters)],
      ['tokenizer', model.tokenizer], ['energy', describeEnergy(c)],
      ['sizes', `${formatBytes(sizes.packedBytes)} packed, ${formatBytes(sizes.f16Bytes)} f16, ` +
        `${formatBytes(sizes.f32Bytes)} f32`]);
  } else for (const [name, value] of Object.entries(metadata)) rows.push([name, value.slice(0, 60)]);
  const width = Math.max(...tensors.map(({ name }) => name.length), 0);
  return rows.map(([name, value]) => `${name.padEnd(12)} ${value}\n`).join('') + '\n' +
    tensors.map(({ name, dtype, shape, bytes: size }) =>
      `${name.padEnd(width)}  ${dtype.padEnd(4)} [${shape.join(', ')}]  ${formatBytes(size)}\n`)
      .join('');
}

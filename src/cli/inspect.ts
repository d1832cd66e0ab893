/**
 * `onebit inspect`: what is in a model file or a checkpoint.
 * @module
 */
import type { BitNetConfig, ModelSizes } from '../index.ts';
import {
  decodeSafetensors, modelSizes, readModelHeader, tokenizerFromJson,
} from '../index.ts';
import { readFileChecked } from './files.ts';
import { forTerminal, formatBytes, formatCount, writeJson } from './format.ts';
import { inspectGguf } from './inspect-gguf.ts';
import { isGguf } from './open-model.ts';
import type { Arguments, Command } from './usage.ts';

export const inspectCommand: Command = {
  name: 'inspect',
  synopsis: 'inspect FILE [--json]',
  summary: 'Show what a model file, a checkpoint, any safetensors or GGUF file holds.',
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
  readonly model?: { config: BitNetConfig; sizes: ModelSizes; tokenizer: string };
}

async function run(args: Arguments): Promise<number> {
  const [path] = args.positionals;
  if (await isGguf(path)) return await inspectGguf(path, args.flag('json'));
  const inspection = inspect(await readFileChecked(path, { what: 'model' }), path);
  if (args.flag('json')) writeJson(inspection);
  else process.stdout.write(forTerminal(describe(inspection)));
  return 0;
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
  const { kind, vocabSize } = tokenizerFromJson(header.tokenizer);
  return {
    format, metadata, tensors, bytes: bytes.length,
    model: {
      config: header.config, sizes: modelSizes(header),
      tokenizer: `${kind}, ${formatCount(vocabSize)} tokens`,
    },
  };
}

function describe({ format, metadata, tensors, bytes, model }: Inspection): string {
  const rows: [string, string][] = [['file', `${format}, ${formatBytes(bytes)}`]];
  if (model) {
    const { config: c, sizes } = model;
    rows.push(
      ['model', `${c.numHiddenLayers} layers, width ${c.hiddenSize}, ${c.numAttentionHeads} heads, ` +
        `context ${c.maxPositionEmbeddings}`],
      ['weights', `${c.weights}, ${formatCount(sizes.linearParameters)} in ` +
        `${formatBytes(sizes.linearBytes)}; activations ${c.activationBits} bits`],
      ['parameters', formatCount(sizes.parameters)],
      ['tokenizer', model.tokenizer],
      ['sizes', `${formatBytes(sizes.packedBytes)} packed, ${formatBytes(sizes.f16Bytes)} f16, ` +
        `${formatBytes(sizes.f32Bytes)} f32`]);
  } else for (const [name, value] of Object.entries(metadata)) rows.push([name, value.slice(0, 60)]);
  const width = Math.max(...tensors.map(({ name }) => name.length), 0);
  return rows.map(([name, value]) => `${name.padEnd(12)} ${value}\n`).join('') + '\n' +
    tensors.map(({ name, dtype, shape, bytes: size }) =>
      `${name.padEnd(width)}  ${dtype.padEnd(4)} [${shape.join(', ')}]  ${formatBytes(size)}\n`)
      .join('');
}

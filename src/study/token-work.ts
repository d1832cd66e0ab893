/**
 * The work of this library's own kernels for one token: what an energy per operation leaves out, since
 * moving a byte costs more than adding one. Counted from shapes; the time is in `token-time.ts`.
 *
 *   weights   bytes of packed tiles, of f32 panels and gains, each read once a token
 *   cache     keys and values of all positions, f32, read once; those of the token, written
 *   integer   additions of ±codes        float   multiply-adds of attention, float layers and head
 *
 * Activations stay in the caches of the processor and are not counted.
 * @module
 */
import { checkInteger } from '../check.ts';
import type { BitNetConfig, Preset } from '../model/config.ts';
import { presetConfig } from '../model/config.ts';
import { headDim, isVector, parameterCount, tensorSpecs } from '../model/tensors.ts';
import { panelBytes } from '../ops/gemm.ts';
import { tileBytes } from '../quant/layout.ts';
import type { Table } from './table.ts';

export interface TokenWork {
  /** Additions of 8-bit codes. */
  readonly integerOperations: number;
  /** f32 multiply-adds. */
  readonly floatOperations: number;
  /** Read from weights, the head's among them. */
  readonly weightBytes: number;
  /** Read from and written to the cache of keys and values. */
  readonly cacheBytes: number;
}

/** Bytes of an f32. */
const FLOAT = 4;

/**
 * Work of decoding one token with `position` tokens before it. Embeddings and head are taken to be
 * floats, as after training.
 *
 * @throws {RangeError} If `position` is negative or not below the model's context.
 */
export function tokenWork(config: BitNetConfig, position: number): TokenWork {
  checkInteger('tokenWork', 'position', position, 0, config.maxPositionEmbeddings - 1);
  const { weights, hiddenSize, vocabSize, numHiddenLayers: layers } = config;
  const queries = config.numAttentionHeads * headDim(config);
  const keyValues = config.numKeyValueHeads * headDim(config);
  let integerOperations = 0, floatOperations = vocabSize * hiddenSize;
  let weightBytes = panelBytes(hiddenSize, vocabSize);
  for (const spec of tensorSpecs(config)) {
    const { role, rows, cols } = spec;
    if (isVector(spec)) weightBytes += cols * FLOAT;
    if (role !== 'projection') continue;
    if (weights === 'f32') floatOperations += rows * cols;
    else integerOperations += rows * cols;
    weightBytes += weights === 'f32' ? panelBytes(cols, rows) : tileBytes(weights, rows, cols);
  }
  floatOperations += 2 * layers * queries * (position + 1);
  const cacheBytes = 2 * layers * keyValues * FLOAT * (position + 2); // all read, one written
  return { integerOperations, floatOperations, weightBytes, cacheBytes };
}

const PRESETS: readonly Preset[] = ['transformer', 'bitnet', 'bitnet-b1.58'];
/** A default run on the stories, in the middle of its context. */
const SIZE = { vocabSize: 1024, layers: 2, heads: 4, width: 128, context: 128 };
/** And a model whose weights outweigh its vocabulary. */
const LARGE = { vocabSize: 32_000, layers: 24, heads: 32, width: 2048, context: 512 };

/** Work for a token of small and large models, each in the middle of its context. */
export const workTable = (): Table => ({
  name: 'token-work', title: 'Work of our kernels for one token, counted from shapes',
  columns: [
    { title: 'model' }, { title: 'weights' }, { title: 'integer additions' },
    { title: 'float multiply-adds' }, { title: 'weights read', unit: 'B' },
    { title: 'cache read and written', unit: 'B' }],
  rows: [SIZE, LARGE].flatMap((size) => PRESETS.map((preset) => {
    const config = presetConfig(preset, size, { tieWordEmbeddings: true });
    const work = tokenWork(config, size.context >> 1);
    return [
      `${preset}, ${size.layers} layers of ${size.width}`, parameterCount(config),
      work.integerOperations, work.floatOperations, work.weightBytes, work.cacheBytes];
  })),
});

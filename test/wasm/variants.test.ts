/**
 * One result for all: any number of threads, either build, either family of products.
 *
 * A model is trained for 50 steps, packed, opened, and asked for logits; blocks with scales of their own
 * are multiplied. Everything is compared with one thread, the baseline build and lookups.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { crc32 } from '../../src/io/crc32.ts';
import type { Preset } from '../../src/model/config.ts';
import { PRESETS } from '../../src/model/config.ts';
import { blockGemm, quantizeBlocks } from '../../src/ops/block-gemm.ts';
import { allocBlockWeights, freeBlockWeights, layOutBlocks } from '../../src/ops/block-weights.ts';
import { newMatrix, viewOf } from '../../src/ops/matrix.ts';
import type { BitKind } from '../../src/quant/layout.ts';
import { fileRowBytes } from '../../src/quant/layout.ts';
import { openLanguageModel } from '../../src/sample/language-model.ts';
import { embeddedRelaxedModule } from '../../src/wasm/embedded.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import type { Build, Product } from '../../src/wasm/variants.ts';
import { BUILDS, PRODUCTS } from '../../src/wasm/variants.ts';
import { Workspace } from '../../src/wasm/workspace.ts';
import { randomF32 } from '../helpers/random.ts';
import { modelBytes, tinyRun } from '../helpers/tiny-model.ts';
import { startPool, threadedEngine } from '../helpers/workers.ts';

const THREADS = [1, 2, 3, 8];
const STEPS = 50;
/** Large enough for its operations to be split, ragged in tiles, blocks and pieces. */
const SHAPE = { tokenizer: 'bytes', layers: 1, heads: 2, width: 32, context: 33, batch: 3 } as const;

const crcOf = (values: Float32Array): number =>
  crc32(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));

/** What comes of training: the loss of every step, the file, the logits of the packed model. */
function trained(engine: Engine, preset: Preset): number[] {
  const run = tinyRun({ ...SHAPE, preset, steps: STEPS }, engine), losses: number[] = [];
  while (!run.trainer.done) losses.push(run.trainer.step().loss);
  const bytes = modelBytes(run);
  run.trainer.dispose();
  const packed = openLanguageModel(engine, bytes);
  const logits = packed.model.logits(packed.tokenizer.encode('Once upon a time, there'));
  packed.dispose();
  return [...losses, crc32(bytes), crcOf(logits)];
}

/** Products of weights with a scale per block of 128: one token and some, columns that fill no block. */
function blockProducts(engine: Engine, kind: BitKind): number[] {
  const compute = { engine, workspace: new Workspace(engine.heap) }, [n, k] = [2064, 500];
  const weights = allocBlockWeights(engine, kind, n, k, 128), bytes = fileRowBytes(kind, k);
  const codes = compute.workspace.alloc(n * bytes);
  // 01 and 10 are codes of both kinds; scales are f16 from 2^-8 on
  engine.u8(codes, n * bytes).forEach((_, i, all) => (all[i] = (i * 2654435761) & 0x10000 ? 0x55 : 0x66));
  const scales = Uint16Array.from({ length: n * 4 }, (_, i) => (7 + (i % 7)) << 10 | (i * 37) & 1023);
  layOutBlocks(
    compute, weights, { ptr: codes, rowBytes: bytes, stride: kind === 'b1' ? 16 : 32 }, scales);
  const digests = [[1, 8], [19, 8], [19, 2]].map(([m, bits]) => {
    const x = newMatrix(compute, m, k), y = newMatrix(compute, m, n);
    viewOf(compute, x).set(randomF32(m * k, 3));
    engine.run(() => blockGemm(compute, quantizeBlocks(compute, x, weights, { bits }), [weights], [y]));
    return crcOf(viewOf(compute, y));
  });
  freeBlockWeights(engine, weights);
  compute.workspace.dispose();
  return digests;
}

/** Everything that one variant computes, by what it is; and that it was this variant which did. */
async function resultsOf(
  threads: number, build: Build, product: Product,
): Promise<Record<string, number[]>> {
  const { engine, pool } = threadedEngine(threads, { build, product });
  await startPool(engine, pool);
  const results: Record<string, number[]> = {
    b1: blockProducts(engine, 'b1'), t2: blockProducts(engine, 't2'),
  };
  // Float weights have no families of products: once is enough.
  for (const preset of PRESETS)
    if (preset !== 'transformer' || product === 'lookup') results[preset] = trained(engine, preset);
  const { products, ...info } = engine.info;
  assert.is(info.build, build);
  assert.ok([...products.b1, ...products.t2].every((family) => family === product));
  assert.is(pool.callsOfWorkers() > 0, threads > 1, 'workers worked');
  engine.dispose();
  return results;
}

const builds = BUILDS.filter((build) => build === 'baseline' || embeddedRelaxedModule('own'));

let reference: ReturnType<typeof resultsOf> | undefined;
/** One thread, the baseline build, lookups; computed once. */
const expected = (): ReturnType<typeof resultsOf> => (reference ??= resultsOf(1, 'baseline', 'lookup'));

const test = suite('variants');

for (const threads of THREADS)
  for (const build of builds)
    for (const product of PRODUCTS)
      test(`${threads} threads, ${build} build, ${product}: the same bits`, async () => {
        const [found, all] = await Promise.all([resultsOf(threads, build, product), expected()]);
        for (const [name, values] of Object.entries(found)) assert.equal(values, all[name], name);
      });

test.run();

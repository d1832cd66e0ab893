// The model file: one bit per linear weight, and the trained model's logits bit for bit.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BitNetConfig } from '../../src/model/config.ts';
import { evaluate } from '../../src/model/evaluate.ts';
import { buildModel, modelSizes, readModelHeader } from '../../src/model/file.ts';
import { layerName } from '../../src/model/tensors.ts';
import type { RunOptions } from '../../src/train/run.ts';
import type { Engine } from '../../src/wasm/engine.ts';
import { sameBits } from '../helpers/close.ts';
import { modelBytes, newEngine, tinyModel, tinyRun, trainTo } from '../helpers/tiny-model.ts';

const bits = (config: Partial<BitNetConfig>): RunOptions => ({ config });

/** Widths 20 and 24 are no multiples of 16, 32 or 128. */
const RUNS: Record<string, RunOptions> = {
  'bitnet': {},
  'bitnet-b1.58': { preset: 'bitnet-b1.58' },
  'transformer': { preset: 'transformer' },
  '1-bit activations': bits({ activationBits: 1 }),
  '2-bit activations': bits({ activationBits: 2 }),
  '4-bit activations': bits({ activationBits: 4 }),
  'ternary, 1-bit activations': { preset: 'bitnet-b1.58', ...bits({ activationBits: 1 }) },
  '2 groups': bits({ quantizationGroups: 2 }),
  '2 groups, ternary': { preset: 'bitnet-b1.58', ...bits({ quantizationGroups: 2 }) },
  'shifted': bits({ shiftedMlpInput: true }),
  'shifted, 2-bit activations': bits({ shiftedMlpInput: true, activationBits: 2 }),
  'learned positions': bits({ positionEmbedding: 'learned' }),
  'tied embeddings': bits({ tieWordEmbeddings: true }),
  'elastic': bits({ activationQuantization: 'elastic', subNorms: false }),
  'elastic, ternary, 4 bits, 2 groups': { preset: 'bitnet-b1.58', ...bits({
    activationQuantization: 'elastic', activationBits: 4, quantizationGroups: 2 }) },
  'norms behind products': bits({ productNorms: true, subNorms: false }),
  'width 20': { width: 20, heads: 5, ...bits({ shiftedMlpInput: true }) },
  'width 24, ternary': { width: 24, heads: 3, preset: 'bitnet-b1.58' },
  'grouped queries, ReLU²': bits({ numKeyValueHeads: 1, hiddenAct: 'relu2' }),
};

const load = (bytes: Uint8Array, engine: Engine = newEngine()): ReturnType<typeof buildModel> =>
  engine.run(() => buildModel(engine, readModelHeader(bytes, 'a file'), 'a file'));

const trip = suite('a packed model');

for (const [name, options] of Object.entries(RUNS))
  trip(`has the logits and the loss of the trained one, bit for bit: ${name}`, () => {
    const run = tinyRun({ steps: 3, ...options });
    trainTo(run);
    const model = load(modelBytes(run)), { validation } = run.trainer.dataset;
    const ids = validation.subarray(0, 16);
    sameBits(model.logits(ids), run.trainer.model.logits(ids));
    assert.equal(model.config, run.trainer.config);
    assert.equal(evaluate(model, validation), run.trainer.validate());
  });

trip('gives all its memory back, zeroed', () => {
  for (const options of Object.values(RUNS)) {
    const engine = newEngine(), model = load(tinyModel({ ...options, steps: 1 }), engine);
    model.logits([1, 2, 3]);
    model.dispose();
    assert.is(engine.heap.usedBytes, 0);
    const heap = new Uint8Array(engine.memory.buffer).subarray(engine.kernels.heapBase());
    assert.is(heap.findIndex((byte) => byte !== 0), -1);
  }
});

trip('is small in memory too: bits, not floats', () => {
  const floats = newEngine(), packed = newEngine();
  load(tinyModel({ preset: 'transformer', width: 128, steps: 1 }), floats);
  load(tinyModel({ width: 128, steps: 1 }), packed);
  assert.ok(packed.heap.usedBytes < floats.heap.usedBytes / 4);
});

trip.run();

const contents = suite('a model file');

contents('holds one bit per linear weight, ternary two, and no latent weights', () => {
  for (const [options, each] of [[{}, 1], [{ preset: 'bitnet-b1.58' as const }, 2]] as const) {
    const bytes = tinyModel(options), header = readModelHeader(bytes);
    const { linearBytes, linearParameters, packedBytes, parameters } = modelSizes(header);
    assert.is(linearBytes, (linearParameters * each) / 8);
    const scales = [...header.file.tensors.keys()].filter((name) => name.endsWith('_scale')).length;
    assert.is(packedBytes, (parameters - linearParameters) * 4 + linearBytes + scales * 4);
    assert.ok(bytes.length - packedBytes < 4096, 'the header is small');
    for (const { name, dtype } of header.file.tensors.values())
      assert.is(dtype, /_proj\.(\d\.)?weight$/.test(name) ? 'U8' : 'F32', name);
  }
});

contents('pads each packed row to a byte, with zeros', () => {
  const { file } = readModelHeader(tinyModel({ width: 20, heads: 5 }));
  const { shape, data } = file.tensors.get(layerName(0, 'self_attn.q_proj'))!;
  assert.equal(shape, [20, 3]);
  for (let row = 0; row < 20; row++) assert.is(data[row * 3 + 2] >> 4, 0);
});

contents('has the bits of sign(W − mean W) and the scale mean |W|', () => {
  const run = tinyRun({ steps: 2 });
  trainTo(run);
  const name = layerName(0, 'mlp.down_proj'), { weights, model } = run.trainer;
  const { tensors } = readModelHeader(modelBytes(run)).file;
  const { ptr, rows, cols } = weights.parameter(name).value;
  const w = model.engine.f32(ptr, rows * cols);
  const mean = w.reduce((sum, x) => sum + x, 0) / w.length;
  const { data } = tensors.get(name)!;
  w.forEach((x, i) => {
    if (Math.abs(x - mean) > 1e-6) // nearer, the order of the sum decides
      assert.is((data[i >> 3] >> (i & 7)) & 1, x > mean ? 1 : 0);
  });
  const scale = new Float32Array(tensors.get(`${name}_scale`)!.data.slice().buffer)[0];
  const meanAbs = w.reduce((sum, x) => sum + Math.abs(x), 0) / w.length;
  assert.ok(Math.abs(scale / meanAbs - 1) < 1e-6);
});

contents.run();

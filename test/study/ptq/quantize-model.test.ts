/** Quantization of whole models: on a small Transformer that was trained here. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { evaluate } from '../../../src/model/evaluate.ts';
import { viewOf } from '../../../src/ops/matrix.ts';
import type { LanguageModel } from '../../../src/sample/language-model.ts';
import { openLanguageModel } from '../../../src/sample/language-model.ts';
import type { CalibrationText } from '../../../src/study/ptq/calibration.ts';
import { floatLayers, inputHessian, inputMaxima } from '../../../src/study/ptq/calibration.ts';
import type { QuantizationMethod } from '../../../src/study/ptq/quantize-model.ts';
import { quantizeModel, smoothModel, weightsOf } from '../../../src/study/ptq/quantize-model.ts';
import { close, sameBits } from '../../helpers/close.ts';
import { throwsA } from '../../helpers/throws.ts';
import { modelBytes, newEngine, tinyModel, tinyRun, trainTo } from '../../helpers/tiny-model.ts';

const engine = newEngine();
const run = tinyRun({ preset: 'transformer', steps: 300, layers: 2 }, engine);
trainTo(run);
const BYTES = modelBytes(run), VALIDATION = run.trainer.dataset.validation;
const TEXT: CalibrationText = { ids: run.trainer.dataset.train.slice(0, 64 * 16), length: 16 };
run.trainer.dispose();

const open = (bytes = BYTES): LanguageModel => openLanguageModel(engine, bytes);

function loss(method?: QuantizationMethod, weightBits = 8, activationBits = 16): number {
  using model = open();
  if (method) quantizeModel(model.model, { method, weightBits, activationBits }, TEXT, 1);
  return evaluate(model.model, VALIDATION).loss;
}

const test = suite('quantizeModel');

test('layers come in the order of the forward pass, without the head', () => {
  using model = open();
  const names = floatLayers(model.model).map((layer) => layer.map(({ name }) => name.split('.').at(-2)));
  const block = [['q_proj', 'k_proj', 'v_proj'], ['o_proj'], ['up_proj'], ['down_proj']];
  assert.equal(names, [...block, ...block]);
});

test('the Hessian is that of the inputs, and the maxima are on it', () => {
  using language = open();
  const { model } = language, layer = floatLayers(model)[2], n = layer[0].value.cols;
  const expected = new Float64Array(n * n);
  const text = { ids: TEXT.ids.slice(0, 10 * 16), length: 16 }; // two passes
  const most = new Float32Array(n);
  model.onInput((x, [{ name }], pass) => {
    if (name !== layer[0].name) return x;
    const values = viewOf(pass, x);
    for (let r = 0; r < x.rows; r++)
      for (let i = 0; i < n; i++) {
        most[i] = Math.max(most[i], Math.abs(values[r * n + i]));
        for (let j = 0; j < n; j++) expected[i * n + j] += values[r * n + i] * values[r * n + j];
      }
    return x;
  });
  model.losses(text.ids, text.ids, 10);
  const tolerance = { name: 'f32 sums of 160 products', absolute: 1e-3, relative: 1e-5 };
  close(inputHessian(model, text, layer).data, expected, tolerance, 'H');
  sameBits(inputMaxima(model, text).get(layer[0].name)!, most);
});

test('SmoothQuant leaves what a float model computes unchanged', () => {
  using language = open();
  const { model } = language, ids = VALIDATION.subarray(0, 16), before = model.logits(ids);
  const layers = floatLayers(model), weights = weightsOf(model, layers[0][0]);
  smoothModel(model, layers, TEXT);
  assert.not.equal(weightsOf(model, layers[0][0]).data, weights.data);
  close(model.logits(ids), before,
    { name: 'f32 rounding of a model', absolute: 1e-4, relative: 1e-4 }, 'logits');
});

test('8 bits lose next to nothing', () => {
  const float = loss();
  for (const method of ['absmax', 'smoothquant'] as const)
    assert.ok(Math.abs(loss(method, 8, 8) - float) < 0.01, method);
  assert.ok(Math.abs(loss('gptq', 8) - float) < 0.005);
});

test('fewer bits lose more, GPTQ less than absmax, QuIP less than GPTQ at 2 bits', () => {
  const float = loss(), absmax = loss('absmax', 4), gptq = loss('gptq', 4);
  assert.ok(gptq - float < absmax - float, `4 bits: ${gptq} against ${absmax}, float ${float}`);
  const gptq2 = loss('gptq', 2), quip2 = loss('quip', 2), absmax1 = loss('absmax', 1, 8);
  assert.ok(quip2 < gptq2, `2 bits: ${quip2} against ${gptq2}`);
  assert.ok(gptq < gptq2 && absmax1 > quip2, `${gptq} ${gptq2} ${quip2} ${absmax1}`);
});

test('the same model, text and seed give the same bits', () => {
  const logits = (): Float32Array => {
    using model = open();
    quantizeModel(model.model, { method: 'quip', weightBits: 2, activationBits: 8 }, TEXT, 3);
    return model.model.logits(VALIDATION.subarray(0, 16));
  };
  sameBits(logits(), logits());
});

test('a model whose weights are packed is refused', () => {
  using model = open(tinyModel());
  throwsA(() => quantizeModel(
    model.model, { method: 'absmax', weightBits: 8, activationBits: 8 }, TEXT), RangeError, 'float weights');
});

test.run();
